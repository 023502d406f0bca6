// Uses the page as a person would, and writes down what it saw.
(() => {
  const seen = { errors: [], requests: [], clicked: 0, keyed: 0, empty: [], too_wide: [], same_ids: [], dialog: false };
  addEventListener("error", (event) => seen.errors.push(event.message));
  addEventListener("securitypolicyviolation", (event) => seen.errors.push(event.blockedURI));
  seen.opened_ms = performance.now();
  if (!("ready" in document.documentElement.dataset)) seen.errors.push("the page is not ready");
  const tabs = [...document.querySelectorAll('[role="tab"]')];
  const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  const isShown = (tab) => tab.getAttribute("aria-selected") === "true" && !panel(tab).hidden
    && tabs.every((other) => other === tab || panel(other).hidden);
  for (const tab of tabs) {
    tab.click();
    if (isShown(tab)) seen.clicked += 1;
    if (panel(tab).textContent.trim() === "") seen.empty.push(tab.id);
    if (document.documentElement.scrollWidth > innerWidth) seen.too_wide.push(tab.id);
  }
  tabs.at(-1).focus();
  for (const tab of tabs) {
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    if (document.activeElement === tab && isShown(tab)) seen.keyed += 1;
  }
  tabs[0].click();
  panel(tabs[0]).querySelector(".matrix button, .chip").click();
  seen.dialog = document.querySelector("dialog").open;
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  seen.same_ids = ids.filter((id, index) => ids.indexOf(id) !== index);
  seen.requests = performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => !name.startsWith("data:"));
  const printed = document.createElement("pre");
  printed.id = "seen";
  // A moment later, so that what is drawn when its size is known has been drawn, and may have failed.
  setTimeout(() => {
    printed.textContent = JSON.stringify(seen);
    document.body.append(printed);
  }, 300);
})();
