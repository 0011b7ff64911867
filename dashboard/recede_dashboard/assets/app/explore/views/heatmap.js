/** Layer × epoch: where the neurons recede, and when. One number for each cell, all in one array. */

import { dropdown } from "../../lib/controls.js";
import { setAttributes, setText } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";
import * as format from "../../format/numbers.js";
import { readArray } from "../../api/arrays.js";
import { drawFrame, epochMark, epochTicks } from "../../charts/canvas.js";
import { colourScale, scaleImage, scaleLegend } from "../../charts/colour_scale.js";
import { IMPORTANCE } from "../data/scores.js";
import { termSign } from "./term_sign.js";
import { View } from "./view.js";

/** @import { Colours, Explore } from "../types.js" */

const BELOW = 0.1;
const NAME_PX = 11; // least distance of two layer names
const GAP_PX = 6; // cells smaller than this touch each other
const MOST_BYTES = 3e6; // of the histograms that "kept" is read from
const KEPT_AXES = { bounded: [-12, 12], plain: [-6, 1] };
const MEASURES = {
  receded: { label: "Receded", term: "receded", scale: "receded", what: `share of neurons with importance < ${BELOW}` },
  median: { label: "Median", term: "median", scale: "kept", what: "median importance" },
  bimodality: { label: "Bimodality", term: "polarisation", scale: "kept", what: "bimodality of the importances" },
  kept: { label: "Kept", term: "kept", scale: "kept", what: "share of the neurons above the current threshold" },
};

/** Place of a threshold on the axis of the layers' histograms. @param {number} threshold */
function placeOf(threshold, scale) {
  const [low, high] = KEPT_AXES[scale];
  if (threshold <= 0) return low;
  const at = scale === "plain" ? Math.log10(threshold) : threshold >= 1 ? high : Math.log(threshold / (1 - threshold));
  return Math.min(high, Math.max(low, at));
}

/** Share above the threshold in each cell, interpolated within a bin: epochs × layers. @param {number} threshold */
function keptShares(blob, threshold, scale) {
  const [epochs, layers, bins] = blob.shape;
  const place = ((placeOf(threshold, scale) - blob.low) / (blob.high - blob.low)) * bins;
  const whole = Math.min(bins, Math.floor(place));
  const out = new Float32Array(epochs * layers);
  blob.sums = blob.sums || cumulative(blob);
  for (let i = 0; i < out.length; i++) {
    const at = i * (bins + 1);
    const under = blob.sums[at + whole] + (whole < bins ? (place - whole) * (blob.sums[at + whole + 1] - blob.sums[at + whole]) : 0);
    out[i] = 1 - under / blob.sums[at + bins];
  }
  return out;
}

function cumulative({ values, shape }) {
  const bins = shape[2];
  const out = new Uint32Array((values.length / bins) * (bins + 1));
  for (let i = 0, at = 0; i < values.length; i += bins, at += bins + 1) {
    for (let b = 0; b < bins; b++) out[at + b + 1] = out[at + b] + values[i + b];
  }
  return out;
}

export class Heatmap extends View {
  /** @param {Explore} app */
  constructor(app) {
    super(app, { id: "heat", title: "Layers over the epochs" });
    this.pixels = document.createElement("canvas");
    this.toggle = dropdown({
      id: "heat-measure", label: "What each cell shows",
      options: Object.entries(MEASURES).map(([name, { label, what }]) => [name, label, what]),
      pick: (heat) => app.set({ heat }),
    });
    this.term = termSign(() => this.measure.term);
    this.tools.append(this.term, this.toggle.node);
  }

  get measure() {
    return MEASURES[this.app.state.heat];
  }

  before() {
    const { state, now } = this.app;
    this.toggle.show(state.heat);
    this.cells = this.read();
    const line = state.heat === "kept" && now.line !== null && now.line !== undefined
      ? ` ${format.threshold(now.line)}, interpolated within a bin` : "";
    setText(this.note, this.measure.what + line);
    setAttributes(this.section, { "data-epochs": this.cells?.epochs.length, "data-measure": state.heat });
  }

  /** {values, epochs, layers, top} of the chosen measure, or null. */
  read() {
    const { state, source, now, blobs } = this.app;
    const version = source.epochs.length;
    if (!source.shape || !version) return null;
    const layers = source.shape.groups.length;
    if (state.heat === "kept") {
      const bins = Math.min(128, Math.max(24, Math.floor(MOST_BYTES / (2 * layers * version))));
      this.entry = blobs.get(`/layers/histograms?bins=${bins}`, version, readArray(Uint16Array));
      const { data } = this.entry;
      if (!data || now.line === null || now.line === undefined || source.criterion !== IMPORTANCE) return null;
      return { values: keptShares(data, now.line, source.network.scale), epochs: data.epochs, layers, top: 1 };
    }
    this.entry = blobs.get(`/layers?measure=${state.heat}&below=${BELOW}`, version, readArray(Float32Array));
    const { data } = this.entry;
    if (!data) return null;
    const plain = state.heat === "median" && source.network.scale === "plain";
    const top = plain ? data.values.reduce((a, b) => (b > a ? b : a), 1e-9) : 1;
    return { values: data.values, epochs: data.epochs, layers, top };
  }

  status() {
    const { source, now, state } = this.app;
    if (this.cells) return null;
    if (this.entry?.error) return { state: "error", words: errorWords(this.entry.error) };
    if (source.offline) return { state: "error", words: "The server does not answer. The layers appear once it is back." };
    if (state.heat === "kept" && source.criterion !== IMPORTANCE) {
      return {
        words: "This share is counted on the importances, but the neurons are ranked by another criterion.",
        action: ["Rank by importance", () => this.app.choose({ criterion: IMPORTANCE })],
      };
    }
    if (state.heat === "kept" && this.entry?.data && now.selection) {
      return {
        words: "In the local scope each layer has its own threshold. This view needs one threshold for all.",
        action: ["Use the global scope", () => this.app.choose({ scope: "global" })],
      };
    }
    return { state: "loading", words: "Loading the layers…" };
  }

  /** @param {number} width @param {number} height */
  geometry(width, height) {
    const { source } = this.app;
    const { layers, epochs } = this.cells;
    if (width < 120 || height < 60) return null;
    const longest = Math.max(...source.shape.groups.map((group) => group.name.length));
    const [left, right, top, bottom] = [Math.min(width * 0.3, 6.3 * longest + 14), width - 62, 4, height - 36];
    return {
      width, height, left, right, top, bottom, layers, epochs,
      cellWidth: (right - left) / epochs.length, cellHeight: (bottom - top) / layers,
    };
  }

  baseKey() {
    const { state, now, source } = this.app;
    return [state.heat, state.heat === "kept" ? now.line : "", this.entry.version, source.shape.groups.length].join();
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintBase(g, colours) {
    const { plot, cells } = this;
    const palette = colourScale(this.measure.scale, colours);
    /** @param {number} size */
    const gap = (size) => (size > GAP_PX ? 1 : 0);
    const [gx, gy] = [gap(plot.cellWidth), gap(plot.cellHeight)];
    if (/** @type {any} */ (g).isPicture || (gx && gy)) this.paintCells(g, palette, colours, gx, gy);
    else this.paintPixels(g, palette, colours);
    this.paintEpochs(g, colours);
    const top = cells.top === 1 ? (this.isShare ? `100${format.THIN}%` : "1") : format.threshold(cells.top);
    scaleLegend(g, { x: plot.right + 10, top: plot.top, bottom: plot.bottom, width: 8 }, palette, colours, [this.isShare ? `0${format.THIN}%` : "0", top]);
  }

  get isShare() {
    return ["receded", "kept"].includes(this.app.state.heat);
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintCells(g, palette, colours, gx, gy) {
    const { plot, cells } = this;
    for (let e = 0; e < plot.epochs.length; e++) {
      for (let l = 0; l < plot.layers; l++) {
        const value = cells.values[e * plot.layers + l] / cells.top;
        g.fillStyle = Number.isNaN(value) ? colours.line : palette.css[Math.round(Math.min(1, Math.max(0, value)) * 255)];
        g.fillRect(plot.left + e * plot.cellWidth, plot.top + l * plot.cellHeight, plot.cellWidth - gx, plot.cellHeight - gy);
      }
    }
  }

  /** Many small cells: one pixel each, scaled up without smoothing. @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintPixels(g, palette, colours) {
    const { plot, cells } = this;
    const turned = new Float32Array(cells.values.length);
    const n = plot.epochs.length;
    for (let e = 0; e < n; e++) {
      for (let l = 0; l < plot.layers; l++) turned[l * n + e] = cells.values[e * plot.layers + l] / cells.top;
    }
    g.fillStyle = colours.line;
    g.fillRect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
    g.imageSmoothingEnabled = false;
    g.drawImage(scaleImage(turned, n, plot.layers, palette, this.pixels), plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintEpochs(g, colours) {
    epochTicks(g, this.plot, this.plot.epochs, colours);
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintLive(g, colours) {
    const { plot } = this;
    const { now } = this.app;
    const e = plot.epochs.indexOf(now.epoch);
    this.paintNames(g, colours);
    if (e >= 0) {
      drawFrame(g, plot.left + e * plot.cellWidth, plot.top, plot.cellWidth, plot.bottom - plot.top, colours, 1);
      epochMark(g, plot, e, now.epoch, colours);
    }
    if (now.layer >= 0) drawFrame(g, plot.left, plot.top + now.layer * plot.cellHeight, plot.right - plot.left, plot.cellHeight, colours, 1);
    if (this.hover) {
      const { e: column, l: row } = this.hover;
      drawFrame(g, plot.left + column * plot.cellWidth, plot.top + row * plot.cellHeight, plot.cellWidth, plot.cellHeight, colours, 2);
    }
  }

  /**
   * Names as far as they keep apart; the chosen and the pointed one always.
   * @param {CanvasRenderingContext2D} g @param {Colours} colours
   */
  paintNames(g, colours) {
    const { plot } = this;
    const { source, now } = this.app;
    const must = [now.layer, this.hover ? this.hover.l : -1].filter((l) => l >= 0);
    /** @param {number} l */
    const middle = (l) => plot.top + (l + 0.5) * plot.cellHeight;
    const taken = must.map(middle);
    /** @param {number} l */
    const fits = (l) => must.includes(l) || taken.every((y) => Math.abs(y - middle(l)) >= NAME_PX);
    g.textAlign = "right";
    g.textBaseline = "middle";
    for (let l = 0; l < plot.layers; l++) {
      if (!fits(l)) continue;
      taken.push(middle(l));
      const strong = must.includes(l);
      g.font = `${strong ? "600 " : ""}11px ${colours.font}`;
      g.fillStyle = strong ? colours.ink : colours.muted;
      g.fillText(source.shape.groups[l].name, plot.left - 8, middle(l), plot.left - 8);
    }
  }

  /** @param {number} e @param {number} l */
  target(e, l) {
    const { plot } = this;
    return {
      e, l, key: `${e} ${l}`, x: plot.left + (e + 0.5) * plot.cellWidth, y: plot.top + (l + 0.5) * plot.cellHeight,
    };
  }

  /** @param {number} x @param {number} y */
  hit(x, y) {
    const { plot } = this;
    const [e, l] = [Math.floor((x - plot.left) / plot.cellWidth), Math.floor((y - plot.top) / plot.cellHeight)];
    if (y < plot.top || y >= plot.bottom || x >= plot.right || l < 0 || l >= plot.layers) return null;
    // A name stands for its layer at the epoch that is shown.
    if (x < plot.left) return this.target(Math.max(0, plot.epochs.indexOf(this.app.now.epoch)), l);
    return this.target(Math.min(plot.epochs.length - 1, e), l);
  }

  start() {
    return this.target(Math.max(0, this.plot.epochs.indexOf(this.app.now.epoch)), Math.max(0, this.app.now.layer));
  }

  /** @param {{e: number, l: number}} place @param {number} dx @param {number} dy */
  moved({ e, l }, dx, dy) {
    /** @param {number} value @param {number} size */
    const within = (value, size) => Math.min(size - 1, Math.max(0, value));
    return this.target(within(e + dx, this.plot.epochs.length), within(l + dy, this.plot.layers));
  }

  /** @param {number} e @param {number} l */
  value(e, l) {
    return this.cells.values[e * this.plot.layers + l];
  }

  tell({ e, l }) {
    const group = this.app.source.shape.groups[l];
    const value = this.value(e, l);
    const about = this.app.state.heat === "kept" ? "≈ " : "";
    const words = Number.isNaN(value) ? "none" : this.isShare
      ? `${about}${format.percent(value, group.size)} (${about}${format.integer(value * group.size)} of ${format.integer(group.size)})`
      : format.threshold(Number(value.toPrecision(3)));
    return { title: group.name, rows: [["epoch", String(this.plot.epochs[e])], [this.measure.label.toLowerCase(), words], ["n", format.integer(group.size)]] };
  }

  pick({ e, l }) {
    this.app.scrub.stop();
    this.app.set({ epoch: this.plot.epochs[e], layer: this.app.source.shape.groups[l].name });
  }

  sentence() {
    const { plot } = this;
    const { source, now } = this.app;
    const e = plot.epochs.indexOf(now.epoch);
    const row = e < 0 ? [] : source.shape.groups.map((group, l) => /** @type {[number, string]} */ ([this.value(e, l), group.name])).filter(([value]) => !Number.isNaN(value)).sort((a, b) => b[0] - a[0]);
    const say = ([value, name]) => `${name} ${this.isShare ? format.share(value) : format.threshold(Number(value.toPrecision(3)))}`;
    const ends = row.length ? ` At epoch ${now.epoch} most: ${say(row[0])}; least: ${say(row[row.length - 1])}.` : "";
    return `Heatmap of the ${this.measure.what}, ${plot.layers} layers over ${plot.epochs.length} epochs.${ends}`;
  }

  table() {
    const { source, state } = this.app;
    const rows = [];
    this.plot.epochs.forEach((epoch, e) => source.shape.groups.forEach((group, l) => rows.push([epoch, group.name, group.size, this.value(e, l)])));
    return { about: `${this.measure.what}${state.heat === "kept" ? ` ${this.app.now.line}` : ""}`, columns: ["epoch", "layer", "neurons", state.heat], rows };
  }
}
