/** One neuron over the epochs, as small as a word: its path, the threshold, where it is now. */

import { drawLine } from "../../charts/canvas.js";

const [WIDTH, HEIGHT] = [196, 52];

/** @param {HTMLCanvasElement} canvas  @param {object} of  epochs, values, now, axis, colours */
export function drawSparkline(canvas, { epochs, values, now, axis, colours }) {
  const ratio = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [WIDTH * ratio, HEIGHT * ratio];
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, WIDTH, HEIGHT);
  const [left, right, top, bottom] = [4, WIDTH - 8, 5, HEIGHT - 14];
  /** @param {number} e */
  const x = (e) => (epochs.length > 1 ? left + (e / (epochs.length - 1)) * (right - left) : (left + right) / 2);
  const clip = (at) => Math.min(axis.high, Math.max(axis.low, at));
  /** @param {number} value */
  const y = (value) => bottom - ((clip(axis.place(value)) - axis.low) / (axis.high - axis.low)) * (bottom - top);
  g.fillStyle = colours.raised;
  g.fillRect(left, top - 2, right - left, bottom - top + 4);
  if (now.line !== null && now.line !== undefined) {
    g.strokeStyle = colours.muted;
    g.setLineDash([2, 3]);
    drawLine(g, left, y(now.line), right, y(now.line));
    g.setLineDash([]);
  }
  g.beginPath();
  values.forEach((value, e) => g.lineTo(x(e), y(value)));
  g.strokeStyle = colours.kept;
  g.lineWidth = 1.5;
  g.lineJoin = "round";
  g.stroke();
  const at = epochs.indexOf(now.epoch);
  if (at >= 0) {
    g.beginPath();
    g.arc(x(at), y(values[at]), 3, 0, 2 * Math.PI);
    g.fillStyle = colours.ink;
    g.fill();
  }
  g.font = `10px ${colours.font}`;
  g.fillStyle = colours.muted;
  g.textBaseline = "bottom";
  g.textAlign = "left";
  g.fillText(`epoch ${epochs[0]}`, left, HEIGHT);
  g.textAlign = "right";
  g.fillText(String(epochs[epochs.length - 1]), right, HEIGHT);
}
