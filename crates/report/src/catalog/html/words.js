// How figures are said.

/** Microseconds with a unit that suits them. */
function time(micros) {
  if (micros === null || micros === undefined) return "–";
  if (micros === 0) return "0";
  for (const [unit, size] of [["s", 1e6], ["ms", 1e3]]) {
    if (micros >= size * 0.9995) return `${digits(micros / size)} ${unit}`;
  }
  return `${digits(micros)} µs`;
}

function millis(value) {
  return value === null || value === undefined ? "–" : time(value * 1000);
}

/** Three digits, without zeros at the end. */
function digits(value) {
  return String(Number(value.toPrecision(value >= 100 ? Math.ceil(Math.log10(value + 1)) : 3)));
}

function counted(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(3)} s`;
}

function tag(cell) {
  return h("span", { class: `tag ${cell.tone}` }, h("span", { "aria-hidden": "true" }, cell.sign), cell.words);
}

function percent(quantile) {
  if (quantile === 1) return "max";
  return `${Number((quantile * 100).toFixed(4))} %`;
}
