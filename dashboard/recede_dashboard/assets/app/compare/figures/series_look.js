/** How each series looks: colour, dash and sign, so that no two are told apart by colour alone. */

import { svg } from "../../lib/elements.js";

/** The signs of series 0 to 7: around (0, 0), and as Plotly names them. */
const SIGNS = [
  ["M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z", "circle"], ["M0 -6L6 0L0 6L-6 0Z", "diamond"],
  ["M-4.5 -4.5H4.5V4.5H-4.5Z", "square"], ["M0 -5.5L5.5 4.5H-5.5Z", "triangle-up"],
  ["M-2 -6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z", "cross"], ["M0 5.5L5.5 -4.5H-5.5Z", "triangle-down"],
  ["M-3 -5.5H3L6 0L3 5.5H-3L-6 0Z", "hexagon2"], ["M-6 -5L0 -1L6 -5V5L0 1L-6 5Z", "bowtie"],
];
const DASHES = ["solid", "7px,3px", "2px,2.5px", "9px,3px,2px,3px", "12px,3px", "4px,2px", "9px,3px,2px,3px,2px,3px", "1px,4px"];

/** A series as Plotly draws it. @param {number} number @param {Element} node  on the page, for its colours */
export function seriesLook(number, node) {
  const at = number % SIGNS.length;
  const colour = getComputedStyle(node).getPropertyValue(`--cmp-${at}`).trim();
  return { colour, dash: DASHES[at], symbol: SIGNS[at][1] };
}

export const seriesSign = (number, more = {}) =>
  svg("path", { class: "cmp-sign", "data-series": number, d: SIGNS[number % SIGNS.length][0], ...more });
