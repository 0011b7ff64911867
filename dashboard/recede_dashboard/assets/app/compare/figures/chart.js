/** A small chart as SVG: axes with a grid, lines, bands, dots; for the figures of Compare. */

import { svg } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { niceStep } from "../../charts/arithmetic.js";
import { placeBeside } from "../series/statistics.js";

const MARGIN = { left: 52, right: 16, top: 12, bottom: 40 };

/** Ticks at 1, 2 or 5 times a power of ten, about `count` of them. */
export function chartTicks(low, high, count) {
  const step = niceStep(high - low, count);
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) out.push(i * step + 0); // no −0
  return out;
}

/** Places of data on a canvas of this size. */
export function chartPlane(width, height, { x, y }) {
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
  const place = ([low, high], from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);
  const side = (value, [low, high]) => (value < low ? -1 : value > high ? 1 : 0);
  return {
    width, height, left, right, top, bottom, x: place(x, left, right), y: place(y, bottom, top),
    beyond: (value) => side(value, y), beyondX: (value) => side(value, x),
  };
}

/** Grid, tick words and the name of the horizontal axis. */
export function chartAxes(plot, { x, y, xWord, yWord, title }) {
  const out = [];
  for (const value of y) {
    const at = Math.round(plot.y(value)) + 0.5;
    out.push(svg("line", { class: "cmp-grid", x1: plot.left, x2: plot.right, y1: at, y2: at }),
      svg("text", { x: plot.left - 8, y: at + 4, "text-anchor": "end", text: yWord(value) }));
  }
  for (const value of x) {
    const at = plot.x(value);
    out.push(svg("text", { x: at, y: plot.bottom + 16, "text-anchor": at > plot.right - 12 ? "end" : "middle", text: xWord(value) }));
  }
  out.push(svg("text", { class: "cmp-axis", x: plot.left, y: plot.bottom + 33, text: title }));
  return out;
}

/** What reaches out of the axes is cut off there. */
export function clippedTo(plot, id, ...children) {
  const { left, right, top, bottom } = plot;
  const rect = svg("rect", { x: left - 8, y: top - 8, width: right - left + 16, height: bottom - top + 9 });
  return [svg("clipPath", { id }, rect), svg("g", { "clip-path": `url(#${id})` }, ...children)];
}

/** A number of a tick, without the zeros that all of them end with. */
export const shortNumber = (value) =>
  format.compact(value).replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

const path = (places) => places.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");

/**
 * A line of one series; its dash tells it apart without colour.
 * @param {number[][]} places @param {number} number @param {object} [more]
 */
export const seriesLine = (places, number, more = {}) =>
  svg("path", { class: "cmp-line", "data-series": number, d: path(places), ...more });

export const seriesBand = (upper, lower, number) =>
  svg("path", { class: "cmp-band", "data-series": number, d: `${path([...upper, ...lower.reverse()])}Z` });

/** The signs of series 0 to 7, around (0, 0). */
const SIGNS = [
  "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0Z", "M0 -6L6 0L0 6L-6 0Z", "M-4.5 -4.5H4.5V4.5H-4.5Z", "M0 -5.5L5.5 4.5H-5.5Z",
  "M-2 -6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z", "M0 5.5L5.5 -4.5H-5.5Z", "M-3 -5.5H3L6 0L3 5.5H-3L-6 0Z", "M-6 -5L0 -1L6 -5V5L0 1L-6 5Z",
];
export const seriesSign = (number, more = {}) =>
  svg("path", { class: "cmp-sign", "data-series": number, d: SIGNS[number % SIGNS.length], ...more });

const PILL = 18; // its height
export const pillWidth = (text) => 24 + 6.6 * text.length;

/** A value that lies beyond the axis, at its edge: the sign of its series, an arrow, the number. */
export function edgePill(number, x, y, text, data = {}) {
  const width = pillWidth(text);
  return svg("g", { class: "cmp-out", "data-series": number },
    svg("rect", { x: x - width / 2, y: y - PILL / 2, width, height: PILL, rx: 4 }),
    seriesSign(number, { class: "cmp-sign cmp-dot", ...data, transform: `translate(${(x - width / 2 + 11).toFixed(1)} ${y.toFixed(1)})` }),
    svg("text", { x: x - width / 2 + 20, y: y + 4, text }));
}

/**
 * Dots over or under the axis, as pills beside each other; a thin line leads to where each lies.
 * @param {{number: number, x: number, side: number, text: string, data: object}[]} dots
 */
export function outsidePills(plot, dots) {
  return [-1, 1].flatMap((side) => {
    const here = dots.filter((dot) => dot.side === side);
    const wanted = here.map((dot) => ({ at: dot.x, width: pillWidth(dot.text) }));
    const [edge, inwards] = side < 0 ? [plot.bottom, -1] : [plot.top, 1];
    const rows = placeBeside(wanted, plot.left, plot.right).map(({ x, row }, i) => {
      const y = edge + inwards * (PILL / 2 + 6 + row * (PILL + 3));
      const { number, text, data } = here[i];
      const d = `M${here[i].x.toFixed(1)} ${edge}L${x.toFixed(1)} ${y - inwards * (PILL / 2)}`;
      return [svg("path", { class: "cmp-lead", "data-series": number, d }), edgePill(number, x, y, text, data)];
    });
    return [...rows.map(([lead]) => lead), ...rows.map(([, one]) => one)]; // no line over a number
  });
}
