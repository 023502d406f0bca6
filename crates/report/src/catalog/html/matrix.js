// Every strategy under every scenario: a grid where there is room, a list where there is not.

const WIDE = 1000;

const LEGEND = [["good", "✔", "safe, as expected"], ["control", "✘", "fails, as it was expected to"], ["bad", "✘", "not as expected"], ["doubt", "?", "decides nothing"]];

function matrixPanel(report, open) {
  const chosen = { text: "", ending: "all", layout: innerWidth >= WIDE ? "grid" : "list" };
  const place = h("div");
  const draw = () => {
    const cells = report.cells.filter((cell) => matches(cell, chosen));
    if (cells.length === 0) place.replaceChildren(h("p", { class: "empty" }, "No cell is like that."));
    else place.replaceChildren(chosen.layout === "grid" ? grid(cells, open) : list(cells, open));
  };
  const choose = (key) => (value) => { chosen[key] = value; draw(); };
  const filter = h("input", { type: "search", placeholder: "scenario, strategy or F01", oninput: () => choose("text")(filter.value) });
  draw();
  return [
    h("h2", { class: "aside" }, "Strategies under scenarios"),
    h("div", { class: "controls" },
      h("label", { class: "field wide" }, "Find", filter),
      select("Show", [["all", "every cell"], ["unmet", "not as expected, or undecided"], ["control", "controls that fail as expected"], ["good", "strategies that held"]], "all", choose("ending")),
      select("As", [["grid", "a grid"], ["list", "a list"]], chosen.layout, choose("layout"))),
    h("div", { class: "legend" }, LEGEND.map(([tone, sign, words]) => h("span", {}, h("i", { class: tone, "aria-hidden": "true" }, sign), words))),
    place,
  ];
}

function matches(cell, { text, ending }) {
  const words = `${cell.scenario} ${cell.strategy} ${cell.title} ${cell.catalog.join(" ")} ${cell.words}`.toLowerCase();
  if (!words.includes(text.trim().toLowerCase())) return false;
  if (ending === "all") return true;
  if (ending === "unmet") return cell.status !== "met";
  return cell.tone === ending;
}

function by(cells, key) {
  const groups = new Map();
  for (const cell of cells) {
    if (!groups.has(cell[key])) groups.set(cell[key], []);
    groups.get(cell[key]).push(cell);
  }
  return groups;
}

/** Strategies that run in many scenarios come first, so that the grid is dense where one begins to read. */
function grid(cells, open) {
  const columns = [...by(cells, "strategy")].sort((a, b) => b[1].length - a[1].length).map(([strategy]) => strategy);
  const rows = [...by(cells, "scenario")].map(([scenario, own]) => h("tr", {},
    h("th", { scope: "row", title: own[0].title }, scenario),
    columns.map((strategy) => {
      const cell = own.find((other) => other.strategy === strategy);
      return cell ? h("td", {}, gridButton(cell, open)) : h("td", { class: "none" });
    })));
  const body = h("tbody", {}, rows);
  rove(body);
  return h("div", { class: "card" }, scrolling("Strategies under scenarios",
    h("table", { class: "matrix" },
      h("caption", { class: "aside" }, "Scenarios as rows, strategies as columns. Arrow keys move between cells, Enter opens one."),
      h("thead", {}, h("tr", {}, h("td"), columns.map((strategy) => h("th", { scope: "col" }, h("span", {}, strategy))))), body)));
}

function gridButton(cell, open) {
  const words = `${cell.strategy} under ${cell.scenario}: ${cell.words}`;
  return h("button", { type: "button", class: cell.tone, title: words, "aria-label": words, onclick: () => open(cell) }, cell.sign);
}

/** One stop for the tabulator; arrows go to the next cell that there is. */
function rove(body) {
  const buttons = [...body.querySelectorAll("button")];
  buttons.forEach((button, index) => button.setAttribute("tabindex", index === 0 ? "0" : "-1"));
  const go = (button) => {
    if (!button) return;
    body.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    button.setAttribute("tabindex", "0");
    button.focus();
  };
  body.addEventListener("focusin", ({ target }) => {
    if (target.tabIndex === -1) {
      body.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
      target.setAttribute("tabindex", "0");
    }
  });
  body.addEventListener("keydown", (event) => {
    const from = event.target.closest("td");
    if (!from) return;
    const [row, column] = [from.parentElement, from.cellIndex];
    const own = [...row.querySelectorAll("button")];
    const place = own.indexOf(event.target);
    const steps = {
      ArrowRight: () => own[place + 1],
      ArrowLeft: () => own[place - 1],
      Home: () => own[0],
      End: () => own.at(-1),
      ArrowDown: () => nearest(row, "nextElementSibling", column),
      ArrowUp: () => nearest(row, "previousElementSibling", column),
    };
    if (!steps[event.key]) return;
    event.preventDefault();
    go(steps[event.key]());
  });
}

/** In the next row that way: the button of that column, or the one closest to it. */
function nearest(row, way, column) {
  const next = row[way];
  const buttons = [...(next?.querySelectorAll("button") ?? [])];
  const far = (button) => Math.abs(button.parentElement.cellIndex - column);
  return buttons.sort((a, b) => far(a) - far(b))[0];
}

function list(cells, open) {
  return h("div", { class: "list" }, [...by(cells, "scenario")].map(([scenario, own]) => h("section", {},
    h("h3", {}, scenario),
    h("p", {}, [own[0].title, own[0].catalog.join(", ")].filter(Boolean).join(" · ")),
    h("ul", { class: "chips" }, own.map((cell) => h("li", {},
      h("button", { type: "button", class: `chip ${cell.tone}`, "aria-label": `${cell.strategy}: ${cell.words}`, onclick: () => open(cell) },
        h("span", { "aria-hidden": "true" }, cell.sign), cell.strategy)))))));
}
