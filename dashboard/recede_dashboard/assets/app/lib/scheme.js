/** Light, dark or as the system: remembered where Mantine looks for it, followed by the charts. */

import { setProps } from "./dash.js";

const KEY = "mantine-color-scheme-value";
const system = window.matchMedia("(prefers-color-scheme: dark)");

/** @returns {"light"|"dark"|"auto"} */
function preference() {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto";
  }
}

/** @returns {"light"|"dark"} */
export function currentScheme() {
  const wanted = preference();
  if (wanted !== "auto") return wanted;
  return system.matches ? "dark" : "light";
}

function apply() {
  const now = currentScheme();
  document.documentElement.setAttribute("data-mantine-color-scheme", now);
  setProps("mantine", { forceColorScheme: now });
  setProps("scheme", { data: now });
  markScheme();
  document.dispatchEvent(new CustomEvent("recede:scheme", { detail: { scheme: now } }));
}

export function markScheme() {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-scheme]"))) {
    button.setAttribute("aria-pressed", String(button.dataset.scheme === preference()));
  }
}

document.addEventListener("click", (event) => {
  const button = /** @type {?HTMLElement} */ (/** @type {Element} */ (event.target).closest?.("[data-scheme]"));
  if (!button) return;
  try {
    localStorage.setItem(KEY, button.dataset.scheme ?? "auto");
  } catch {
    /* without storage the choice holds for this page only */
  }
  apply();
});
system.addEventListener("change", () => {
  if (preference() === "auto") apply();
});
