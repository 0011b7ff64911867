/** Short messages over the view. */

import { h, named } from "../../lib/elements.js";

/** @import { Explore } from "../types.js" */

/**
 * A short message over the view, for some seconds, with one thing that can be done.
 * @param {Explore} app @param {string} words
 */
export function showToast(app, words, action, act) {
  app.els.frame.querySelector(".rx-toast")?.remove();
  const node = h("div", { ...named("toast"), class: "rx-toast", role: "status" }, h("span", { text: words }));
  const timer = setTimeout(() => node.remove(), 9000);
  if (action) {
    node.append(h("button", {
      type: "button", class: "rx-link", text: action, onclick: () => {
        clearTimeout(timer);
        node.remove();
        act();
      },
    }));
  }
  app.els.frame.append(node);
}
