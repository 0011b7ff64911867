/** The signs of Compare's figures in words: a short list under each. */

import { h, svg } from "../../lib/elements.js";
import { seriesSign } from "./series_look.js";

const NONE = { "data-series": "none" }; // the sign of no series in particular
const line = () => svg("path", { class: "cmp-line", ...NONE, d: "M-11 0H11" });

/** Each about (0, 0), 24 wide and 12 high. */
/** @type {Record<string, () => Element[]>} */
export const SIGN_KEYS = {
  dot: () => [seriesSign(0, { class: "cmp-sign cmp-dot", ...NONE })],
  single: () => [seriesSign(0, { class: "cmp-sign cmp-single", ...NONE, transform: "scale(0.7)" })],
  front: () => [svg("path", { class: "cmp-front", d: "M-11 4H0V-3H11" })],
  band: () => [svg("path", { class: "cmp-band", ...NONE, d: "M-11 -5H11V5H-11Z" }), line()],
  line: () => [line()],
  out: () => [svg("text", { class: "cmp-arrow", x: 0, y: 4, "text-anchor": "middle", text: "↓ ↑" })],
  beside: () => [svg("text", { class: "cmp-arrow", x: 0, y: 4, "text-anchor": "middle", text: "← →" })],
};

/** What Plotly draws in a legend for a sign. @param {string} sign @param {string} colour */
export function signKey(sign, colour) {
  const line = { mode: "lines", line: { color: colour, width: 1.8 } };
  const marks = (symbol, more) => ({ mode: "markers", marker: { symbol, color: colour, size: 9, ...more } });
  return {
    dot: () => marks("circle"), single: () => marks("circle-open", { size: 7 }), line: () => line,
    front: () => ({ mode: "lines", line: { color: colour, width: 1, dash: "1px,3px" } }),
    band: () => ({ ...marks("square", { size: 12, opacity: 0.3 }), ...line, mode: "lines+markers" }),
    out: () => marks("triangle-down"), beside: () => marks("triangle-left"),
  }[sign]();
}

/** @param {HTMLElement} list @param {string[][]} signs */
export function showSigns(list, signs) {
  list.hidden = !signs.length;
  list.replaceChildren(...signs.map(([key, text]) => h("li", {},
    svg("svg", { width: 24, height: 14, viewBox: "-12 -7 24 14", "aria-hidden": "true" }, SIGN_KEYS[key]()), text)));
}
