// The other tabs. Each is built when it is first opened, and again when another scenario is chosen.

/** The scenario that several tabs show; `first` is where there is something to see. */
function scenarioPanel(report, state, title, intro, wanted, draw) {
  const groups = by(report.cells.filter(wanted), "scenario");
  if (groups.size === 0) return [h("h2", {}, title), h("p", { class: "empty" }, "There is nothing of that in this run.")];
  const place = h("div");
  const show = (scenario) => {
    state.scenario = scenario;
    place.replaceChildren(...[draw(groups.get(scenario))].flat());
  };
  const current = groups.has(state.scenario) ? state.scenario : [...groups.keys()][0];
  show(current);
  return [
    h("h2", {}, title), h("p", { class: "intro" }, intro),
    h("div", { class: "controls" }, select("Scenario", [...groups.keys()].map((name) => [name, name]), current, show)),
    place,
  ];
}

function latencyPanel(report, state) {
  return scenarioPanel(report, state, "Latency by percentile",
    "How long whole attempts took, waiting and refusals included. Each step right leaves a tenth of the attempts; the last point is the longest of all.",
    (cell) => cell.response_curve.length > 0,
    (cells) => [h("div", { class: "card" }, curves(cells)), loopNote(cells)]);
}

function loopNote(cells) {
  const open = cells.some((cell) => cell.offered_per_s !== null);
  return h("p", { class: "note" }, open
    ? "An open loop: attempts are due by a schedule that waits for nobody, so response time counts the wait for a stalled server too."
    : "A closed loop: a holder asks again when it has its answer, so response and service time are the same, and a stalled server stalls the load with it.");
}

function timePanel(report, state) {
  return scenarioPanel(report, state, "Over time",
    "What each strategy sold while faults stood. Hatched bands are faults that took effect.",
    (cell) => cell.timeline !== null,
    (cells) => cells.map((cell) => section(cell.strategy, h("p", {}, tag(cell)), timelineFigure(cell))));
}

function violationsPanel(report, open) {
  const cells = report.cells.filter((cell) => cell.drawings.length > 0)
    .sort((a, b) => (a.status === "met") - (b.status === "met"));
  if (cells.length === 0) return [h("h2", {}, "Violations"), h("p", { class: "empty" }, "Nothing was broken in this run that could be drawn.")];
  const key = (cell) => String(report.cells.indexOf(cell));
  const place = h("div");
  const show = (index) => place.replaceChildren(violation(report.cells[Number(index)], open));
  show(key(cells[0]));
  const names = cells.map((cell) => [key(cell), `${cell.status === "met" ? "" : "✘ "}${cell.scenario} · ${cell.strategy}`]);
  const left = report.drawings_left_out;
  return [
    h("h2", {}, "Violations"),
    h("p", { class: "intro" }, "Holders as lanes, time from left to right by order and not to scale. Bars are leases, hatched bands faults, large dots commits; what proves the violation is red."),
    h("div", { class: "controls" }, select(`Violation (${cells.length})`, names, key(cells[0]), show)),
    place,
    left > 0 ? h("p", { class: "note" }, `${counted(left, "drawing")} of the same kind left out, to keep this page small; results.json has what they are made of.`) : null,
  ];
}

function violation(cell, open) {
  return h("section", { class: "card violation" },
    h("div", { class: "top" }, h("h3", {}, `${cell.strategy} under ${cell.scenario}`), tag(cell),
      h("button", { type: "button", class: "quiet", onclick: () => open(cell) }, "Everything about it")),
    h("p", { class: "note" }, cell.title),
    cell.drawings.map(drawing),
    h("code", { class: "again", tabindex: "0", role: "region", "aria-label": "The command that shows it again" }, cell.again));
}

function faultsPanel(report, state) {
  return scenarioPanel(report, state, "Fault log",
    "Each injection says what it was observed to do. A fault that took no effect proves nothing, and counts as such.",
    (cell) => cell.faults.length > 0,
    (cells) => [section("What took effect", faultSums(cells)), section("Injections", injectionTable(cells))]);
}

function faultSums(cells) {
  const sums = cells.flatMap((cell) => cell.faults.map((fault) => ({ cell, fault })));
  return table("Faults by strategy", [
    ["Strategy", "name", ({ cell }) => cell.strategy], ["Fault", "name", ({ fault }) => `${fault.fault}: ${fault.label}`],
    ["Injected", "figure", ({ fault }) => String(fault.injected)], ["Took effect", "figure", ({ fault }) => String(fault.bit)],
  ], sums);
}

function injectionTable(cells) {
  const log = cells.flatMap((cell) => cell.injections.map((injection) => ({ cell, injection })));
  const left = cells.reduce((sum, cell) => sum + cell.injections_left_out, 0);
  if (log.length === 0) return h("p", { class: "note" }, "No fault was injected.");
  const lasted = ({ from_ms: from, until_ms: until }) => until === null ? "to the end" : until === from ? "at once" : millis(until - from);
  return h("div", {}, table("Injections", [
    ["Strategy", "name", ({ cell }) => cell.strategy], ["At", "figure", ({ injection }) => seconds(injection.from_ms)],
    ["Lasted", "figure", ({ injection }) => lasted(injection)], ["Fault", "name", ({ injection }) => injection.kind],
    ["Whom", "name", ({ injection }) => injection.whom ?? "everybody"],
    ["Effect", "", ({ injection }) => h("span", { class: `tag ${injection.bit ? "good" : "doubt"}` }, injection.bit ? "bit" : "none")],
    ["Observed", "long", ({ injection }) => injection.observed || "–"],
  ], log), left > 0 ? h("p", { class: "note" }, `${counted(left, "injection")} more in faults.ndjson.`) : null);
}

function driversPanel(report) {
  const used = (key, index) => report.cells.filter((cell) => cell[key].includes(index)).length;
  const grouped = by(report.drivers.map((setting, index) => ({ ...setting, cells: used("drivers", index) })), "driver");
  const servers = report.servers.map((server, index) => ({ ...server, cells: used("servers", index) }));
  const settings = (server) => (server.settings ?? []).map(({ name, value, warning }) =>
    h("div", {}, h("code", {}, `${name} ${value || "empty"}`), warning ? h("span", { class: "tag doubt" }, warning) : null));
  return [
    h("h2", {}, "Drivers and servers"),
    h("p", { class: "intro" }, "A driver is part of the strategy: its retries, time limits and connections decide what a lock does. These were in force, defaults of the library where they were left alone."),
    servers.length > 0 ? section("Servers", table("Servers", [
      ["Server", "name", (server) => server.kind], ["Version", "name", (server) => server.version || "–"],
      ["How many", "figure", (server) => String(server.count)], ["In cells", "figure", (server) => String(server.cells)], ["Settings", "long", settings],
    ], servers)) : null,
    [...grouped].map(([driver, own]) => section(driver, table(driver, [
      ["Setting", "name", (setting) => setting.setting], ["Value", "long", (setting) => setting.value], ["In cells", "figure", (setting) => String(setting.cells)],
    ], own))),
  ];
}

function limitsPanel(report) {
  return [
    h("h2", {}, "What this run cannot show"),
    h("p", { class: "intro" }, "A verdict is about what was run, and about nothing else."),
    h("div", { class: "limits" }, report.limits.map(({ title, text }) => {
      const parts = text.split("; ");
      const body = parts.length > 6 ? h("ul", { class: "reasons" }, parts.map((part) => h("li", {}, part))) : h("p", {}, text);
      return h("section", { class: parts.length > 6 ? "card wide" : "card" }, h("h3", {}, title), body);
    })),
  ];
}
