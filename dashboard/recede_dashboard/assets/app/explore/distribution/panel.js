/** The distribution of the importances on a canvas: bars kept and removed, ghost, ridges, axes. */

import { setAttributes } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { drawCut, drawLine, hatching } from "../../charts/canvas.js";
import { IMPORTANCE } from "../data/scores.js";
import { countAxis, importanceAxis } from "./axis.js";
import { drawGapMark, drawGapTrail, shownGap } from "./gap_trail.js";
import { drawRidges } from "./ridges.js";
import { linePlace, movingRow } from "../epochs/motion.js";

/** @import { Colours, Explore } from "../types.js" */
/** @import { Ranking } from "../../pruning/selection.js" */

const MARGIN = { left: 44, right: 14, top: 8, bottom: 38 };
const NARROW_PX = 470; // less, and the legend has a line of its own
const LEGEND_PX = 16;
const RIDGE_SHARE = 0.36;
const RIDGE_PX = 130; // in a lower plot the bars have all the room
const GAP = 42; // between ridges and bars: room for a title and the handle of the line

export class Distribution {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.wrapper = app.els.plot;
    this.canvas = app.els.canvas;
    this.base = document.createElement("canvas");
    this.baseKey = "";
    this.bins = null; // bin of each neuron, of one snapshot on one axis
    this.plot = null; // geometry of the last frame, for the line and for the pointer
    this.size = { width: 0, height: 0 }; // kept: asking the page for it in each frame costs a layout
    this.observer = new ResizeObserver(([entry]) => {
      this.size = entry.contentRect;
      app.dirty();
    });
    this.observer.observe(this.wrapper);
  }

  destroy() {
    this.observer.disconnect();
  }

  /** Geometry for this frame, or null while something is missing. @param {number} width @param {number} height */
  geometry(width, height) {
    const { app } = this;
    const { state, source, now } = app;
    const all = source.histogram(state.axis, null);
    const name = now.layer >= 0 ? state.layer : null;
    const histogram = name ? source.histogram(state.axis, name) : all;
    if (!all || !histogram || now.epoch === null || width < 120 || height < 110) return null;
    const axis = importanceAxis(all, state.axis, source.shape.scale);
    const [left, right] = [MARGIN.left, width - MARGIN.right];
    const legend = right - left < NARROW_PX ? LEGEND_PX : 0;
    const inner = height - MARGIN.top - MARGIN.bottom - legend - GAP;
    const split = MARGIN.top + (inner < RIDGE_PX ? 0 : Math.round(inner * RIDGE_SHARE));
    const [top, bottom] = [split + GAP, height - MARGIN.bottom - legend];
    const counts = countAxis(state.y, histogram.max, bottom - top);
    const x = (at) =>
      left + (Math.min(axis.high, Math.max(axis.low, at)) - axis.low) / (axis.high - axis.low) * (right - left);
    /** @param {number} px */
    const at = (px) => axis.low + ((px - left) / (right - left)) * (axis.high - axis.low);
    const ridges = { top: MARGIN.top, bottom: split, height: split - MARGIN.top };
    const gaps = source.criterion === IMPORTANCE;
    return { width, height, histogram, axis, counts, left, right, top, bottom, ridges, x, at, gaps, legend };
  }

  render() {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = this.size;
    const gap = shownGap(this.app, this.app.now.epoch);
    setAttributes(this.wrapper, { "data-gap": gap });
    this.plot = this.geometry(width, height);
    if (!this.plot) return;
    setAttributes(this.canvas, { "aria-label": this.sentence(gap) });
    for (const canvas of [this.canvas, this.base]) {
      if (canvas.width === Math.round(width * ratio) && canvas.height === Math.round(height * ratio)) continue;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.paint(this.canvas.getContext("2d"), this.base, ratio, this.app.colours());
  }

  /** What is seen, in a sentence. */
  sentence(gap) {
    const { now, state } = this.app;
    const [gone, all] = now.selection ? [now.selection.removed, this.app.source.shape.groups.reduce((sum, one) => sum + one.size, 0)] : [0, 0];
    const cut = all ? ` ${format.integer(gone)} of ${format.integer(all)} neurons of the network are removed.` : "";
    const shape = gap === null ? " There is a single hump." : ` Two humps, the natural gap between them at ${format.threshold(gap)}.`;
    const byImportance = this.plot.gaps;
    return `Distribution of the ${byImportance ? "importances" : "scores"} of ${state.layer || "all layers"} at epoch ${now.epoch}, ${this.plot.axis.title}.${byImportance ? shape : ""}${cut}`;
  }

  /**
   * All of it onto `g`; what a drag does not change comes from `base`.
   * @param {CanvasRenderingContext2D} g @param {number} ratio @param {Colours} colours
   */
  paint(g, base, ratio, colours) {
    const { state, now, scheme } = this.app;
    const { plot } = this;
    const key = [
      plot.width, plot.height, ratio, state.axis, state.y, state.layer, now.epoch, scheme,
      plot.histogram.rows, plot.axis.low, plot.axis.high, colours.surface, this.app.source.polarisation.size,
      this.app.source.criterion,
    ].join();
    if (key !== this.baseKey) {
      this.baseKey = key;
      const below = scaled(base, ratio);
      below.clearRect(0, 0, plot.width, plot.height);
      this.paintBase(below, colours);
    }
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, g.canvas.width, g.canvas.height);
    g.drawImage(base, 0, 0);
    g.scale(ratio, ratio);
    this.paintLive(g, colours, ratio);
  }

  /** All of it onto a context that is saved. @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintAll(g, colours) {
    this.paintBase(g, colours);
    this.paintLive(g, colours, 2);
  }

  /** What a drag changes. @param {CanvasRenderingContext2D} g @param {Colours} colours @param {number} ratio */
  paintLive(g, colours, ratio) {
    this.paintBars(g, colours, ratio);
    this.paintGhost(g, colours);
    drawGapMark(g, this.app, this.plot, this.rows, colours);
    this.paintLine(g, colours);
  }

  /** Between two epochs only the picture moves. */
  move() {
    if (this.plot) this.render();
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintBase(g, colours) {
    const { plot } = this;
    this.rows = null;
    if (plot.ridges.height > 0) {
      this.rows = drawRidges(g, plot, plot.ridges, this.app.now.epoch, colours);
      drawGapTrail(g, this.app, plot, this.rows, colours);
    }
    drawAxes(g, plot, colours);
  }

  /** Share of each bin that goes: exact from the snapshot, from the line while it loads. */
  shares() {
    const { app, plot } = this;
    const { ranking, selection, layer, stale } = app.now;
    const { bins, low, high } = plot.histogram;
    const gone = new Float32Array(bins);
    const place = linePlace(app, plot.axis);
    if (!ranking || stale || (app.motion && place !== null)) {
      const line = place ?? -Infinity;
      return gone.map((_, i) => Math.min(1, Math.max(0, ((line - low) / (high - low)) * bins - i)));
    }
    const binOf = this.binsOf(ranking);
    const total = new Float32Array(bins);
    for (let i = 0; i < binOf.length; i++) {
      const l = ranking.layerOf[i];
      if (layer >= 0 && l !== layer) continue;
      total[binOf[i]]++;
      if (ranking.rank[i] < selection.gone[l]) gone[binOf[i]]++;
    }
    return gone.map((count, i) => (total[i] ? count / total[i] : 0));
  }

  /** @param {Ranking} ranking */
  binsOf(ranking) {
    const key = `${this.app.state.axis} ${this.plot.histogram.high}`;
    if (ranking.binKey !== key) {
      ranking.bins = Uint8Array.from(ranking.raw, (raw) => this.plot.axis.binOf(raw));
      ranking.binKey = key;
    }
    return ranking.bins;
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours @param {number} ratio */
  paintBars(g, colours, ratio) {
    const { plot } = this;
    const { histogram, axis, counts, x, bottom, top } = plot;
    const row = movingRow(this.app, histogram);
    if (!row) return;
    const shares = this.shares();
    const step = (histogram.high - histogram.low) / histogram.bins;
    const hatch = hatching(g, colours.cut, ratio);
    for (let i = 0; i < histogram.bins; i++) {
      const from = histogram.low + i * step;
      if (!row[i] || from + step <= axis.low + 1e-9 || from >= axis.high - 1e-9) continue;
      const [x0, x1] = [x(from), x(from + step)];
      const width = Math.max(1, x1 - x0 - (x1 - x0 > 3 ? 1 : 0));
      const height = Math.max(1.5, counts.share(row[i]) * (bottom - top));
      const cut = height * shares[i];
      g.fillStyle = colours.kept;
      if (cut < height) g.fillRect(x0, bottom - height, width, height - cut);
      if (cut > 0) drawCut(g, x0, bottom - cut, width, cut, colours.cut, hatch);
    }
  }

  /** Outline of the untrained network, to compare with. @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintGhost(g, colours) {
    const { plot } = this;
    const { histogram, counts, x, bottom, top } = plot;
    const row = histogram.row.get(0);
    if (!row || this.app.now.epoch === 0) return;
    const step = (histogram.high - histogram.low) / histogram.bins;
    g.save();
    g.beginPath();
    g.rect(plot.left, top - 4, plot.right - plot.left, bottom - top + 4);
    g.clip();
    g.beginPath();
    row.forEach((count, i) => {
      const y = bottom - counts.share(count) * (bottom - top);
      g.lineTo(x(histogram.low + i * step), y);
      g.lineTo(x(histogram.low + (i + 1) * step), y);
    });
    g.setLineDash([3, 2]);
    g.globalAlpha = 0.75;
    g.strokeStyle = colours.ink;
    g.lineWidth = 1;
    g.stroke();
    g.restore();
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintLine(g, colours) {
    const { plot } = this;
    const place = linePlace(this.app, plot.axis);
    if (place === null) return;
    const at = Math.round(plot.x(place)) + 0.5;
    g.strokeStyle = colours.ink;
    g.lineWidth = 1;
    g.globalAlpha = 0.4;
    g.setLineDash([2, 3]);
    if (plot.ridges.height > 0) stroke(g, at, plot.ridges.top, at, plot.ridges.bottom);
    g.setLineDash([]);
    g.globalAlpha = 1;
    g.lineWidth = 1.5;
    stroke(g, at, plot.top - 8, at, plot.bottom);
  }
}

/** @param {number} ratio */
function scaled(canvas, ratio) {
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  return g;
}

/** @param {CanvasRenderingContext2D} g */
const stroke = (g, ...ends) => drawLine(g, ...ends);

/** @param {CanvasRenderingContext2D} g @param {Colours} colours */
function drawAxes(g, plot, colours) {
  g.font = `11px ${colours.font}`;
  g.strokeStyle = colours.line;
  g.lineWidth = 1;
  g.textBaseline = "middle";
  g.textAlign = "right";
  for (const tick of plot.counts.ticks) {
    const y = Math.round(plot.bottom - plot.counts.share(tick) * (plot.bottom - plot.top)) + 0.5;
    stroke(g, plot.left, y, plot.right, y);
    g.fillStyle = colours.muted;
    g.fillText(format.integer(tick), plot.left - 8, y);
  }
  g.textAlign = "center";
  g.textBaseline = "top";
  for (const tick of plot.axis.ticks) {
    const x = Math.round(plot.x(tick.at)) + 0.5;
    stroke(g, x, plot.bottom, x, plot.bottom + 4);
    g.fillText(tick.text, x, plot.bottom + 7);
  }
  g.fillStyle = colours.muted;
  g.textAlign = "left";
  g.fillText(plot.axis.title, plot.left, plot.bottom + 24);
  g.fillText(plot.counts.title, plot.left, plot.ridges.bottom + 8);
  g.textAlign = "right";
  if (plot.ridges.height > 0) g.fillText("epoch", plot.left - 8, plot.ridges.top);
  legend(g, plot, colours);
}

/** Right of the axis title, or below it: what the three drawings mean. @param {CanvasRenderingContext2D} g @param {Colours} colours */
function legend(g, plot, colours) {
  let x = plot.right;
  const y = plot.bottom + 24 + plot.legend;
  /** @param {string} text @param {number} width */
  const before = (text, width, sign) => {
    g.fillStyle = colours.muted;
    g.fillText(text, x, y);
    x -= g.measureText(text).width + width + 5;
    sign(x);
    x -= 14;
  };
  before("epoch 0", 16, (at) => {
    g.setLineDash([3, 2]);
    g.strokeStyle = colours.ink;
    stroke(g, at, y + 5.5, at + 16, y + 5.5);
    g.setLineDash([]);
  });
  if (plot.ridges.height > 0 && plot.gaps) {
    before("gap over the epochs", 12, (at) => {
      g.strokeStyle = g.fillStyle = colours.gap;
      stroke(g, at, y + 5.5, at + 12, y + 5.5);
      g.beginPath();
      g.arc(at + 6, y + 5.5, 2.4, 0, 2 * Math.PI);
      g.fill();
    });
  }
  before("kept", 10, (at) => {
    g.fillStyle = colours.kept;
    g.fillRect(at, y, 10, 10);
  });
  before("removed", 10, (at) => {
    drawCut(g, at, y, 10, 10, colours.cut, hatching(g, colours.cut, window.devicePixelRatio || 1));
  });
}
