/** The signs of Compare's figures in words: a short list under each, the same in what is saved. */

import { h, svg } from "../../lib/elements.js";
import { seriesLine, seriesSign } from "./chart.js";

const NONE = { "data-series": "none" }; // the sign of no series in particular

/** Each about (0, 0), 24 wide and 12 high. */
/** @type {Record<string, () => Element[]>} */
export const SIGN_KEYS = {
  dot: () => [seriesSign(0, { class: "cmp-sign cmp-dot", ...NONE })],
  single: () => [seriesSign(0, { class: "cmp-sign cmp-single", ...NONE, transform: "scale(0.7)" })],
  front: () => [svg("path", { class: "cmp-front", d: "M-11 4H0V-3H11" })],
  band: () => [svg("path", { class: "cmp-band", ...NONE, d: "M-11 -5H11V5H-11Z" }), SIGN_KEYS.line()[0]],
  line: () => [seriesLine([[-11, 0], [11, 0]], 0, NONE)],
  out: () => [svg("text", { class: "cmp-arrow", x: 0, y: 4, "text-anchor": "middle", text: "↓ ↑" })],
  beside: () => [svg("text", { class: "cmp-arrow", x: 0, y: 4, "text-anchor": "middle", text: "← →" })],
};

/** @param {HTMLElement} list @param {string[][]} signs */
export function showSigns(list, signs) {
  list.hidden = !signs.length;
  list.replaceChildren(...signs.map(([key, text]) => h("li", {},
    svg("svg", { width: 24, height: 14, viewBox: "-12 -7 24 14", "aria-hidden": "true" }, SIGN_KEYS[key]()), text)));
}
