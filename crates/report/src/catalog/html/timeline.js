// Throughput and latency over time, with the faults that stood meanwhile.

function timelineFigure(cell) {
  if (!cell.timeline) return h("p", { class: "note" }, "Nothing was measured over time here.");
  const bands = faultBands(cell);
  return h("figure", {},
    sized("chart", (width) => timelineChart(cell, bands, width)),
    h("div", { class: "keys" }, timelineKeys(bands.length > 0, cell)),
    h("details", {}, h("summary", {}, "The figures as a table"), timelineTable(cell)));
}

function timelineKeys(hasFaults, cell) {
  const block = (attributes) => s("svg", { width: 16, height: 12, "aria-hidden": "true" }, s("rect", { width: 16, height: 12, rx: 2, ...attributes }));
  const key = (mark, words) => h("span", { class: "key" }, mark, words);
  return [
    key(block({ style: "fill: var(--series-1)" }), "booked"),
    key(block({ style: "fill: var(--series-1); fill-opacity: .28" }), "ended otherwise"),
    key(swatch({ style: "stroke: var(--series-3)" }), "response p50"),
    key(swatch({ style: "stroke: var(--series-4)", "stroke-dasharray": "5 3" }), "p99"),
    hasFaults ? key(block({ style: "fill: url(#hatch); stroke: var(--fault)" }), "a fault stands") : null,
    h("span", { class: "key" }, `stretches of ${millis(cell.timeline.width_ms)}`),
  ];
}

/** Where any fault stood, from and until in milliseconds, those that touch made one. */
function faultBands(cell) {
  const { timeline } = cell;
  const end = timeline.from_ms + timeline.width_ms * timeline.finished.length;
  const spans = cell.injections.filter((fault) => fault.bit)
    .map((fault) => [Math.max(fault.from_ms, timeline.from_ms), Math.min(fault.until_ms ?? end, end)])
    .filter(([from, until]) => until >= from).sort((a, b) => a[0] - b[0]);
  const merged = [];
  for (const [from, until] of spans) {
    const last = merged.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], until);
    else merged.push([from, until]);
  }
  return merged;
}

function timelineChart(cell, bands, width) {
  const { timeline } = cell;
  const [left, right, height] = [62, width - 14, 300];
  const upper = { top: 22, bottom: 122 };
  const lower = { top: 158, bottom: 262 };
  const total = timeline.width_ms * timeline.finished.length;
  const perSecond = (count) => count * 1000 / timeline.width_ms;
  const x = linear(0, total / 1000, left, right, Math.max(3, Math.floor(width / 110)));
  const most = perSecond(Math.max(1, ...timeline.finished));
  const y = linear(0, most * 1.02, upper.bottom, upper.top, 3);
  const slots = timeline.finished.map((_, index) => [x.place(index * timeline.width_ms / 1000), x.place((index + 1) * timeline.width_ms / 1000)]);
  const bar = (count, className, index) => count === 0 ? null : s("rect", {
    class: className, x: (slots[index][0] + 0.5).toFixed(1), width: Math.max(1, slots[index][1] - slots[index][0] - 1).toFixed(1),
    y: y.place(perSecond(count)).toFixed(1), height: Math.max(0.5, upper.bottom - y.place(perSecond(count))).toFixed(1),
  });
  const latencies = [...timeline.p50_us, ...timeline.p99_us].filter((value) => value !== null);
  const l = logarithmic(...decades(latencies), lower.bottom, lower.top);
  const hatched = bands.map(([from, until]) => {
    const [a, b] = [from, until].map((ms) => x.place((ms - timeline.from_ms) / 1000));
    return s("g", {},
      s("rect", { class: "band", x: a.toFixed(1), y: upper.top, width: Math.max(1.5, b - a).toFixed(1), height: lower.bottom - upper.top }),
      s("path", { class: "band-edge", d: `M${a.toFixed(1)} ${upper.top}V${lower.bottom}` }));
  });
  const ticks = x.ticks.map((tick) => s("g", {},
    s("path", { class: "grid", d: `M${x.place(tick).toFixed(1)} ${lower.bottom}v4` }),
    s("text", { class: "tick", x: x.place(tick), y: lower.bottom + 18, "text-anchor": "middle" }, Number(tick.toFixed(6)))));
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${cell.strategy} under ${cell.scenario}: attempts per second and response time over time, with ${counted(bands.length, "stretch")} of faults; the table below has the figures`.replace("stretchs", "stretches") },
    hatched,
    rows(y, left, right, (value) => value.toLocaleString("en")), rows(l, left, right, time),
    timeline.finished.map((count, index) => bar(count, "finished", index)),
    timeline.booked.map((count, index) => bar(count, "booked", index)),
    s("path", { class: "base", d: `M${left} ${upper.bottom}H${right}M${left} ${lower.bottom}H${right}` }),
    latencyLine(timeline.p99_us, slots, l, "p99"), latencyLine(timeline.p50_us, slots, l, "p50"), ticks,
    label(left, upper.top - 8, "attempts per second", "start"), label(left, lower.top - 10, "response time (log scale)", "start"),
    label(right, height - 4, "seconds since the load began", "end"));
}

/** A line with gaps where nothing ended, and a dot for what has no neighbour. */
function latencyLine(values, slots, scale, className) {
  let path = "";
  const dots = [];
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) { pen = false; return; }
    const at = [((slots[index][0] + slots[index][1]) / 2).toFixed(1), scale.place(value).toFixed(1)];
    path += `${pen ? "L" : "M"}${at.join(" ")}`;
    pen = true;
    const isAlone = (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null;
    if (isAlone) dots.push(s("circle", { class: `dot ${className}`, cx: at[0], cy: at[1], r: 2.5 }));
  });
  return [s("path", { class: `curve ${className}`, d: path || "M0 0", "stroke-dasharray": className === "p99" ? "5 3" : null }), dots];
}

function timelineTable(cell) {
  const { timeline } = cell;
  const stretches = timeline.finished.map((_, index) => index).filter((index) => timeline.finished[index] > 0);
  return table(`${cell.strategy} over time`, [
    ["From", "figure", (index) => seconds(index * timeline.width_ms)],
    ["Ended", "figure", (index) => String(timeline.finished[index])],
    ["Booked", "figure", (index) => String(timeline.booked[index])],
    ["Response p50", "figure", (index) => time(timeline.p50_us[index])],
    ["p99", "figure", (index) => time(timeline.p99_us[index])],
  ], stretches);
}
