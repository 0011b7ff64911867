/** Small drawings that several views share: epoch axis, frames, hatching of what is unknown. */

import { niceStep } from "./arithmetic.js";

const HATCH_PX = 6;

export const middle = (plot, e) => plot.left + (e + 0.5) * plot.cellWidth;

/** Epoch numbers under columns, a round step apart. */
export function epochTicks(g, plot, epochs, colours) {
  g.font = `11px ${colours.font}`;
  g.fillStyle = colours.muted;
  g.strokeStyle = colours.line;
  g.lineWidth = 1;
  g.textAlign = "center";
  g.textBaseline = "top";
  const wanted = Math.max(2, (plot.right - plot.left) / 52);
  const step = Math.max(1, niceStep(epochs[epochs.length - 1] - epochs[0] || 1, wanted));
  epochs.forEach((epoch, e) => {
    if (epoch % step) return;
    const x = middle(plot, e);
    drawLine(g, x, plot.bottom + 1, x, plot.bottom + 4);
    g.fillText(String(epoch), x, plot.bottom + 6);
  });
  g.textAlign = "right";
  g.textBaseline = "bottom";
  g.fillText("epoch", plot.right, plot.height - 1);
}

/** The chosen epoch on the axis, over the ticks beside it. */
export function epochMark(g, plot, e, epoch, colours) {
  const x = middle(plot, e);
  g.font = `600 11px ${colours.font}`;
  const width = g.measureText(String(epoch)).width + 10;
  const left = Math.min(plot.right - width, Math.max(plot.left, x - width / 2));
  g.fillStyle = colours.ink;
  g.fillRect(left, plot.bottom + 4, width, 15);
  g.fillStyle = colours.surface;
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.fillText(String(epoch), left + width / 2, plot.bottom + 12);
}

/** A frame that is seen on light and dark cells: ink with a halo of the ground. */
export function drawFrame(g, x, y, width, height, colours, weight) {
  g.lineWidth = weight + 2;
  g.strokeStyle = colours.surface;
  g.strokeRect(x - 0.5, y - 0.5, Math.max(2, width), Math.max(2, height));
  g.lineWidth = weight;
  g.strokeStyle = colours.ink;
  g.strokeRect(x - 0.5, y - 0.5, Math.max(2, width), Math.max(2, height));
}

export function drawLine(g, x0, y0, x1, y1) {
  g.beginPath();
  g.moveTo(x0, y0);
  g.lineTo(x1, y1);
  g.stroke();
}

/** Slanted strokes in a rectangle: nothing was measured there. */
export function drawHatch(g, x, y, width, height, colour) {
  g.strokeStyle = colour;
  g.lineWidth = 1;
  const gap = 6;
  const first = Math.ceil((x + y) / gap) * gap; // one pattern over all cells
  g.beginPath();
  for (let sum = first; sum < x + width + y + height; sum += gap) {
    const x0 = Math.max(x, sum - y - height);
    const x1 = Math.min(x + width, sum - y);
    if (x1 <= x0) continue;
    g.moveTo(x0, sum - x0);
    g.lineTo(x1, sum - x1);
  }
  g.stroke();
}

/** Removed: a wash, hatching and a firm top edge, so that colour is not the only sign. */
export function drawCut(g, x, y, width, height, colour, pattern) {
  g.globalAlpha = 0.26;
  g.fillStyle = colour;
  g.fillRect(x, y, width, height);
  g.globalAlpha = 1;
  if (pattern) {
    g.fillStyle = pattern;
    g.fillRect(x, y, width, height);
  } else drawHatch(g, x, y, width, height, colour);
  g.fillStyle = colour;
  g.fillRect(x, y, width, 1.5);
}

let patterns = { key: "", pattern: null };

/** The hatching as a pattern; null where there are none, as in a drawing that is saved as SVG. */
export function hatching(g, colour, ratio) {
  if (g.isPicture) return null;
  const key = `${colour} ${ratio}`;
  if (patterns.key === key) return patterns.pattern;
  const tile = document.createElement("canvas");
  tile.width = tile.height = Math.round(HATCH_PX * ratio);
  const t = tile.getContext("2d");
  t.strokeStyle = colour;
  t.lineWidth = 1.3 * ratio;
  const s = tile.width;
  for (const shift of [-s, 0, s]) drawLine(t, shift, s, shift + s, 0);
  const pattern = g.createPattern(tile, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / ratio));
  patterns = { key, pattern };
  return pattern;
}
