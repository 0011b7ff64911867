/** The natural gap: where it is now, and the trail of where it has been, epoch by epoch. */

import * as format from "../../format/numbers.js";
import { drawLine } from "../../charts/canvas.js";
import { linePlace, movingPlace } from "../epochs/motion.js";
import { gapOf } from "../state/gap.js";

/** @import { Colours, Explore } from "../types.js" */

/** The gap of what is shown, all layers or one, at an epoch. @param {Explore} app @param {number} epoch */
export const shownGap = (app, epoch) => gapOf(app.source, epoch, app.now.layer >= 0 ? app.state.layer : null);

/** Height of an epoch among the ridges, whether it has a ridge of its own or not. @param {number} epoch */
function heightOf(rows, epochs, epoch) {
  const last = rows.epochs.length - 1;
  const share = epochs.length > 1 ? epochs.indexOf(epoch) / (epochs.length - 1) : 1;
  return rows.baseline(0) + share * (rows.baseline(last) - rows.baseline(0));
}

/**
 * Trail over the ridges: a line through the gap of every epoch that has one.
 * @param {CanvasRenderingContext2D} g @param {Explore} app @param {Colours} colours
 */
export function drawGapTrail(g, app, plot, rows, colours) {
  const { epochs } = plot.histogram;
  /** @type {(?[number, number])[]} */
  const points = epochs.map((epoch) => [shownGap(app, epoch), epoch])
    .map(([gap, epoch]) => (gap === null ? null : /** @type {[number, number]} */ ([plot.x(plot.axis.place(gap)), heightOf(rows, epochs, epoch)])));
  g.save();
  for (const [colour, weight, alpha] of /** @type {[string, number, number][]} */ ([[colours.surface, 4, 0.8], [colours.gap, 1.6, 1]])) {
    g.beginPath();
    points.forEach((point, i) => {
      if (!point) return;
      if (points[i - 1]) g.lineTo(...point);
      else g.moveTo(...point);
    });
    [g.strokeStyle, g.lineWidth, g.globalAlpha, g.lineJoin] = [colour, weight, alpha, "round"];
    g.stroke();
  }
  if (epochs.length <= 60) {
    g.fillStyle = colours.gap;
    for (const point of points.filter(Boolean)) {
      g.beginPath();
      g.arc(point[0], point[1], 2.1, 0, 2 * Math.PI);
      g.fill();
    }
  }
  g.restore();
}

/**
 * Where the gap is now: a diamond on the trail and a dotted line through the bars with its value.
 * @param {CanvasRenderingContext2D} g @param {Explore} app @param {Colours} colours
 */
export function drawGapMark(g, app, plot, rows, colours) {
  const { now, motion } = app;
  const gap = shownGap(app, now.epoch);
  const place = movingPlace(app, plot.axis, motion ? shownGap(app, motion.from) : null, gap);
  if (place === null) return;
  const x = plot.x(place);
  g.save();
  g.strokeStyle = g.fillStyle = colours.gap;
  g.lineWidth = 1.3;
  g.setLineDash([1.5, 3]);
  drawLine(g, x, plot.top + 6, x, plot.bottom);
  g.setLineDash([]);
  g.beginPath();
  [[0, 0], [4.5, 7], [-4.5, 7]].forEach(([dx, dy]) => g.lineTo(x + dx, plot.bottom + dy));
  g.fill();
  if (rows) {
    const { epochs } = plot.histogram;
    const to = heightOf(rows, epochs, now.epoch);
    const from = motion ? heightOf(rows, epochs, motion.from) : to;
    const y = from + (to - from) * (motion ? motion.f : 1);
    g.beginPath();
    [[0, -5], [5, 0], [0, 5], [-5, 0]].forEach(([dx, dy]) => g.lineTo(x + dx, y + dy));
    g.closePath();
    g.fill();
    g.strokeStyle = colours.surface;
    g.stroke();
  }
  const line = linePlace(app, plot.axis);
  label(g, plot, x, `natural gap ${format.threshold(gap)}`, colours, line === null ? null : plot.x(line));
  g.restore();
}

/**
 * Beside the dotted line, on the side where neither the plot's end nor the threshold's line is in the way.
 * @param {CanvasRenderingContext2D} g @param {number} x @param {string} text @param {Colours} colours
 */
function label(g, plot, x, text, colours, line) {
  g.font = `560 11px ${colours.font}`;
  const width = g.measureText(text).width;
  const reach = width + 10;
  const crossed = line !== null && line > x && line < x + reach;
  const right = x + reach < plot.right && !(crossed && x - reach > plot.left);
  g.textAlign = right ? "left" : "right";
  g.textBaseline = "middle";
  const at = right ? x + 6 : x - 6;
  g.globalAlpha = 0.85;
  g.fillStyle = colours.surface;
  g.fillRect(right ? at - 2 : at - width - 2, plot.top + 15, width + 4, 15);
  g.globalAlpha = 1;
  g.fillStyle = colours.gap;
  g.fillText(text, at, plot.top + 23);
}
