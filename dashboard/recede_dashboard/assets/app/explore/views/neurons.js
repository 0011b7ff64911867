/** The neurons of one layer, a dot each, on the axis of the distribution above. */

import { h, setAttributes } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { importances } from "../../pruning/selection.js";
import { readArray } from "../../api/arrays.js";
import { drawLine } from "../../charts/canvas.js";
import { IMPORTANCE } from "../data/scores.js";
import { importanceAxis } from "../distribution/axis.js";
import { linePlace } from "../epochs/motion.js";
import { drawSparkline } from "./sparkline.js";
import { paintSwarm, swarmLegend, swarmPlaces } from "./swarm.js";
import { termSign } from "./term_sign.js";
import { View } from "./view.js";

/** @import { Colours, Explore } from "../types.js" */

const MARGIN = { left: 44, right: 14, top: 6, bottom: 34 };
const NEAR_PX = 12;
const LAYOUTS = 40;

export class Neurons extends View {
  /** @param {Explore} app */
  constructor(app) {
    super(app, { id: "neurons", title: "Neurons of a layer" });
    this.tools.append(termSign("importance"));
    this.layouts = new Map();
    this.pinned = null;
    this.spark = h("canvas", { role: "img", "aria-label": "Importance over the epochs" });
    this.section.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.pinned !== null) {
        this.pinned = null;
        this.app.dirty();
      }
    });
  }

  get group() {
    const { source, now } = this.app;
    return now.layer >= 0 ? source.shape.groups[now.layer] : null;
  }

  /** Place of the first channel of the layer among all neurons. */
  get offset() {
    return this.app.source.shape.groups.slice(0, this.app.now.layer).reduce((sum, one) => sum + one.size, 0);
  }

  before() {
    const { source, blobs, state } = this.app;
    if (this.layerShown !== state.layer) {
      this.layerShown = state.layer;
      [this.pinned, this.hover] = [null, null];
      this.layouts.clear();
    }
    this.entry = this.group && blobs.get(`/layers/history?layer=${encodeURIComponent(this.group.name)}`, source.epochs.length, readArray(Float32Array));
    setAttributes(this.section, { "data-neurons": this.group?.size, "data-pinned": this.pinned });
  }

  status() {
    const { source, now, state } = this.app;
    if (!source.shape) return { state: "loading", words: "Loading the network…" };
    if (!this.group) {
      const first = source.shape.groups[0].name;
      return {
        words: "Single neurons are shown for one layer at a time. Choose one in the layer list or the heatmap.",
        action: [`Show ${first}`, () => this.app.set({ layer: first })],
      };
    }
    if (source.broken.get(now.epoch)) return { state: "error", words: source.broken.get(now.epoch) };
    if (!source.histogram(state.axis, null) || (!now.ranking && !this.raw())) {
      return source.offline
        ? { state: "error", words: "The server does not answer. The neurons appear once it is back." }
        : { state: "loading", words: `Loading the neurons of ${this.group.name}…` };
    }
    return null;
  }

  /** Raw scales of the layer at an epoch, or a criterion's scores: from its history, else as they are ranked. */
  raw(epoch = this.app.now.epoch) {
    const data = this.byImportance ? this.entry?.data : null;
    const at = data ? data.epochs.indexOf(epoch) : -1;
    const { size } = this.group;
    if (at >= 0) return data.values.subarray(at * size, (at + 1) * size);
    const ranking = this.app.source.known(epoch);
    return ranking ? ranking.raw.slice(this.offset, this.offset + size) : null;
  }

  /** History and units are those of the importances. */
  get byImportance() {
    return this.app.source.criterion === IMPORTANCE;
  }

  /** @param {number} width @param {number} height */
  geometry(width, height) {
    const { state, source } = this.app;
    const all = source.histogram(state.axis, null);
    if (width < 120 || height < 70) return null;
    const axis = importanceAxis(all, state.axis, source.shape.scale);
    const [left, right] = [MARGIN.left, width - MARGIN.right];
    const clip = (at) => Math.min(axis.high, Math.max(axis.low, at));
    return {
      width, height, left, right, top: MARGIN.top, bottom: height - MARGIN.bottom, axis,
      x: (at) => left + ((clip(at) - axis.low) / (axis.high - axis.low)) * (right - left),
    };
  }

  /** @param {number} epoch */
  layout(epoch) {
    const key = `${epoch} ${this.app.source.criterion} ${this.app.state.axis} ${this.plot.width} ${this.plot.height}`;
    if (!this.layouts.has(key)) {
      const raw = this.raw(epoch);
      if (!raw) return null;
      const importance = importances(raw, this.app.source.shape.scale);
      const places = Float32Array.from(importance, (value) => this.plot.x(this.plot.axis.place(value)));
      this.layouts.set(key, { ...swarmPlaces(places, this.plot), importance });
      if (this.layouts.size > LAYOUTS) this.layouts.delete(this.layouts.keys().next().value);
    }
    return this.layouts.get(key);
  }

  baseKey() {
    return `${this.group.name} ${this.app.source.criterion} ${this.app.state.axis} ${this.app.source.shape.scale} ${this.plot.axis.low} ${this.plot.axis.high}`;
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintBase(g, colours) {
    const { plot } = this;
    g.font = `11px ${colours.font}`;
    g.strokeStyle = colours.line;
    g.lineWidth = 1;
    drawLine(g, plot.left, plot.bottom + 0.5, plot.right, plot.bottom + 0.5);
    g.fillStyle = colours.muted;
    g.textAlign = "center";
    g.textBaseline = "top";
    for (const tick of plot.axis.ticks) {
      const x = Math.round(plot.x(tick.at)) + 0.5;
      drawLine(g, x, plot.top, x, plot.bottom + 4);
      g.fillText(tick.text, x, plot.bottom + 6);
    }
    g.textAlign = "left";
    g.textBaseline = "bottom";
    g.fillText(`${this.group.name} · ${plot.axis.title}`, plot.left, plot.height - 1);
  }

  /** Dots where they are now: between two epochs while they are played. */
  dots() {
    const { motion, now } = this.app;
    const to = this.layout(now.epoch);
    const from = motion && motion.from !== now.epoch && to ? this.layout(motion.from) : null;
    if (!from || motion.f >= 1) return to;
    const between = (a, b) => a.map((value, i) => value + (b[i] - value) * motion.f);
    return { x: between(from.x, to.x), y: between(from.y, to.y), radius: to.radius, importance: to.importance };
  }

  /** True for each channel that goes. */
  gone() {
    const { ranking, selection, layer, line } = this.app.now;
    const { offset } = this;
    if (ranking && selection) return (i) => ranking.rank[offset + i] < selection.gone[layer];
    return (i) => line !== null && line !== undefined && this.placed.importance[i] <= line;
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintLive(g, colours) {
    const placed = this.dots();
    if (!placed) return;
    this.placed = placed;
    const gone = this.gone();
    const [removed, kept] = paintSwarm(g, placed, gone, colours);
    this.paintLine(g, colours);
    for (const i of [this.pinned, this.hover?.channel]) if (i !== null && i !== undefined) this.ring(g, i, colours);
    swarmLegend(g, this.plot, colours, removed, kept);
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintLine(g, colours) {
    const place = linePlace(this.app, this.plot.axis);
    if (place === null) return;
    const x = Math.round(this.plot.x(place)) + 0.5;
    g.strokeStyle = colours.ink;
    g.lineWidth = 1.2;
    g.globalAlpha = 0.7;
    drawLine(g, x, this.plot.top - 4, x, this.plot.bottom);
    g.globalAlpha = 1;
  }

  /** Between two epochs the dots move. */
  move() {
    if (this.shown && this.plot) this.draw();
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  ring(g, i, colours) {
    g.beginPath();
    g.arc(this.placed.x[i], this.placed.y[i], this.placed.radius + 3, 0, 2 * Math.PI);
    g.strokeStyle = colours.surface;
    g.lineWidth = 4;
    g.stroke();
    g.strokeStyle = colours.ink;
    g.lineWidth = 1.6;
    g.stroke();
  }

  target(channel) {
    if (channel === undefined || !this.placed) return null;
    return { channel, key: `n${channel}`, x: this.placed.x[channel], y: this.placed.y[channel] };
  }

  /** @param {number} px @param {number} py */
  hit(px, py) {
    if (!this.placed) return null;
    const { x, y } = this.placed;
    let best = -1;
    let least = NEAR_PX ** 2;
    for (let i = 0; i < x.length; i++) {
      const distance = (x[i] - px) ** 2 + (y[i] - py) ** 2;
      if (distance < least) [best, least] = [i, distance];
    }
    return best < 0 ? null : this.target(best);
  }

  /** Channels by importance: the arrow keys walk along this order. */
  order() {
    const { importance } = this.placed;
    if (this.ordered?.of !== importance) {
      const channels = Uint32Array.from(importance, (_, i) => i).sort((a, b) => importance[a] - importance[b] || a - b);
      this.ordered = { of: importance, channels };
    }
    return this.ordered.channels;
  }

  start() {
    const order = this.placed && this.order();
    return order ? this.target(this.pinned ?? order[Math.floor(order.length / 2)]) : null;
  }

  /** @param {number} dx @param {number} dy */
  moved(target, dx, dy) {
    if (!target) return null;
    const order = this.order();
    const at = order.indexOf(target.channel) + dx - 10 * dy;
    return this.target(order[Math.min(order.length - 1, Math.max(0, at))]);
  }

  tipTarget() {
    if (this.hover) return this.target(this.hover.channel);
    return this.pinned === null || !this.placed ? null : { ...this.target(this.pinned), pinned: true };
  }

  tell({ channel }) {
    const { source, now, motion } = this.app;
    const value = this.placed.importance[channel];
    const rank = this.order().indexOf(channel) + 1;
    const name = !this.byImportance ? "score" : source.shape.scale === "plain" ? "|γ|" : "σ(w)";
    const figure = this.entry?.data && this.byImportance && !motion ? this.spark : null;
    if (figure) this.paintSpark(channel);
    return {
      title: `${this.group.name} · channel ${channel}`,
      rows: [
        [name, format.threshold(Number(value.toPrecision(4)))], ["epoch", String(now.epoch)],
        ["rank in layer", `${format.integer(rank)} of ${format.integer(this.group.size)}`],
        ["cut", this.gone()(channel) ? "removed ×" : "kept ●"],
        ...(this.pinned === channel ? [["pinned", "Esc to release"]] : []),
      ],
      figure,
    };
  }

  paintSpark(channel) {
    const { values, epochs } = this.entry.data;
    const { size } = this.group;
    const of = epochs.map((_, e) => importances(values.subarray(e * size + channel, e * size + channel + 1), this.app.source.shape.scale)[0]);
    drawSparkline(this.spark, { epochs, values: of, now: this.app.now, axis: this.plot.axis, colours: this.app.colours() });
    this.spark.setAttribute("aria-label", `Importance of channel ${channel} from ${format.threshold(of[0])} at epoch ${epochs[0]} to ${format.threshold(of[of.length - 1])} at epoch ${epochs[epochs.length - 1]}`);
  }

  pick({ channel }) {
    this.pinned = this.pinned === channel ? null : channel;
    this.tipKey = "";
    this.app.dirty();
  }

  sentence() {
    const { now } = this.app;
    const kept = now.selection ? `, ${now.selection.kept[now.layer]} of them kept` : "";
    return `The ${this.group.size} neurons of ${this.group.name} at epoch ${now.epoch} along ${this.plot.axis.title}${kept}.`;
  }

  table() {
    const { data } = this.entry || {};
    const { size, name } = this.group;
    const epochs = data && this.byImportance ? data.epochs : [this.app.now.epoch];
    const rows = epochs.flatMap((epoch) => {
      const raw = this.raw(epoch);
      return Array.from(importances(raw, this.app.source.shape.scale), (value, i) => [epoch, name, i, raw[i], value]);
    });
    return { about: `neurons of ${name} (${size})`, columns: ["epoch", "layer", "channel", ...(this.byImportance ? ["raw_scale", "importance"] : ["raw_score", "score"])], rows };
  }
}
