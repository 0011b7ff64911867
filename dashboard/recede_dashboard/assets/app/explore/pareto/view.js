/** Accuracy against cost: every measured cut and every fine-tuned child a dot, the front a line. */

import { dropdown } from "../../lib/controls.js";
import { go } from "../../lib/dash.js";
import { setAttributes } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { denseCost, fileBytes } from "../../pruning/cost.js";
import { select } from "../../pruning/selection.js";
import { paretoFront } from "../../charts/arithmetic.js";
import { drawLine } from "../../charts/canvas.js";
import { Chart } from "../../charts/chart.js";
import { plane } from "../../charts/plane.js";
import { KINDS, paretoFigure } from "./drawing.js";
import { termSign } from "../views/term_sign.js";
import { View } from "../views/view.js";

const MARGIN = { left: 48, right: 18, top: 8, bottom: 34 };
const NEAR_PX = 14;
/** Name, what it counts, its text, unit of the axis. @type {Record<string, [string, string, (value: number) => string, string]>} */
const COSTS = {
  macs: ["MACs", "MACs of one image", (value) => format.compact(value), ""],
  params: ["Params", "parameters", (value) => format.compact(value), ""],
  bytes: ["Size", "bytes of the weights' file", (value) => format.bytes(Math.round(value)), "B"],
  latency: ["Latency", "ms for a batch, median", (value) => `${Number(value.toPrecision(3))}${format.THIN}ms`, `${format.THIN}ms`],
};

export class Pareto extends View {
  constructor(app) {
    super(app, { id: "pareto", title: "Accuracy against cost" });
    this.toggle = dropdown({
      id: "pareto-cost", label: "Cost on the horizontal axis",
      options: Object.entries(COSTS).map(([name, [label, what]]) => [name, label, what]),
      pick: (front) => app.set({ front }),
    });
    this.tools.append(termSign("pareto"), this.toggle.node);
    this.chart = new Chart({ still: true });
    this.plotNode.prepend(this.chart.node); // the canvas over it draws what moves
    setAttributes(this.chart.node, { role: null });
    this.children = { dots: [] };
    this.bytes = new Map();
  }

  before() {
    const { state, source } = this.app;
    this.toggle.show(state.front);
    this.fetchChildren();
    const { blobs } = this.app;
    const json = (answer) => answer.json();
    this.all = blobs.get("/evaluations?limit=200", source.evaluations.size, json).data?.items || [];
    this.times = state.front === "latency" ? blobs.get("/latencies", source.evaluations.size, json).data?.items || [] : [];
    this.collect();
    const known = this.dots.filter((dot) => Number.isFinite(dot.cost));
    const n = known.length ? Math.min(...known.map((dot) => dot.n)) : 0;
    this.counted = known.length ? `${known.length} networks, n ≥ ${format.integer(n)}` : "";
    setAttributes(this.section, { "data-dots": known.length, "data-front": this.front?.length });
  }

  render() {
    if (!this.shown) this.opened = false;
    super.render();
  }

  /** Runs that were fine-tuned from a cut of this one, asked for whenever the view is opened: accuracy of their best epoch, cost of their network. */
  async fetchChildren() {
    const { app } = this;
    if (this.opened || app.source.offline) return;
    this.opened = true;
    try {
      const { items } = await app.source.ask(`/runs?parent=${encodeURIComponent(app.runId)}&limit=50`);
      const done = items.filter((run) => run.val_accuracy && run.spec.init?.plan);
      const known = new Map(this.children.dots.map((dot) => [dot.run, dot]));
      const dots = await Promise.all(done.map(async (run) => {
        const shape = known.get(run.id)?.shape || await app.source.ask(`/runs/${run.id}/network`);
        return { kind: "child", key: `child ${run.id}`, run: run.id, name: run.name, shape, of: denseCost(shape), accuracy: run.val_accuracy, plan: run.spec.init.plan, epoch: run.best_epoch };
      }));
      this.children = { dots };
      app.dirty();
    } catch (error) {
      if (error.name !== "AbortError" && !error.status) this.opened = false; // again when the server is back
    }
  }

  /** All dots with their cost on the chosen axis, and which of them make the front. */
  collect() {
    const { source, now } = this.app;
    const found = new Map();
    for (const one of [...this.all.filter(({ accuracy }) => accuracy.n), ...source.evaluations.values(), ...(source.curve?.points || [])]) {
      const key = `${one.epoch}:${one.digest}`;
      if (found.get(key)?.accuracy.n > one.accuracy.n) continue;
      const curve = one.on_curve ?? one.ask !== undefined;
      const kind = one.ratio === 0 ? "dense" : one.accuracy.kind === "estimated" ? "estimated" : curve ? "curve" : "single";
      found.set(key, { kind, key, epoch: one.epoch, digest: one.digest, ratio: one.ratio, ask: one.plan?.ratio ?? one.ask ?? one.ratio, plan: one.plan, scope: one.plan?.scope ?? one.scope, of: one.cost, accuracy: one.accuracy });
    }
    this.dots = [...found.values(), ...this.children.dots].map((dot) => ({
      ...dot, n: dot.accuracy.n, cost: this.costOf(dot), own: dot.kind === "child" || dot.epoch === now.epoch,
    }));
    this.front = paretoFront(this.known, (dot) => dot.cost, (dot) => dot.accuracy.value);
  }

  costOf(dot) {
    const { of, digest } = dot;
    const { front } = this.app.state;
    if (front === "latency") return this.times.find((time) => time.digest === digest && time.batch === 1)?.median_ms ?? NaN;
    if (front === "bytes") return this.bytesOf(dot);
    return of[front];
  }

  /** Bytes of the weights' file; NaN while the snapshot that the cut is made from is not there. */
  bytesOf({ key, shape, kept, plan, ask, scope, epoch }) {
    if (this.bytes.has(key)) return this.bytes.get(key);
    const { source } = this.app;
    const ranking = source.rankings.get(epoch);
    if (shape) kept = shape.groups.map((group) => group.size);
    else if (!kept && (!ranking || (plan?.criterion ?? "importance") !== "importance")) return NaN;
    kept = kept || select(ranking, plan || { ratio: ask, scope: scope || "global" }).kept;
    const bytes = fileBytes(shape || source.shape, kept) ?? NaN;
    if (key) this.bytes.set(key, bytes);
    return bytes;
  }

  /** The cut that is chosen now, wherever its cost on this axis is known. */
  live() {
    const { now } = this.app;
    if (!now.cost || !now.selection) return null;
    const cost = this.costOf({ of: now.cost, kept: now.selection.kept });
    return Number.isFinite(cost) ? { cost, accuracy: now.accuracy } : null;
  }

  status() {
    const { source, now, state } = this.app;
    if (this.dots.some((dot) => Number.isFinite(dot.cost))) return null;
    if (source.offline) return { state: "error", words: "The server does not answer. The dots appear when it is back." };
    if (state.front === "latency") return { words: "No latency of a measured cut is known yet. It is measured on demand, for the cut that is chosen." };
    if (state.front === "bytes") return { words: "This run was recorded before file sizes were." };
    if (source.curve?.job) return { state: "loading", words: "The first cuts are being measured…" };
    return { words: now.finished ? "No cut of this run was measured yet." : "When the training ends, its cuts are measured; each becomes a dot here." };
  }

  geometry(width, height) {
    const dots = this.dots.filter((dot) => Number.isFinite(dot.cost));
    if (width < 140 || height < 80) return null;
    const most = Math.max(...dots.map((dot) => dot.cost), this.live()?.cost || 0) * 1.03;
    const low = Math.floor(10 * Math.min(...dots.map((dot) => dot.accuracy.value))) / 10;
    const high = Math.min(1, Math.ceil(20 * Math.max(...dots.map((dot) => dot.accuracy.high))) / 20);
    return plane(width, height, { margin: MARGIN, x: [0, most], y: [low, high] });
  }

  /** What the dots and their front depend on; an epoch without a dot of its own changes nothing. */
  baseKey() {
    const { ranges } = this.plot;
    return JSON.stringify([this.app.state.front, ranges, this.counted, this.known.map((dot) => [dot.key, dot.n, dot.cost, dot.own])]);
  }

  /** Plotly's figure of all dots; with the chosen cut where it is to be saved. */
  figure(live = true) {
    const [, what, , suffix] = COSTS[this.app.state.front];
    return paretoFigure(this.plot, {
      dots: this.known, front: this.front, live: live && this.live(), title: `${what} · ${this.counted}`, suffix,
    }, this.app.colours());
  }

  paintBase() {
    this.chart.draw(this.figure(false));
  }

  destroy() {
    super.destroy();
    this.chart.destroy();
  }

  paintLive(g, colours) {
    const { plot } = this;
    const live = this.live();
    if (live) {
      const x = plot.x(live.cost);
      g.strokeStyle = colours.ink;
      g.lineWidth = 1;
      g.globalAlpha = 0.45;
      g.setLineDash([2, 3]);
      drawLine(g, x, plot.top, x, plot.bottom);
      g.setLineDash([]);
      g.globalAlpha = 1;
      if (live.accuracy) {
        const y = plot.within(live.accuracy.value);
        g.lineWidth = 1.4;
        drawLine(g, x, plot.within(live.accuracy.low), x, plot.within(live.accuracy.high));
        g.beginPath();
        g.arc(x, y, 5.5, 0, 2 * Math.PI);
        g.fillStyle = live.accuracy.kind === "measured" ? colours.ink : colours.surface;
        g.fill();
        g.lineWidth = 2;
        g.stroke();
      }
    }
    if (this.hover) {
      g.beginPath();
      g.arc(this.hover.x, this.hover.y, 8, 0, 2 * Math.PI);
      g.strokeStyle = colours.ink;
      g.lineWidth = 1.5;
      g.stroke();
    }
  }

  target(dot) {
    return dot ? { dot, key: dot.key, x: this.plot.x(dot.cost), y: this.plot.within(dot.accuracy.value) } : null;
  }

  get known() {
    return this.dots.filter((dot) => Number.isFinite(dot.cost));
  }

  hit(px, py) {
    const targets = this.known.map((dot) => this.target(dot));
    const far = (one) => Math.hypot(one.x - px, one.y - py) + (one.dot.own ? 0 : 2); // of two, the present epoch's
    const best = targets.reduce((a, b) => (a && far(a) <= far(b) ? a : b), null);
    return best && far(best) < NEAR_PX ? best : null;
  }

  start() {
    return this.target(this.sorted()[0]);
  }

  sorted() {
    return this.known.sort((a, b) => a.cost - b.cost || a.accuracy.value - b.accuracy.value);
  }

  moved(target, dx, dy) {
    const dots = this.sorted();
    const at = dots.findIndex((dot) => dot.key === target?.dot.key);
    return this.target(dots[Math.min(dots.length - 1, Math.max(0, at + dx - dy))]);
  }

  tell({ dot }) {
    const [label, , text] = COSTS[this.app.state.front];
    const title = dot.kind === "child" ? dot.name : dot.kind === "dense" ? "The uncut network" : `${format.share(dot.ratio)} removed`;
    return {
      title,
      rows: [
        ["accuracy", format.percent(dot.accuracy.value, dot.n)], ["95 % interval", format.interval(dot.accuracy.low, dot.accuracy.high, dot.n)],
        [label, text(dot.cost)], ["epoch", String(dot.epoch)], ["n", format.integer(dot.n)], ["kind", KINDS[dot.kind].words],
        ...(this.front.some((one) => one.key === dot.key) ? [["front", "no other is both cheaper and better"]] : []),
        ...(dot.kind === "child" ? [["click", "opens that run"]] : []),
      ],
    };
  }

  pick({ dot }) {
    if (dot.kind === "child") {
      go?.(`/runs/${dot.run}`);
      return;
    }
    this.app.scrub.stop();
    const ratio = Math.min(0.9999, dot.ask);
    this.app.applyPlan({ ...(dot.plan || { ratio, scope: dot.scope }), epoch: dot.epoch });
  }

  sentence() {
    const [label, , text] = COSTS[this.app.state.front];
    const ends = this.front.length ? ` Front from ${text(this.front[0].cost)} with ${format.percent(this.front[0].accuracy.value, this.front[0].n)} to ${text(this.front[this.front.length - 1].cost)} with ${format.percent(this.front[this.front.length - 1].accuracy.value, this.front[this.front.length - 1].n)}.` : "";
    return `Validation accuracy against ${label} of ${this.known.length} networks.${ends}`;
  }

  table() {
    return {
      about: "measured networks", columns: ["kind", "run", "epoch", "ratio", "accuracy", "low", "high", "n", "params", "macs", "on_front"],
      rows: this.dots.map((dot) => [dot.kind, dot.run || this.app.runId, dot.epoch, dot.ratio ?? "", dot.accuracy.value, dot.accuracy.low, dot.accuracy.high, dot.n, dot.of.params, dot.of.macs, this.front.some((one) => one.key === dot.key) ? 1 : 0]),
    };
  }
}
