/** All epochs above the distribution, one ridge each, oldest on top: the receding at one look. */

/** @import { Colours, Histogram } from "../types.js" */

const ROW_PX = 5; // least distance of two ridges
const RISE = 5.5; // height of the highest ridge, in distances
const SOFT = 0.75;

/** At most `most` epochs, evenly spread, the first, the last and the shown one among them. */
function thin(epochs, most, shown) {
  if (epochs.length <= most) return epochs;
  const step = (epochs.length - 1) / (most - 1);
  const rows = Array.from({ length: most }, (_, i) => epochs[Math.round(i * step)]);
  // The shown epoch takes the place of its nearest neighbour, so that it is always there.
  const at = Math.round(epochs.indexOf(shown) / step);
  if (!rows.includes(shown)) rows[Math.min(most - 2, Math.max(1, at))] = shown;
  return rows;
}

/** Where each ridge stands: {epochs, baseline(i), spacing}. @param {number} epoch */
function layout(epochs, box, epoch) {
  const most = Math.max(2, Math.floor(box.height / ROW_PX - RISE));
  const shown = thin(epochs, most, epoch);
  const spacing = Math.min(14, box.height / (shown.length - 1 + RISE));
  const first = box.bottom - spacing * (shown.length - 1);
  return { epochs: shown, spacing, baseline: (i) => first + i * spacing };
}

const smoothed = (row, i) =>
  ((row[i - 1] ?? row[i]) + 2 * row[i] + (row[i + 1] ?? row[i])) / 4;

/**
 * Height that counts as one: of the epochs' highest smoothed bins, the one that four fifths do
 * not pass, so that one narrow hump of the untrained network does not flatten all that follows.
 * The two end bins, which gather what lies beyond, count apart.
 * @param {Histogram} histogram
 */
function highest(histogram) {
  if (!histogram.ridgeMax) {
    const tops = [...histogram.row.values()].map((row) => {
      let most = 1;
      for (let i = 1; i < histogram.bins - 1; i++) most = Math.max(most, smoothed(row, i));
      return most;
    }).sort((a, b) => a - b);
    histogram.ridgeMax = tops[Math.floor(0.8 * (tops.length - 1))];
  }
  return histogram.ridgeMax;
}

/** As it is up to SOFT, from there on rounded off towards one. @param {number} height */
const limited = (height) =>
  height <= SOFT ? height : SOFT + (1 - SOFT) * (1 - Math.exp(-(height - SOFT) / (1 - SOFT)));

/** @param {CanvasRenderingContext2D} g @param {number} height */
function trace(g, plot, row, baseline, height) {
  const { histogram, x, counts } = plot;
  const most = counts.share(highest(histogram));
  const width = (histogram.high - histogram.low) / histogram.bins;
  g.beginPath();
  g.moveTo(plot.left, baseline);
  for (let i = 0; i < histogram.bins; i++) {
    const middle = histogram.low + (i + 0.5) * width;
    if (middle < plot.axis.low || middle > plot.axis.high) continue;
    g.lineTo(x(middle), baseline - limited(counts.share(smoothed(row, i)) / most) * height);
  }
  g.lineTo(plot.right, baseline);
}

/**
 * Draw all ridges; the epoch that is shown below stands out.
 * @param {CanvasRenderingContext2D} g @param {number} epoch @param {Colours} colours
 */
export function drawRidges(g, plot, box, epoch, colours) {
  const rows = layout(plot.histogram.epochs, box, epoch);
  const height = rows.spacing * RISE;
  g.lineJoin = "round";
  rows.epochs.forEach((one, i) => {
    const row = plot.histogram.row.get(one);
    const current = one === epoch;
    trace(g, plot, row, rows.baseline(i), height);
    g.fillStyle = colours.surface;
    g.fill();
    if (current) {
      g.globalAlpha = 0.16;
      g.fillStyle = colours.kept;
      g.fill();
    }
    g.globalAlpha = current ? 1 : 0.28 + 0.32 * (i / rows.epochs.length);
    g.strokeStyle = current ? colours.kept : colours.muted;
    g.lineWidth = current ? 1.6 : 1;
    g.stroke();
    g.globalAlpha = 1;
  });
  labels(g, plot, rows, epoch, colours);
  return rows;
}

/**
 * Numbers of the shown, the first and the last epoch, as far as they keep apart.
 * @param {CanvasRenderingContext2D} g @param {number} epoch @param {Colours} colours
 */
function labels(g, plot, rows, epoch, colours) {
  g.font = `11px ${colours.font}`;
  g.textAlign = "right";
  g.textBaseline = "alphabetic";
  const taken = [plot.ridges.top + 8];
  for (const i of [rows.epochs.indexOf(epoch), 0, rows.epochs.length - 1]) {
    const y = rows.baseline(i) + 2;
    if (i < 0 || taken.some((other) => Math.abs(other - y) < 11)) continue;
    taken.push(y);
    g.fillStyle = rows.epochs[i] === epoch ? colours.kept : colours.muted;
    g.fillText(String(rows.epochs[i]), plot.left - 8, y);
  }
}

/** The epoch whose ridge is nearest to a height. @param {number} y */
export function epochAt(rows, y) {
  const i = Math.round((y - rows.baseline(0)) / rows.spacing);
  return rows.epochs[Math.min(rows.epochs.length - 1, Math.max(0, i))];
}
