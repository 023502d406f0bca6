// What charts have in common: scales, axes and keys.

const DASHES = ["", "7 3", "2 3", "10 3 2 3"];

/** The look of the n-th series: colours repeat after eight, with another dash. */
function look(index) {
  const colour = `stroke: var(--series-${index % 8 + 1})`;
  return { style: colour, "stroke-dasharray": DASHES[Math.floor(index / 8) % DASHES.length] || null };
}

function swatch(attributes) {
  return s("svg", { width: 22, height: 10, "aria-hidden": "true" },
    s("path", { d: "M0 5H22", fill: "none", "stroke-width": 2.5, ...attributes }));
}

/** From values to places, by their logarithm, whole decades or halves of them at the ends. */
function logarithmic(low, high, from, to) {
  const [a, b] = [Math.log10(low), Math.log10(high)];
  const place = (value) => from + (Math.log10(Math.max(value, low)) - a) / (b - a) * (to - from);
  const ticks = [];
  const steps = b - a > 2.2 ? [1] : [1, 2, 5];
  for (let decade = Math.floor(a); decade <= Math.ceil(b); decade += 1) {
    for (const step of steps) {
      const value = step * 10 ** decade;
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push(value);
    }
  }
  return { place, ticks };
}

/** The decades, or parts of one, that hold all of `values`. */
function decades(values) {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [1, 10];
  const [low, high] = [Math.min(...positive), Math.max(...positive)];
  const nice = (value, up) => {
    const power = 10 ** Math.floor(Math.log10(value));
    const steps = [1, 2, 5, 10].map((step) => step * power);
    return up ? steps.find((step) => step >= value * 0.9999) : steps.findLast((step) => step <= value * 1.0001);
  };
  const ends = [nice(low, false), nice(high, true)];
  return ends[1] / ends[0] < 5 ? [ends[0] / 2, ends[1] * 2] : ends;
}

function linear(low, high, from, to, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  const ticks = [];
  for (let n = Math.ceil(low / step); n * step <= high * 1.0001; n += 1) ticks.push(n * step);
  return { place: (value) => from + (value - low) / (high - low) * (to - from), ticks, step };
}

/** Horizontal lines with what they stand for. */
function rows(scale, left, right, words) {
  return scale.ticks.map((tick) => s("g", {},
    s("path", { class: "grid", d: `M${left} ${scale.place(tick).toFixed(1)}H${right}` }),
    s("text", { class: "tick", x: left - 8, y: scale.place(tick) + 4, "text-anchor": "end" }, words(tick))));
}

function label(x, y, words, anchor) {
  return s("text", { class: "axis", x, y, "text-anchor": anchor }, words);
}
