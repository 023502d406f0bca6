// One cell with all that is known of it.

const LAYERS = [["effect", "The table"], ["belief", "What holders believed"], ["service", "What the lock did"], ["liveness", "Whether anyone could book"]];

function cellDialog() {
  const dialog = h("dialog", { "aria-labelledby": "cell-title", onclick: (event) => { if (event.target === dialog) dialog.close(); } });
  document.body.append(dialog);
  return (cell) => {
    dialog.replaceChildren(
      h("header", {},
        h("div", {}, h("h2", { id: "cell-title" }, `${cell.strategy} under ${cell.scenario}`), h("p", {}, cell.title)),
        h("button", { type: "button", onclick: () => dialog.close() }, "Close")),
      h("div", { class: "body" }, cellBody(cell)));
    dialog.showModal();
    dialog.scrollTop = 0;
  };
}

function cellBody(cell) {
  return [
    section("Verdict", verdictOf(cell)),
    cell.exploration ? section("Search", searchOf(cell)) : null,
    cell.drawings.length > 0 ? section("How it happened", cell.drawings.map(drawing)) : null,
    section("Figures", figuresOf(cell)),
    cell.response_curve.length > 0 ? section("Latency", curves([cell])) : null,
    cell.timeline ? section("Over time", timelineFigure(cell)) : null,
    cell.faults.length > 0 ? section("Faults", faultSums([cell]), injectionTable([cell])) : null,
    section("Checkers", layersOf(cell)),
  ];
}

function section(title, ...children) {
  return h("section", { class: "card" }, h("h3", {}, title), children);
}

function verdictOf(cell) {
  return [
    h("p", {}, tag(cell), " ", h("span", { class: "note" }, `expected: ${cell.expectation}`)),
    cell.reasons.length > 0 ? h("ul", { class: "reasons" }, cell.reasons.map((reason) => h("li", {}, reason))) : null,
    h("code", { class: "again", tabindex: "0", role: "region", "aria-label": "The command that shows it again" }, cell.again),
  ];
}

function definitions(pairs) {
  return h("dl", { class: "figures" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function figuresOf(cell) {
  const count = (value) => value.toLocaleString("en");
  return definitions([
    ["Attempts", count(cell.attempts)], ["Bookings", count(cell.bookings)], ["Duplicates", count(cell.duplicates)],
    ["Refused by the lock", count(cell.refused_by_lock)], ["Sold out", count(cell.refused_by_check)], ["Refused by the guard", count(cell.refused_by_guard)],
    ["Failed", count(cell.failed)], ["Nobody knows", count(cell.unknown)], ["Longest gap", millis(cell.longest_gap_ms)],
    ["Acquire p50", time(cell.acquire?.p50_us)], ["Acquire p99", time(cell.acquire?.p99_us)], ["Acquire p99.9", time(cell.acquire?.p999_us)],
    ["Load", cell.offered_per_s === null ? "closed loop" : `${cell.offered_per_s} per s`], ["Backlog at most", count(cell.backlog)], ["Took", millis(cell.took_ms)],
  ]);
}

function searchOf(cell) {
  const { exploration: search } = cell;
  const size = ({ holders, slots, bookings, faults }) => [[holders, "holder"], [slots, "slot"], [bookings, "booking"], [faults, "fault"]].map(([count, noun]) => counted(count, noun)).join(", ");
  const figures = definitions([
    ["Schedules", search.schedules.toLocaleString("en")], ["Distinct", search.distinct.toLocaleString("en")],
    ["A fault bit", search.bit.toLocaleString("en")], ["While a lock was held", search.bit_held.toLocaleString("en")],
    ["Virtual time", millis(search.virtual_ms)], ["Took", millis(search.took_ms)],
  ]);
  const found = search.found;
  return [
    figures,
    search.buggify ? h("p", { class: "note" }, `Random faults: ${search.buggify}`) : null,
    found ? h("p", { class: "reasons" }, `Broken by schedule ${found.schedule}, made smaller from ${size(found.before)} to ${size(found.after)}; seed ${found.seed}.`) : null,
  ];
}

/** A violation as a picture, and the same in words. */
function drawing({ title, template, steps }) {
  const picture = document.getElementById(template).content.cloneNode(true);
  return h("figure", { class: "drawing" },
    h("p", {}, title),
    h("div", { class: "space-time", tabindex: "0", role: "region", "aria-label": "Space-time diagram; the same in words below" }, picture),
    h("details", {}, h("summary", {}, "In words"), table(title, [
      ["Second", "figure", ([at]) => at], ["Who", "name", ([, who]) => who],
      ["What", "long", ([, , what]) => what.includes("←") ? h("span", { class: "proof" }, what) : what],
    ], steps)));
}

function layersOf(cell) {
  const words = { valid: "held", unknown: "undecided", violated: "violated" };
  const tones = { valid: "good", unknown: "doubt", violated: cell.status === "met" ? "control" : "bad" };
  const verdict = (value) => h("span", { class: `tag ${tones[value]}` }, words[value]);
  return [
    table("The worst verdict of each layer", [
      ["Layer", "name", ([, name]) => name], ["Verdict", "", ([key]) => verdict(cell.layers[key])],
      ["What was found", "long", ([key]) => cell.findings.filter((finding) => finding.layer === key && finding.count > 0).map(found)],
    ], LAYERS),
  ];
}

function found({ checker, count, sentences }) {
  const more = count > sentences.length ? h("li", { class: "note" }, `and ${counted(count - sentences.length, "more")}`.replace("mores", "more")) : null;
  return h("div", {}, h("span", { class: "note" }, `${checker}: ${count}`), h("ul", { class: "reasons" }, sentences.map((sentence) => h("li", {}, sentence)), more));
}
