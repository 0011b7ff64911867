/** Dots of a beeswarm: where they lie so that none covers another, and how they look. */

import * as format from "../../format/numbers.js";

/** @import { Colours } from "../types.js" */

const RADII = [5, 4.2, 3.5, 2.8, 2.2, 1.7, 1.3];

/**
 * Places of dots that do not overlap as long as there is room: sorted into columns as wide as
 * a dot, each column piled up from the middle line outwards. Returns {x, y, radius}.
 */
export function swarmPlaces(places, plot) {
  const height = plot.bottom - plot.top - 6;
  for (const radius of RADII) {
    const width = 2 * radius + 0.6;
    const columns = new Map();
    for (const x of places) {
      const column = Math.round(x / width);
      columns.set(column, (columns.get(column) || 0) + 1);
    }
    const most = Math.max(...columns.values());
    if (most * width <= height || radius === RADII[RADII.length - 1]) {
      return pile(places, plot, radius, width, Math.min(width, height / most));
    }
  }
  return null;
}

/** @param {number} radius @param {number} width */
function pile(places, plot, radius, width, step) {
  const middle = (plot.top + plot.bottom) / 2;
  const y = new Float32Array(places.length);
  const used = new Map();
  places.forEach((place, i) => {
    const column = Math.round(place / width);
    const at = used.get(column) || 0;
    used.set(column, at + 1);
    // 0, 1, −1, 2, −2 … steps from the middle; every other column half a step off it.
    const level = (at % 2 ? 1 : -1) * Math.ceil(at / 2) + (Math.abs(column) % 2 ? 0.5 : 0);
    y[i] = middle + level * step;
  });
  return { x: Float32Array.from(places), y, radius };
}

/**
 * A filled dot is kept, a cross goes; two paths for all of them. Returns how many of each.
 * @param {CanvasRenderingContext2D} g @param {{x: ArrayLike<number>, y: ArrayLike<number>, radius: number}} dots in pixels
 * @param {(i: number) => boolean} gone @param {Colours} colours
 */
export function paintSwarm(g, { x, y, radius }, gone, colours) {
  const kept = [];
  const removed = [];
  for (let i = 0; i < x.length; i++) (gone(i) ? removed : kept).push(i);
  g.beginPath();
  for (const i of kept) {
    g.moveTo(x[i] + radius, y[i]);
    g.arc(x[i], y[i], radius - 0.2, 0, 2 * Math.PI);
  }
  g.globalAlpha = 0.85;
  g.fillStyle = colours.kept;
  g.fill();
  g.globalAlpha = 1;
  g.beginPath();
  for (const i of removed) cross(g, x[i], y[i], Math.max(1, radius * 0.72));
  g.strokeStyle = colours.cut;
  g.lineWidth = Math.max(0.9, radius * 0.34);
  g.stroke();
  return [removed.length, kept.length];
}

/** @param {CanvasRenderingContext2D} g @param {number} x @param {number} y */
function cross(g, x, y, arm) {
  g.moveTo(x - arm, y - arm);
  g.lineTo(x + arm, y + arm);
  g.moveTo(x + arm, y - arm);
  g.lineTo(x - arm, y + arm);
}

/**
 * Right of the axis title: signs and how many.
 * @param {CanvasRenderingContext2D} g @param {Colours} colours
 */
export function swarmLegend(g, plot, colours, removed, kept) {
  const y = plot.height - 7;
  g.font = `11px ${colours.font}`;
  g.textAlign = "right";
  g.textBaseline = "middle";
  g.fillStyle = colours.muted;
  const right = `${format.integer(kept)} kept`;
  g.fillText(right, plot.right, y);
  let x = plot.right - g.measureText(right).width - 9;
  g.fillStyle = colours.kept;
  g.beginPath();
  g.arc(x, y, 3.6, 0, 2 * Math.PI);
  g.fill();
  x -= 14;
  const left = `${format.integer(removed)} removed`;
  g.fillStyle = colours.muted;
  g.fillText(left, x, y);
  g.beginPath();
  cross(g, x - g.measureText(left).width - 9, y, 3);
  g.strokeStyle = colours.cut;
  g.lineWidth = 1.5;
  g.stroke();
}
