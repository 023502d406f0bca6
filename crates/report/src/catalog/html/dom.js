// Elements from plain values. Whatever comes from the report becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; `on…` are listeners, nothing and false leave an attribute out. */
function h(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
function s(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** A table: each column is `[title, kind, of]`, kind one of "", "figure", "name", "long". The first column heads its row. */
function table(caption, columns, rows) {
  const head = columns.map(([title, kind]) => h("th", { scope: "col", class: kind }, title));
  const body = rows.map((row) => h("tr", {}, columns.map(([, kind, of], index) =>
    index === 0 ? h("th", { scope: "row", class: kind }, of(row)) : h("td", { class: kind }, of(row)))));
  return scrolling(caption, h("table", { class: "plain" },
    h("caption", { class: "aside" }, caption),
    h("thead", {}, h("tr", {}, head)),
    h("tbody", {}, body)));
}

/** What may be wider than the page scrolls by itself, with the keyboard too. */
function scrolling(label, ...children) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, children);
}

/** Calls `draw(width)` now and whenever the width of its place changes. */
function sized(className, draw) {
  const place = h("div", { class: className });
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (width > 0 && width !== drawn) {
      drawn = width;
      place.replaceChildren(draw(width));
    }
  }).observe(place);
  return place;
}

function select(label, options, value, choose) {
  const list = h("select", { onchange: () => choose(list.value) },
    options.map(([key, words]) => h("option", { value: key, selected: key === value }, words)));
  return h("label", { class: "field wide" }, label, list);
}
