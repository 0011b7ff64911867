/** Accuracy against what is removed or what is left, of every series, with a dot at the shared ratio. */

import { h, setAttributes, svg } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { paretoFront } from "../../charts/arithmetic.js";
import {
  chartAxes, chartPlane, chartTicks, clippedTo, outsidePills, seriesBand, seriesLine, seriesSign,
  shortNumber,
} from "./chart.js";
import { showSigns } from "./signs.js";
import { accuracyBand, plusMinus } from "../series/statistics.js";
import { accuracyTable } from "../series/tables.js";

export const ACCURACY_AXES = {
  ratio: { label: "Neurons", title: "share of the neurons removed", read: (one) => one.ratio, now: (one) => one.ratio.mean },
  macs: { label: "MACs", title: "multiply-adds left, one image", read: (one) => one.cost.macs, now: (one) => one.macs.value.mean },
  params: { label: "Params", title: "parameters left", read: (one) => one.cost.params, now: (one) => one.params.value.mean },
};
const LOST = 0.5; // accuracies below this share of the best are not worth the room

export class AccuracyFigure {
  constructor(app, host, words) {
    this.app = app;
    this.host = host;
    this.words = words;
    this.id = "accuracy";
    this.title = "Accuracy after the cut";
  }

  render() {
    const { app, host } = this;
    const [width, height] = [host.clientWidth, host.clientHeight];
    const drawn = app.series.filter((one) => one.points.length);
    if (width < 100) return;
    if (!drawn.length) return this.empty();
    const axis = ACCURACY_AXES[app.state.x];
    const y = this.range(drawn);
    const most = Math.max(...drawn.flatMap((one) => one.points.map(axis.read)));
    const x = app.state.x === "ratio" ? [0, 1] : [0, 1.02 * most];
    this.plot = chartPlane(width, height, { x, y });
    const word = app.state.x === "ratio"
      ? (value) => `${Math.round(100 * value)} %` : shortNumber;
    this.dots = svg("g", {});
    this.drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" },
    chartAxes(this.plot, {
      x: chartTicks(x[0], x[1], 6), y: chartTicks(y[0], y[1], 5), xWord: word,
      yWord: (value) => `${Number((100 * value).toFixed(1))} %`, title: axis.title,
    }),
    clippedTo(this.plot, "compare-clip", drawn.map((one) => this.bandOf(one, axis)), this.frontOf(drawn, axis),
      drawn.map((one) => this.lineOf(one, axis)), drawn.flatMap((one) => this.singlesOf(one, axis))), this.dots);
    host.replaceChildren(this.drawing);
    showSigns(this.words, this.signs());
    this.move();
  }

  empty() {
    this.plot = null;
    showSigns(this.words, []);
    const text = this.app.series.some((one) => one.members.some((member) => member.measuring))
      ? "The accuracy curves are being measured." : "None of these runs has an accuracy curve yet.";
    this.host.replaceChildren(h("p", { class: "cmp-empty", text }));
  }

  /** From the best accuracy, with its deviation, down to where a cut is worth nothing. */
  range(drawn) {
    const spreads = drawn.flatMap((one) => one.points.map((point) => point.value));
    const singles = drawn.flatMap((one) => one.members.flatMap((member) => member.singles.map((single) => single.accuracy.value)));
    const means = spreads.map((one) => one.mean);
    const best = Math.max(...means, ...singles);
    const top = Math.max(best, ...spreads.map((one) => accuracyBand(one)[1]));
    const low = Math.max(Math.min(...means), this.app.state.zoom ? best - 0.1 : LOST * best);
    return [Math.floor(20 * low) / 20, Math.min(1, Math.ceil(50 * top) / 50)];
  }

  /** The figure in words, with where each series stands at the shared ratio. */
  sentence() {
    const names = this.app.series.filter((one) => one.points.length).map((one) => one.name).join("; ");
    const now = this.app.series.filter((one) => one.now?.accuracy).map((one) => {
      const side = { "-1": ", below the axis", 1: ", above the axis", 0: "" }[this.plot.beyond(one.now.accuracy.mean)];
      return `${one.name} ${plusMinus(one.now.accuracy, (value) => format.percent(value, one.n))}${side}`;
    });
    const dots = now.length ? ` At the shared ratio, ${format.share(this.app.state.r)}: ${now.join("; ")}.` : "";
    return `Validation accuracy over the ${ACCURACY_AXES[this.app.state.x].title} of ${names}.${dots} The table below has the numbers.`;
  }

  /** What each kind of sign in the figure means, of those that are there. */
  signs() {
    const drawn = this.app.series.filter((one) => one.points.length);
    return [
      ["dot", "at the shared ratio, read between points"],
      drawn.some((one) => one.members.some((member) => member.singles.length)) && ["single", "a cut measured on the whole split"],
      this.app.state.x !== "ratio" && ["front", "front: no cut shown is cheaper and as accurate"],
      drawn.some((one) => one.members.length > 1) && ["band", "mean ± standard deviation over seeds"],
      ["out", "beyond the axis"],
    ].filter(Boolean);
  }

  table() {
    return accuracyTable(this.app.series, this.app.state.r);
  }

  bandOf(one, axis) {
    if (one.members.length < 2) return null;
    const edge = (side) => one.points.map((point) =>
      [this.plot.x(axis.read(point)), this.plot.y(accuracyBand(point.value)[side])]);
    return seriesBand(edge(1), edge(0), one.number);
  }

  lineOf(one, axis) {
    return seriesLine(one.points.map((point) => [this.plot.x(axis.read(point)), this.plot.y(point.value.mean)]), one.number);
  }

  /** Cuts that were measured on the whole split, on the curve or by themselves, as small open signs. */
  singlesOf(one, axis) {
    const { percent, share } = format;
    return one.members.flatMap((member) => member.singles.map((single) =>
      seriesSign(one.number, {
        class: "cmp-sign cmp-single",
        transform: `translate(${this.plot.x(axis.read(single))} ${this.plot.y(single.accuracy.value)}) scale(0.55)`,
      })).map((node, i) => {
      const single = member.singles[i];
      node.append(svg("title", { text: `${member.run.name}: ${share(single.ratio)} removed, ${percent(single.accuracy.value, single.accuracy.n)}` }));
      return node;
    }));
  }

  /** The Pareto front of all that is shown: no cut is cheaper and as accurate. */
  frontOf(drawn, axis) {
    if (this.app.state.x === "ratio") return null;
    const dots = drawn.flatMap((one) => [
      ...one.points.map((point) => ({ cost: axis.read(point), value: point.value.mean })),
      ...one.members.flatMap((member) => member.singles.map((single) => ({ cost: axis.read(single), value: single.accuracy.value }))),
    ]);
    const places = paretoFront(dots, (dot) => dot.cost, (dot) => dot.value).map((dot) => [this.plot.x(dot.cost), this.plot.y(dot.value)]);
    const d = places.map(([x, y], i) => (i ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`)).join("");
    return svg("path", { class: "cmp-front", "data-dots": places.length, d });
  }

  /** The dots of the shared ratio; called for every step of a drag. */
  move() {
    if (!this.plot) return;
    const dots = this.app.series.filter((one) => one.now?.accuracy).map((one) => {
      const [at, value] = [ACCURACY_AXES[this.app.state.x].now(one.now), one.now.accuracy.mean];
      const side = this.plot.beyond(value);
      return {
        number: one.number, x: this.plot.x(at), value, side, data: { "data-value": value, "data-x": at },
        text: `${side < 0 ? "↓" : "↑"} ${format.percent(value, one.n)}`,
      };
    });
    const inside = dots.filter((dot) => !dot.side).map((dot) => seriesSign(dot.number, {
      class: "cmp-sign cmp-dot", ...dot.data, transform: `translate(${dot.x.toFixed(1)} ${this.plot.y(dot.value).toFixed(1)})`,
    }));
    this.dots.replaceChildren(...inside, ...outsidePills(this.plot, dots));
    setAttributes(this.drawing, { "aria-label": this.sentence() });
  }
}
