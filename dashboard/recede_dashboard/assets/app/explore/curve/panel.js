/** Measured accuracy over what is removed, with intervals, the lossless mark and the moving dot. */

import { dropdown } from "../../lib/controls.js";
import { h, named, setAttributes, setText, svg } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { costOf } from "../../pruning/cost.js";
import { select } from "../../pruning/selection.js";
import { saveMenu } from "../../charts/saving.js";
import { CurveCompare } from "./comparison.js";
import { CURVE_TITLES, curveAxes, curveShapes, losslessMark, singleMarks } from "./drawing.js";
import { ExactCurve } from "./exact.js";
import { CurveFigure } from "./figure.js";
import { curveOf } from "../data/curves.js";
import { measureCurve } from "../data/jobs.js";

const MARGIN = { left: 44, right: 14, top: 26, bottom: 36 }; // above: room for what the curve says of itself
const SNAP_PX = 7; // a click this near to a measured point takes that very cut

const NONE = [];
const FULL = 90; // points; the map of a training leaves only a few

/** @param {any} curve @param {any} metric */
function recordedWords(curve, metric) {
  return curve?.values.length
    ? `${metric.name} was measured of ${format.plural(curve.values.length, "cut")} where it trains: the table is under Training.`
    : "Recorded elsewhere: cuts are measured there, by recede.watch(…, evaluate=…) and recede.serve(…). Counts, parameters and MACs of every cut are exact.";
}

export class Curve {
  constructor(app) {
    this.app = app;
    this.host = app.els.find("#curve");
    this.note = app.els.find("#curve-note");
    this.key = "";
    /** @type {any[]} */
    this.points = NONE;
    this.toggle = dropdown({
      id: "curve-axis", label: "Horizontal axis of the curve",
      options: [["ratio", "Neurons"], ["macs", "MACs"], ["params", "Params"]]
        .map(([name, label]) => [name, label, CURVE_TITLES[name]]),
      pick: (x) => app.set({ x }),
    });
    this.compare = new CurveCompare(app, this);
    this.exact = new ExactCurve(app, this);
    this.button = h("button", {
      type: "button", class: "rx-link", text: "Measure 100 ratios", hidden: true, "data-testid": "curve-more",
      title: "Measure the whole curve of this choice: 100 ratios to ± 0.5 points",
      onclick: () => measureCurve(app, this.place),
    });
    this.note.parentNode.append(this.button, this.compare.button); // the row of the tabs has no room for them
    this.menu = saveMenu(app, () => this.figure, "curve");
    app.els.find("#curve-slot").append(this.compare.node, this.toggle.node, this.menu.node);
    this.figure = new CurveFigure(app, this);
    this.width = 0;
    this.height = 0;
    this.observer = new ResizeObserver(() => { // reading sizes while drawing would lay out the page twice
      [this.width, this.height] = [this.host.clientWidth, this.host.clientHeight];
      app.dirty();
    });
    this.observer.observe(this.host);
    this.host.addEventListener("pointerdown", (event) => this.press(event));
  }

  destroy() {
    this.observer.disconnect();
  }

  /** Share saved on the horizontal axis, of a cut with this ratio and cost. */
  saved(ratio, cost) {
    const { x } = this.app.state;
    return x === "ratio" ? ratio : 1 - cost[x] / this.app.now.dense[x];
  }

  render() {
    const { app } = this;
    const { now, state } = app;
    this.toggle.show(state.x);
    this.menu.show(Boolean(this.plot));
    this.compare.render();
    const { width, height } = this;
    const curve = this.curveShown();
    const epoch = curve?.epoch ?? null;
    const points = curve?.points || NONE;
    const other = this.compare.curve(epoch);
    const own = epoch === now.epoch;
    const key = JSON.stringify([width, height, state.x, epoch, own, state.scope, state.criterion,
      this.emptyWords(points), this.canMeasure(), Boolean(curve?.job),
      this.others(epoch).map((one) => `${one.epoch}:${one.digest}`), this.compare.chosen, other?.points.length, app.scheme]);
    if ((key !== this.key || points !== this.points) && width > 100) {
      [this.key, this.points] = [key, points];
      this.build(width, height, points, own, other);
    }
    this.say(points, epoch);
    this.moveDot(own);
  }

  /** The place of the curve that belongs to the present choice. */
  get place() {
    const { state, now } = this.app;
    return { epoch: now.epoch, scope: this.scope, criterion: state.criterion || "importance", bias: state.bias || "drop" };
  }

  /** That curve; as long as its epoch has none, the run's own one, drawn as a foreign one. */
  curveShown() {
    const { source } = this.app;
    const own = curveOf(source, this.place);
    if (own?.points.length || own?.job || !source.curve) return own;
    const main = curveOf(source, { ...this.place, epoch: source.curve.epoch });
    return main?.points.length || main?.job ? main : own;
  }

  get scope() {
    return this.app.state.by === "threshold" ? "global" : this.app.state.scope;
  }

  /** Single cuts that were measured beside the curve. */
  others(epoch) {
    return [...this.app.source.evaluations.values()].filter((one) =>
      one.epoch === (this.app.now.hasWeights || this.app.source.run?.recording ? this.app.now.epoch : epoch) && !one.on_curve);
  }

  say(points, epoch) {
    const { now } = this.app;
    let words = "";
    if (this.curveShown()?.job && points.length) words = this.progressWords();
    else if (points.length && epoch !== now.epoch) words = `of epoch ${epoch}, not of epoch ${now.epoch}`;
    else if (points.length) {
      const estimated = points.filter((one) => one.accuracy.kind === "estimated").length;
      const n = format.integer(points[0].accuracy.n_split);
      words = estimated
        ? `${points.length - estimated} of ${points.length} points measured on all ${n} images, the others estimated`
        : `measured, n = ${n}`;
    }
    setText(this.note, words);
    setAttributes(this.host, {
      "data-points": points.length, "data-lossless": now.lossless && now.lossless.ratio,
      "data-state": points.length ? "curve" : "empty",
    });
    this.button.hidden = !points.length || !this.canMeasure();
    this.exact.render();
  }

  progressWords() {
    const progress = this.curveShown().job.progress;
    return progress?.total ? `measuring: ${progress.done} of ${progress.total} ratios` : "waiting to be measured";
  }

  emptyWords(points) {
    const { source, now } = this.app;
    if (points.length || !source.run) return "";
    if (source.run.recording) return recordedWords(this.curveShown(), source.run.recording.metric);
    if (this.curveShown()?.job) return `The accuracy curve is being made: ${this.progressWords()}.`;
    if (!now.finished && !now.hasWeights) return "When the training ends, validation accuracy is measured here at ratios from 0 to 99 %.";
    if (source.curve?.points.length) return "This curve was not measured yet. Single cuts can be measured, too.";
    return "No curve was measured for this run. Single cuts can be measured.";
  }

  /** Whether there are weights for it, and something is left to measure. */
  canMeasure() {
    const { source, now } = this.app;
    const curve = curveOf(source, this.place);
    return source.weights.length > 0 && now.hasWeights && Boolean(curve) && !curve.job && curve.points.length < FULL;
  }

  build(width, height, points, own, other) {
    const curve = this.curveShown();
    const others = this.others(curve?.epoch ?? null);
    if (!points.length && !others.length) {
      const job = curve?.job?.progress;
      this.plot = null;
      this.host.replaceChildren(h("div", { class: "rx-curve-empty" }, h("p", { text: this.emptyWords(points) }),
        job?.total ? h("progress", { max: job.total, value: job.done }) : null,
        this.canMeasure() ? h("button", {
          ...named("curve-button"), type: "button", class: "rx-button", text: "Measure the curve",
          onclick: () => measureCurve(this.app, this.place),
        }) : null));
      return;
    }
    const plot = (this.plot = this.geometry(width, height, points, others));
    const overlay = other?.points.length ? this.compare.shapes(plot, other) : [];
    this.targets = points.map((point) => ({ ...point, x: plot.x(this.saved(point.ratio, point.cost)) }));
    const { line, band, marks } = curveShapes(plot, this.targets);
    const lossless = curve?.job ? [] : losslessMark(plot, this.targets); // known with the last point
    const apart = others.map((one) => ({ ...one, x: plot.x(this.saved(one.ratio, one.cost)) }));
    this.dot = svg("circle", { class: "rx-dot", r: 5.5 });
    this.guide = svg("line", { class: "rx-guide", y1: plot.top, y2: plot.bottom });
    this.host.replaceChildren(svg("svg", {
      width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: own ? "" : "rx-foreign",
      "aria-label": `Validation accuracy over the ${CURVE_TITLES[this.app.state.x]}; click to choose a cut`,
    }, curveAxes(plot, this.app.state.x), band, overlay, line, lossless, marks, singleMarks(plot, apart), this.guide, this.dot));
  }

  geometry(width, height, points, others) {
    const values = [...points, ...others].map((point) => point.accuracy);
    const low = Math.floor(10 * Math.min(...values.map((one) => one.low))) / 10;
    const high = Math.min(1, Math.ceil(20 * Math.max(...values.map((one) => one.high))) / 20);
    const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
    return {
      width, height, left, right, top, bottom, low, high,
      x: (share) => left + share * (right - left),
      y: (value) => bottom - ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (bottom - top),
      at: (px) => Math.min(1, Math.max(0, (px - left) / (right - left))),
    };
  }

  /** Hollow: estimated; filled: measured; no dot where nothing is known. */
  moveDot(own) {
    const { now } = this.app;
    if (!this.plot || !now.selection) return;
    const x = this.plot.x(this.saved(now.selection.ratio, now.cost));
    setAttributes(this.guide, { x1: x.toFixed(1), x2: x.toFixed(1) });
    const known = now.accuracy;
    setAttributes(this.dot, {
      visibility: known ? "visible" : "hidden", cx: x.toFixed(1), cy: known ? this.plot.y(known.value).toFixed(1) : 0,
      "data-kind": known?.kind, "data-own": own,
    });
  }

  press(event) {
    if (!this.plot || event.button !== 0 || !this.app.now.ranking) return;
    const { left } = this.host.getBoundingClientRect();
    const move = (e, snap) => this.choose(e.clientX - left, snap);
    this.host.setPointerCapture(event.pointerId);
    event.preventDefault();
    const onMove = (e) => move(e, false);
    this.host.addEventListener("pointermove", onMove);
    this.host.addEventListener("lostpointercapture", () => {
      this.host.removeEventListener("pointermove", onMove);
      this.app.released();
    }, { once: true });
    move(event, true);
  }

  choose(px, snap) {
    const near = snap && (this.targets || []).find((point) => Math.abs(point.x - px) < SNAP_PX);
    const ratio = near ? near.ask : this.ratioFor(this.plot.at(px));
    this.app.choose({ by: "ratio", ratio: Math.min(0.9999, Number(ratio.toFixed(4))) });
  }

  /** The ratio that saves this share; MACs and parameters fall with the ratio, so halving finds it. */
  ratioFor(share) {
    if (this.app.state.x === "ratio") return share;
    const { now, source } = this.app;
    let [low, high] = [0, 0.9999];
    for (let i = 0; i < 14; i++) {
      const ratio = (low + high) / 2;
      const { kept } = select(now.ranking, this.app.planFor({ ratio, threshold: null }));
      if (this.saved(ratio, costOf(source.shape, kept)) < share) low = ratio;
      else high = ratio;
    }
    return (low + high) / 2;
  }
}
