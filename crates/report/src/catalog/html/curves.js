// Percentile curves: what share of attempts took no longer than how long, the tail stretched so that it can be seen.

const NINES = [[0, "0 %"], [0.5, "50 %"], [0.9, "90 %"], [0.99, "99 %"], [0.999, "99.9 %"], [0.9999, "99.99 %"], [0.99999, "99.999 %"]];

/** Both distributions of several cells, with keys that show and hide them. */
function curves(cells) {
  const drawn = cells.filter((cell) => cell.response_curve.length > 0);
  if (drawn.length === 0) return h("p", { class: "empty" }, "No attempt was measured here.");
  const hidden = new Set();
  const values = drawn.flatMap((cell) => [...cell.response_curve, ...cell.service_curve].map(([, value]) => value));
  const range = decades(values);
  const figures = h("div", { class: "pair" });
  const draw = () => figures.replaceChildren(
    curveFigure("Response time", "from the intended start", drawn, "response", range, hidden),
    curveFigure("Service time", "from the actual start", drawn, "service", range, hidden));
  const keys = drawn.map((cell, index) => h("button", {
    type: "button",
    "aria-pressed": "true",
    onclick: ({ currentTarget: key }) => {
      if (!hidden.delete(index)) hidden.add(index);
      key.setAttribute("aria-pressed", String(!hidden.has(index)));
      draw();
    },
  }, swatch(look(index)), cell.strategy));
  draw();
  return h("div", {}, drawn.length > 1 ? h("div", { class: "keys", role: "group", "aria-label": "Strategies shown" }, keys) : null,
    figures, percentileTable(drawn));
}

function curveFigure(title, from, cells, of, range, hidden) {
  return h("figure", {}, h("figcaption", {}, h("h3", {}, title, " ", h("span", { class: "note" }, from))),
    sized("chart", (width) => curveChart(title, cells, of, range, hidden, width)));
}

function curveChart(title, cells, of, range, hidden, width) {
  const [left, right, top, height] = [62, width - 14, 16, Math.max(240, Math.min(320, width * 0.6))];
  const bottom = height - 44;
  const samples = Math.max(10, ...cells.map((cell) => cell[of]?.count ?? 0));
  const decadesAcross = Math.log10(samples);
  const x = (quantile, count) => {
    const nines = quantile === 1 ? Math.log10(count) : -Math.log10(1 - quantile);
    return left + Math.min(nines / decadesAcross, 1) * (right - left);
  };
  const y = logarithmic(range[0], range[1], bottom, top);
  const shown = NINES.filter(([quantile]) => -Math.log10(1 - quantile) <= decadesAcross);
  const columns = shown.map(([quantile, words], index) => {
    const at = x(quantile, samples);
    const anchor = index === 0 ? "start" : at > right - 24 ? "end" : "middle";
    return s("g", {},
      s("path", { class: "grid", d: `M${at.toFixed(1)} ${top}V${bottom}` }),
      s("text", { class: "tick", x: at, y: bottom + 18, "text-anchor": anchor }, words));
  });
  const lines = cells.map((cell, index) => {
    if (hidden.has(index)) return null;
    const points = cell[`${of}_curve`].map(([quantile, value]) =>
      `${x(quantile, Math.max(2, cell[of]?.count ?? 2)).toFixed(1)} ${y.place(value).toFixed(1)}`);
    return s("path", { class: "curve", d: `M${points.join("L")}`, ...look(index) },
      s("title", {}, `${cell.strategy}: ${of} time, p99 ${time(cell[of]?.p99_us)}`));
  });
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title} by percentile; the table below has the figures` },
    rows(y, left, right, time), columns, s("path", { class: "base", d: `M${left} ${bottom}H${right}` }), lines,
    label(right, height - 6, "share of attempts that took no longer (log scale)", "end"));
}

function percentileTable(cells) {
  const figure = (of, point) => [`${of} ${point === "p999_us" ? "p99.9" : point.replace("_us", "")}`, "figure", (cell) => time(cell[of]?.[point])];
  const columns = [["Strategy", "name", (cell) => cell.strategy], ["Attempts", "figure", (cell) => String(cell.response?.count ?? 0)]];
  for (const of of ["response", "service"]) {
    for (const point of ["p50_us", "p99_us", "p999_us", "max_us"]) columns.push(figure(of, point));
  }
  return h("details", {}, h("summary", {}, "The figures as a table"), table("Percentiles of response and service time", columns, cells));
}
