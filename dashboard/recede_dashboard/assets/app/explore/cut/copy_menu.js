/** Taking things along: actions as command, curl or Python; files to save; menus that close. */

import { copyText } from "../../lib/clipboard.js";
import { h, named } from "../../lib/elements.js";
import { snippetActions, snippetWays } from "./snippets.js";

/** The menu that shows the three ways of an action, for the cut as it is when it is opened. */
export function mountCopyMenu(app) {
  const menu = app.els.find("#copy-menu");
  const body = menu.querySelector(".rx-menu-body");
  const pick = h("select", { ...named("copy-action"), class: "rx-select rx-select-wide", "aria-label": "What to copy", onchange: () => fill() });
  const texts = h("div");
  body.replaceChildren(h("label", { class: "rx-row rx-copy-pick" }, h("span", { class: "rx-unit", text: "Copy" }), pick), texts);
  const fill = () => texts.replaceChildren(...snippetWays(app, pick.value, app.now.plan).map(([label, id, text]) =>
    h("div", { class: "rx-snippet" },
      h("div", { class: "rx-row" }, h("b", { text: label }), h("button", {
        type: "button", class: "rx-link", text: "Copy", "aria-label": `Copy as ${label}`, onclick: (event) => copyText(text, event.target),
      })),
      h("pre", { ...named(id), text }))));
  menu.addEventListener("toggle", () => {
    const { plan } = app.fresh();
    if (!menu.open || !plan) return;
    const known = snippetActions(app);
    const before = pick.value;
    pick.replaceChildren(...known.map(([value, text]) => h("option", { value, text })));
    if (known.some(([value]) => value === before)) pick.value = before;
    fill();
    above(body, menu.getBoundingClientRect());
  });
}

/** Fixed over its button, so that the column's own scrolling does not clip it. */
function above(body, button) {
  Object.assign(body.style, {
    right: `${Math.max(8, document.documentElement.clientWidth - button.right)}px`,
    bottom: `${window.innerHeight - button.top + 6}px`,
    maxHeight: `${button.top - 16}px`,
  });
}

