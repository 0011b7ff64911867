/** The sign “?” of a view: what its word means, from the glossary of all pages. */

import { h } from "../../lib/elements.js";
import { giveTerm } from "../../lib/page/terms.js";

/**
 * A sign that can be reached with Tab.
 * @param {string|(() => string)} given  name of the term, or what says it when it is shown
 */
export function termSign(given) {
  const node = h("button", { type: "button", class: "rx-term-sign", "aria-label": "What is this?", text: "?" });
  giveTerm(node, typeof given === "function" ? given : () => given);
  return node;
}
