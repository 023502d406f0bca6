// Puts the page together: head, theme, tabs.

const report = JSON.parse(document.getElementById("report").textContent);
const state = { scenario: null };
// What is the same is said once.
for (const cell of report.cells) {
  if (cell.service_curve.length === 0) cell.service_curve = cell.response_curve;
}

function head() {
  const { manifest, extent, endings } = report;
  document.getElementById("extent").append(h("span", {}, extent),
    ...endings.map(({ count, words, tone }) => h("span", { class: `count ${tone}` }, `${count.toLocaleString("en")} ${words}`)));
  const world = manifest.world === "sim" ? "simulated" : `live, ${manifest.provider} servers`;
  const facts = [
    ["Began", manifest.started.replace("T", " ").replace("Z", " UTC")], ["Took", time(manifest.took_ns / 1000)], ["World", world],
    ["Seed", `0x${BigInt(seedText()).toString(16)}`], ["Machine", manifest.machine], ["Lockproof", manifest.version],
    ["Revision", manifest.revision?.slice(0, 12)],
  ];
  document.getElementById("provenance").append(...facts.filter(([, value]) => value)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** The seed as it is written: a number of 64 bits is more than a script's number holds. */
function seedText() {
  return /"seed":(\d+)/.exec(document.getElementById("report").textContent)[1];
}

function copyButton() {
  const button = document.getElementById("copy");
  const command = document.getElementById("command");
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = "Copied";
    } catch {
      // A page from a file may be denied the clipboard: select it instead.
      getSelection().selectAllChildren(command);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

/** Follows the system until somebody chooses. */
function themeButton() {
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const apply = () => {
    const theme = chosen ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === "dark" ? "Light theme" : "Dark theme";
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    apply();
  });
  dark.addEventListener("change", apply);
  apply();
}

function tabs(open) {
  const broken = report.cells.filter((cell) => cell.drawings.length > 0).length;
  const all = [
    ["matrix", "Matrix", report.cells.length, () => matrixPanel(report, open)],
    ["violations", "Violations", broken, () => violationsPanel(report, open)],
    ["latency", "Latency", null, () => latencyPanel(report, state)],
    ["time", "Over time", null, () => timePanel(report, state)],
    ["faults", "Faults", null, () => faultsPanel(report, state)],
    ["drivers", "Drivers and servers", null, () => driversPanel(report)],
    ["limits", "What it cannot show", report.limits.length, () => limitsPanel(report)],
  ];
  const bar = h("div", { class: "tabs", role: "tablist", "aria-label": "Parts of the report" });
  const panels = all.map(([key]) => h("section", { id: `panel-${key}`, role: "tabpanel", "aria-labelledby": `tab-${key}`, hidden: true }));
  const buttons = all.map(([key, words, number], index) => h("button", {
    type: "button", id: `tab-${key}`, role: "tab", "aria-controls": `panel-${key}`, "aria-selected": "false", tabindex: "-1", onclick: () => show(index),
  }, words, number === null ? null : h("span", { class: "number" }, number.toLocaleString("en"))));
  const show = (index) => {
    buttons.forEach((button, place) => {
      button.setAttribute("aria-selected", String(place === index));
      button.setAttribute("tabindex", place === index ? "0" : "-1");
      panels[place].hidden = place !== index;
    });
    const [key, , , build] = all[index];
    // What follows the chosen scenario is built again, since another tab may have chosen another.
    if (!panels[index].hasChildNodes() || ["latency", "time", "faults"].includes(key)) panels[index].replaceChildren(...build().filter(Boolean));
    buttons[index].scrollIntoView({ block: "nearest", inline: "nearest" });
    history.replaceState(null, "", `#${key}`);
  };
  bar.addEventListener("keydown", (event) => {
    const place = buttons.indexOf(document.activeElement);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (next === undefined || place < 0) return;
    event.preventDefault();
    const index = (next + buttons.length) % buttons.length;
    show(index);
    buttons[index].focus();
  });
  bar.append(...buttons);
  document.getElementById("panels").append(bar, ...panels);
  const asked = all.findIndex(([key]) => `#${key}` === location.hash);
  show(Math.max(asked, 0));
  // Paper has no tabs: every part is printed, one after the other.
  let before = [];
  addEventListener("beforeprint", () => {
    before = panels.map((panel) => panel.hidden);
    panels.forEach((panel, index) => { if (!panel.hasChildNodes()) panel.replaceChildren(...all[index][3]().filter(Boolean)); panel.hidden = false; });
  });
  addEventListener("afterprint", () => panels.forEach((panel, index) => { panel.hidden = before[index]; }));
}

head();
copyButton();
themeButton();
tabs(cellDialog());
document.documentElement.dataset.ready = "";
