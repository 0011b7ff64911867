/** The drawing of accuracy against cost: axes, signs and the front. */

import { niceStep } from "../../charts/arithmetic.js";
import { drawLine } from "../../charts/canvas.js";

const WORDS = { dense: "uncut", curve: "curve", single: "single", estimated: "estimated", child: "fine-tuned" };

/** "20.00 M" → "20 M": ticks are round. */
const short = (text) => text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

export function paretoAxes(g, plot, what, text, colours) {
  g.font = `11px ${colours.font}`;
  g.lineWidth = 1;
  g.strokeStyle = colours.line;
  g.fillStyle = colours.muted;
  g.textAlign = "right";
  g.textBaseline = "middle";
  const step = plot.high - plot.low > 0.5 ? 0.2 : plot.high - plot.low > 0.2 ? 0.1 : 0.05;
  for (let value = Math.ceil(plot.low / step - 1e-9) * step; value <= plot.high + 1e-9; value += step) {
    const y = Math.round(plot.y(value)) + 0.5;
    drawLine(g, plot.left, y, plot.right, y);
    g.fillText(`${Math.round(100 * value)} %`, plot.left - 7, y);
  }
  const wanted = Math.max(2, Math.floor((plot.right - plot.left) / 90));
  const tick = niceStep(plot.most, wanted);
  g.textBaseline = "top";
  for (let value = 0; value <= plot.most; value += tick) {
    g.textAlign = value === 0 ? "left" : "center";
    g.fillText(value === 0 ? "0" : short(text(value)), plot.x(value), plot.bottom + 5);
  }
  g.textAlign = "left";
  g.textBaseline = "bottom";
  g.fillText(what, plot.left, plot.height - 1);
}

/** Right of the axis title: what each sign is. */
export function paretoLegend(g, plot, kinds, signs, colours) {
  let x = plot.right;
  g.textAlign = "right";
  g.textBaseline = "middle";
  for (const kind of [...kinds].reverse()) {
    g.fillStyle = colours.muted;
    g.fillText(WORDS[kind], x, plot.height - 7);
    x -= g.measureText(WORDS[kind]).width + 9;
    drawSign(g, signs[kind][0], x, plot.height - 7, colours);
    x -= 14;
  }
}

/** Steps: with that many MACs no measured network is better. */
export function drawFront(g, plot, front, colours) {
  if (!front.length) return;
  g.beginPath();
  front.forEach((dot, i) => {
    const [x, y] = [plot.x(dot.cost), plot.y(dot.accuracy.value)];
    if (i) g.lineTo(x, plot.y(front[i - 1].accuracy.value));
    else g.moveTo(x, plot.bottom);
    g.lineTo(x, y);
  });
  g.lineTo(plot.right, plot.y(front[front.length - 1].accuracy.value));
  g.strokeStyle = colours.kept;
  g.globalAlpha = 0.55;
  g.lineWidth = 1.4;
  g.stroke();
  g.globalAlpha = 1;
}

/** A sign of about nine pixels. */
export function drawSign(g, kind, x, y, colours) {
  const colour = kind === "triangle" ? colours.cut : colours.kept;
  g.beginPath();
  if (kind === "circle" || kind === "hollow") g.arc(x, y, 3.4, 0, 2 * Math.PI);
  else if (kind === "square") g.rect(x - 3.6, y - 3.6, 7.2, 7.2);
  else {
    const points = kind === "triangle" ? [[0, -5], [4.6, 3.6], [-4.6, 3.6]] : [[0, -4.8], [4.8, 0], [0, 4.8], [-4.8, 0]];
    points.forEach(([dx, dy], i) => (i ? g.lineTo(x + dx, y + dy) : g.moveTo(x + dx, y + dy)));
    g.closePath();
  }
  g.fillStyle = kind === "hollow" ? colours.surface : colour;
  g.fill();
  g.lineWidth = 1.3;
  g.strokeStyle = kind === "hollow" ? colour : colours.surface;
  g.stroke();
}
