/** Prunability map: the accuracy of every ratio at every epoch, and how much is free of loss. */

import { setAttributes, setText } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";
import * as format from "../../format/numbers.js";
import { standardError } from "../../pruning/accuracy.js";
import { drawFrame, drawHatch, drawLine, epochMark, epochTicks } from "../../charts/canvas.js";
import { colourScale, scaleLegend } from "../../charts/colour_scale.js";
import { termSign } from "./term_sign.js";
import { View } from "./view.js";

/** @import { Colours, Explore } from "../types.js" */

const MARGIN = { left: 56, right: 60, top: 6, bottom: 34 };
const RETRY_MS = 1500; // the least time between two fetches while points come in

export class PrunabilityMap extends View {
  /** @param {Explore} app */
  constructor(app) {
    super(app, { id: "map", title: "Prunability map" });
    this.version = 0;
    this.onEvent = ({ detail }) => {
      if (detail?.run_id !== app.runId || !["map", "evaluation", "epoch", "checkpoint"].includes(detail.type)) return;
      clearTimeout(this.later);
      this.later = setTimeout(() => {
        this.version++;
        app.dirty();
      }, RETRY_MS);
    };
    document.addEventListener("recede:event", this.onEvent);
    this.tools.append(termSign("prunability"));
  }

  destroy() {
    super.destroy();
    clearTimeout(this.later);
    document.removeEventListener("recede:event", this.onEvent);
  }

  get scope() {
    const { state } = this.app;
    return state.by === "threshold" ? "global" : state.scope;
  }

  before() {
    const { state, blobs, source } = this.app;
    const query = new URLSearchParams({ criterion: state.criterion || "importance", scope: this.scope, bias: state.bias || "drop" });
    this.entry = blobs.get(`/map?${query}`, `${this.version} ${source.epochs.length} ${source.weights.length}`, (answer) => answer.json());
    if (this.entry.data !== this.read) {
      this.read = this.entry.data;
      this.grid = this.read && gridOf(this.read);
    }
    setText(this.note, this.noteWords());
    setAttributes(this.section, { "data-points": this.grid?.points, "data-epochs": this.grid?.epochs.length });
  }

  noteWords() {
    const { grid } = this;
    if (!grid?.points) return "";
    const whole = grid.epochs.length * grid.ratios.length;
    const cells = grid.points < whole ? `${format.integer(grid.points)} of ${format.integer(whole)} cells` : `${format.integer(whole)} cells`;
    const [low, high] = grid.n;
    return `ratio removed · ${cells}, n = ${low === high ? format.integer(low) : `${format.integer(low)} to ${format.integer(high)}`} · line: within noise of the uncut network`;
  }

  status() {
    const { source, now } = this.app;
    if (this.grid?.points) return null;
    const { error } = this.entry;
    if (error) return { state: "error", words: errorWords(error) };
    if (source.offline) return { state: "error", words: "The server does not answer. The map appears once it is back." };
    if (!this.grid) return { state: "loading", words: "Loading the map…" };
    return {
      words: now.finished
        ? "No map was measured for this criterion, scope and constant output. Maps are measured during training, within the time budget."
        : "The map grows during training: after each epoch several ratios are measured on part of the validation images.",
    };
  }

  /** @param {number} width @param {number} height */
  geometry(width, height) {
    const { grid } = this;
    if (width < 140 || height < 70) return null;
    const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
    const cellHeight = (bottom - top) / grid.ratios.length;
    return {
      width, height, left, right, top, bottom, epochs: grid.epochs, cellHeight,
      cellWidth: (right - left) / grid.epochs.length,
      y: (r) => bottom - (r + 1) * cellHeight, // the upper edge: more removed is higher
    };
  }

  baseKey() {
    return `${this.scope} ${this.entry.version} ${this.grid.points}`;
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintBase(g, colours) {
    const { plot, grid } = this;
    const palette = colourScale("kept", colours);
    const [gx, gy] = [plot.cellWidth > 6 ? 1 : 0, plot.cellHeight > 6 ? 1 : 0];
    const [low, high] = grid.range;
    grid.epochs.forEach((_epoch, e) => grid.ratios.forEach((_ratio, r) => {
      const [x, y] = [plot.left + e * plot.cellWidth, plot.y(r)];
      const point = grid.at(e, r);
      if (!point) return drawHatch(g, x, y, plot.cellWidth - gx, plot.cellHeight - gy, colours.line);
      g.fillStyle = palette.css[Math.round(255 * (high > low ? (point.accuracy.value - low) / (high - low) : 1))];
      g.fillRect(x, y, plot.cellWidth - gx, plot.cellHeight - gy);
    }));
    this.isoline(g, colours);
    epochTicks(g, plot, grid.epochs, colours);
    this.axes(g, colours);
    scaleLegend(g, { x: plot.right + 10, top: plot.top, bottom: plot.bottom, width: 8 }, palette, colours, [
      `${Math.round(100 * low)}${format.THIN}%`, `${Math.round(100 * high)}${format.THIN}%`]);
  }

  /**
   * Below the line every measured ratio is within the noise of the uncut network.
   * @param {CanvasRenderingContext2D} g @param {Colours} colours
   */
  isoline(g, colours) {
    const { plot, grid } = this;
    const tops = grid.lossless.map((r) => (r < 0 ? null : plot.y(r)));
    for (const [weight, colour] of /** @type {[number, string][]} */ ([[4.5, colours.surface], [2, colours.ink]])) {
      g.beginPath();
      let open = false;
      tops.forEach((y, e) => {
        if (y === null) {
          open = false;
          return;
        }
        const x = plot.left + e * plot.cellWidth;
        if (open) g.lineTo(x, y);
        else g.moveTo(x, y);
        g.lineTo(x + plot.cellWidth, y);
        open = true;
      });
      g.lineJoin = "round";
      g.lineWidth = weight;
      g.strokeStyle = colour;
      g.stroke();
    }
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  axes(g, colours) {
    const { plot, grid } = this;
    g.font = `11px ${colours.font}`;
    g.fillStyle = colours.muted;
    g.textAlign = "right";
    g.textBaseline = "middle";
    let last = Infinity;
    grid.ratios.forEach((ratio, r) => {
      const y = plot.y(r) + plot.cellHeight / 2;
      if (last - y < 13) return;
      last = y;
      g.fillText(`${Number((100 * ratio).toPrecision(3))} %`, plot.left - 7, y);
    });
    // A tick under each epoch whose weights are there to be cut.
    g.fillStyle = colours.kept;
    grid.epochs.forEach((epoch, e) => {
      if (grid.kept.has(epoch)) g.fillRect(plot.left + e * plot.cellWidth + 1, plot.bottom + 1, Math.max(1.5, plot.cellWidth - 3), 2);
    });
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintLive(g, colours) {
    const { plot, grid } = this;
    const { now } = this.app;
    const e = nearest(grid.epochs, now.epoch);
    const asked = now.asked ?? now.selection?.ratio;
    g.save();
    g.setLineDash([3, 3]);
    g.lineWidth = 1.2;
    g.strokeStyle = colours.ink;
    if (asked !== undefined) {
      const y = this.heightOf(asked);
      for (const [colour, weight] of /** @type {[string, number][]} */ ([[colours.surface, 3], [colours.ink, 1.2]])) {
        [g.strokeStyle, g.lineWidth] = [colour, weight];
        drawLine(g, plot.left, y, plot.right, y);
      }
    }
    g.setLineDash([]);
    if (e >= 0) {
      drawFrame(g, plot.left + e * plot.cellWidth, plot.top, plot.cellWidth, plot.bottom - plot.top, colours, 1);
      epochMark(g, plot, e, now.epoch, colours);
    }
    if (this.hover) drawFrame(g, plot.left + this.hover.e * plot.cellWidth, plot.y(this.hover.r), plot.cellWidth, plot.cellHeight, colours, 2);
    g.restore();
  }

  /** Height of any ratio: in proportion between the middles of the two rows beside it. @param {number} ratio */
  heightOf(ratio) {
    const { plot, grid } = this;
    /** @param {number} r */
    const middle = (r) => plot.y(r) + plot.cellHeight / 2;
    const next = grid.ratios.findIndex((one) => one >= ratio);
    if (next < 0) return middle(grid.ratios.length - 1);
    if (next === 0) return middle(0);
    const [a, b] = [grid.ratios[next - 1], grid.ratios[next]];
    return middle(next - 1) + ((ratio - a) / (b - a)) * (middle(next) - middle(next - 1));
  }

  /** @param {number} e @param {number} r */
  target(e, r) {
    const { plot } = this;
    return { e, r, key: `${e} ${r}`, x: plot.left + (e + 0.5) * plot.cellWidth, y: plot.y(r) + plot.cellHeight / 2 };
  }

  /** @param {number} x @param {number} y */
  hit(x, y) {
    const { plot, grid } = this;
    const e = Math.floor((x - plot.left) / plot.cellWidth);
    const r = Math.floor((plot.bottom - y) / plot.cellHeight);
    return e < 0 || r < 0 || e >= grid.epochs.length || r >= grid.ratios.length ? null : this.target(e, r);
  }

  start() {
    const { now } = this.app;
    return this.target(Math.max(0, nearest(this.grid.epochs, now.epoch)), nearest(this.grid.ratios, now.asked ?? 0.5));
  }

  /** @param {{e: number, r: number}} place @param {number} dx @param {number} dy */
  moved({ e, r }, dx, dy) {
    /** @param {number} value @param {number} size */
    const within = (value, size) => Math.min(size - 1, Math.max(0, value));
    return this.target(within(e + dx, this.grid.epochs.length), within(r - dy, this.grid.ratios.length));
  }

  tell({ e, r }) {
    const { grid } = this;
    const epoch = grid.epochs[e];
    const title = `Epoch ${epoch}, ratio ${Number((100 * grid.ratios[r]).toPrecision(4))} %`;
    const weights = ["weights", grid.kept.has(epoch) ? "kept" : "not kept, view only"];
    const point = grid.at(e, r);
    if (!point) return { title, rows: [["accuracy", "not measured"], weights] };
    const { accuracy } = point;
    return {
      title,
      rows: [
        ["accuracy", format.percent(accuracy.value, accuracy.n)], ["95 % interval", format.interval(accuracy.low, accuracy.high, accuracy.n)],
        ["kind", `${accuracy.kind}, n = ${format.integer(accuracy.n)}`], ["removed", format.share(point.ratio)],
        ["within noise", r <= grid.lossless[e] ? "yes" : "no"], weights,
      ],
    };
  }

  pick({ e, r }) {
    this.app.scrub.stop();
    this.app.choose({ by: "ratio", ratio: Math.min(0.9999, this.grid.ratios[r]), target: null, epoch: this.grid.epochs[e] });
    this.app.released();
  }

  sentence() {
    const { grid } = this;
    const last = grid.lossless.findLastIndex((r) => r >= 0);
    const free = last < 0 ? "" : ` At epoch ${grid.epochs[last]} up to ${format.share(grid.ratios[grid.lossless[last]])} can go within the noise of the uncut network.`;
    return `Map of the validation accuracy over ${grid.ratios.length} ratios and ${grid.epochs.length} epochs.${free}`;
  }

  table() {
    const { points } = this.read;
    return {
      about: `validation accuracy, scope ${this.scope}`,
      columns: ["epoch", "ratio_asked", "ratio", "kind", "accuracy", "low", "high", "n", "params", "macs"],
      rows: points.map((one) => [one.epoch, one.ask, one.ratio, one.accuracy.kind, one.accuracy.value, one.accuracy.low, one.accuracy.high, one.accuracy.n, one.cost.params, one.cost.macs]),
    };
  }
}

/** @param {number} value */
const nearest = (list, value) =>
  list.reduce((best, one, i) => (best < 0 || Math.abs(one - value) < Math.abs(list[best] - value) ? i : best), -1);

/** The answer as a grid: points by epoch and ratio, range of the accuracies, the lossless rows. */
function gridOf({ ratios, epochs, points, kept_epochs: kept, dense }) {
  const cells = new Map(points.map((point) => [`${point.epoch} ${point.ask}`, point]));
  const sorted = [...ratios].sort((a, b) => a - b);
  /** @param {number} e @param {number} r */
  const at = (e, r) => cells.get(`${epochs[e]} ${sorted[r]}`) || null;
  const values = points.map((point) => point.accuracy.value);
  const sizes = points.map((point) => point.accuracy.n);
  const lossless = epochs.map((epoch, e) => {
    const whole = dense?.[epoch] || at(e, 0)?.accuracy;
    if (!whole || epoch === 0) return -1; // untrained, any cut is as good as none
    const floor = whole.value - standardError(Math.round(whole.value * whole.n), whole.n);
    let best = -1;
    for (let r = 0; r < sorted.length; r++) {
      const point = at(e, r);
      if (!point) continue;
      if (point.accuracy.value < floor) break;
      best = r;
    }
    return best;
  });
  return {
    ratios: sorted, epochs, at, lossless, kept: new Set(kept), points: points.length,
    range: values.length ? [Math.floor(10 * Math.min(...values)) / 10, Math.ceil(20 * Math.max(...values)) / 20] : [0, 1],
    n: sizes.length ? [Math.min(...sizes), Math.max(...sizes)] : [0, 0],
  };
}
