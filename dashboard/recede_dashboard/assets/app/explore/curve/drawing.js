/** The curve as a drawing: axes, line with its band, marks, the lossless point; in words, too. */

import { svg } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { losslessFloor, losslessRatio } from "../../pruning/accuracy.js";

export const CURVE_TITLES = {
  ratio: "share of the neurons removed", macs: "share of the MACs saved", params: "share of the parameters saved",
};

/** "91.20 % ± 0.45 points, estimated from 760 of 6,000 images". */
export function pointWords({ kind, value, n, n_split: whole, split_low: low, split_high: high }) {
  const shown = format.percent(value, whole);
  if (kind === "measured") return `${shown}, measured on ${format.integer(n)} images`;
  const half = (50 * (high - low)).toFixed(2);
  return `${shown} ± ${half} points, estimated from ${format.integer(n)} of ${format.integer(whole)} images`;
}

/** Grid, numbers and the name of the horizontal axis. */
export function curveAxes(plot, x) {
  const out = [];
  const step = plot.high - plot.low > 0.5 ? 0.2 : plot.high - plot.low > 0.2 ? 0.1 : 0.05;
  for (let value = Math.ceil(plot.low / step - 1e-9) * step; value <= plot.high + 1e-9; value += step) {
    const y = Math.round(plot.y(value)) + 0.5;
    out.push(svg("line", { class: "rx-grid", x1: plot.left, x2: plot.right, y1: y, y2: y }),
      svg("text", { x: plot.left - 8, y: y + 4, "text-anchor": "end", text: `${Math.round(100 * value)} %` }));
  }
  for (let share = 0; share <= 1.001; share += 0.2) {
    out.push(svg("text", { x: plot.x(share), y: plot.bottom + 15, "text-anchor": share > 0.99 ? "end" : "middle", text: `${Math.round(100 * share)} %` }));
  }
  out.push(svg("text", { x: plot.left, y: plot.bottom + 31, text: CURVE_TITLES[x] }));
  return out;
}

/** Line, band and marks through points with their place `x`. */
export function curveShapes(plot, at) {
  const path = (list) => list.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  const upper = at.map((point) => [point.x, plot.y(point.accuracy.high)]);
  const lower = at.map((point) => [point.x, plot.y(point.accuracy.low)]).reverse();
  return {
    band: svg("path", { class: "rx-band-area", d: at.length ? `${path([...upper, ...lower])}Z` : "" }),
    line: svg("path", { class: "rx-curve-line", d: path(at.map((point) => [point.x, plot.y(point.accuracy.value)])) }),
    // Filled: measured on the whole split; hollow: estimated from a part of it.
    marks: at.map((point) => svg("circle", {
      class: "rx-point", "data-kind": point.accuracy.kind, cx: point.x, cy: plot.y(point.accuracy.value), r: 2.2,
    }, svg("title", { text: `${format.share(point.ratio)} removed: ${pointWords(point.accuracy)}` }))),
  };
}

/** The lossless mark and the floor that defines it: one standard error under the uncut network. */
export function losslessMark(plot, points) {
  const ratio = losslessRatio(points);
  if (ratio === null) return [];
  const [dense, point] = [points[0], points.findLast((one) => one.ratio === ratio)];
  const floor = losslessFloor(dense.accuracy);
  const [x, y] = [point.x, plot.y(floor)];
  const turn = x > plot.left + 110; // left of the mark the curve is still high: room for words
  return [
    svg("line", { class: "rx-floor", x1: plot.left, x2: plot.right, y1: y, y2: y },
      svg("title", { text: "Uncut accuracy less one standard error" })),
    svg("line", { class: "rx-lossless", x1: x, x2: x, y1: plot.y(point.accuracy.value), y2: plot.bottom }),
    svg("text", {
      class: "rx-lossless-text", x: x + (turn ? -6 : 6), y: plot.bottom - 7, "text-anchor": turn ? "end" : "start",
      text: `lossless ${format.share(ratio)}`,
    }),
  ];
}

/** Cuts that were measured alone. */
export function singleMarks(plot, others) {
  return others.map((one) => svg("rect", {
    class: "rx-single", width: 6, height: 6, x: -3, y: -3,
    transform: `translate(${one.x} ${plot.y(one.accuracy.value)}) rotate(45)`,
  }));
}
