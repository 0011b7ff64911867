/** The importances of every series over each other: share of the neurons, as outlines. */

import { h, setAttributes, svg } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { importances } from "../../pruning/selection.js";
import {
  chartAxes, chartPlane, chartTicks, edgePill, pillWidth, seriesLine, seriesSign,
} from "./chart.js";
import { showSigns } from "./signs.js";
import { density, LOG_RANGE } from "../series/statistics.js";
import { importanceTable } from "../series/tables.js";

export class ImportanceFigure {
  constructor(app, host, words) {
    this.app = app;
    this.host = host;
    this.words = words;
    this.id = "importances";
    this.title = "Importances";
  }

  render() {
    const { app, host } = this;
    const [width, height] = [host.clientWidth, host.clientHeight];
    const drawn = app.series.filter((one) => one.members.some((member) => member.ranking));
    if (width < 100) return;
    if (!drawn.length) {
      this.plot = null;
      showSigns(this.words, []);
      host.replaceChildren(h("p", { class: "cmp-empty", text: "No importances are stored yet." }));
      return;
    }
    const log = app.state.d === "log";
    const densities = this.densities = drawn.map((one) => this.densityOf(one));
    const top = Math.max(...densities.flatMap((one) => [...one]));
    const x = log ? LOG_RANGE : [0, 1];
    this.plot = chartPlane(width, height, { x, y: [0, 1.06 * top] });
    this.marks = svg("g", {});
    this.drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" },
    chartAxes(this.plot, {
      x: chartTicks(x[0], x[1], 6), y: chartTicks(0, top, 4),
      xWord: (value) => (log ? decade(value) : String(Number(value.toFixed(2)))),
      yWord: (value) => `${Number((100 * value).toFixed(1))} %`,
      title: log ? "importance, logarithmic" : "importance",
    }),
    drawn.map((one, i) => seriesLine(this.outline(densities[i], x), one.number)), this.marks);
    host.replaceChildren(this.drawing);
    showSigns(this.words, this.signs());
    this.move();
  }

  densityOf(one) {
    const parts = one.members.filter((member) => member.ranking).map((member) =>
      density(importances(member.ranking.raw, member.shape.scale), this.app.state.d));
    return parts[0].map((_, bin) => parts.reduce((sum, part) => sum + part[bin], 0) / parts.length);
  }

  /** Its steps in pixels. @param {Float64Array} density @param {number[]} range */
  outline(density, [low, high]) {
    const width = (high - low) / density.length;
    return [...density].flatMap((value, bin) => [
      [this.plot.x(low + bin * width), this.plot.y(value)], [this.plot.x(low + (bin + 1) * width), this.plot.y(value)],
    ]);
  }

  signs() {
    return [
      ["dot", "threshold of the shared ratio, one for each run"],
      this.app.series.some((one) => one.members.length > 1) && ["line", "mean over seeds"],
      ["beside", "beyond the axis"],
    ].filter(Boolean);
  }

  table() {
    return importanceTable(this.app.series, this.densities, this.app.state);
  }

  sentence() {
    const { threshold } = format;
    const cuts = this.app.series.map((one) => [one, thresholdsOf(one)]).filter(([, found]) => found.length)
      .map(([one, found]) => `${one.name} ${extent(found, threshold)}`);
    const names = this.app.series.map((one) => one.name).join("; ");
    return `Distribution of the importances of ${names}.${cuts.length ? ` Thresholds of the shared ratio: ${cuts.join("; ")}.` : ""}`;
  }

  /** A sign on the axis where each run is cut; in words at the edge where that lies beyond it. */
  move() {
    if (!this.plot) return;
    const log = this.app.state.d === "log";
    const rows = { "-1": 0, 1: 0 };
    this.marks.replaceChildren(...this.app.series.flatMap((one) => {
      const found = thresholdsOf(one).map((value) => ({ value, at: log ? Math.log10(value) : value }));
      const inside = found.filter(({ at }) => !this.plot.beyondX(at)).map(({ at, value }) => seriesSign(one.number, {
        class: "cmp-sign cmp-dot", "data-value": value,
        transform: `translate(${this.plot.x(at).toFixed(1)} ${this.plot.bottom}) scale(0.8)`,
      }));
      const outside = [-1, 1].flatMap((side) => {
        const values = found.filter(({ at }) => this.plot.beyondX(at) === side).map(({ value }) => value);
        return values.length ? [this.pill(one.number, side, values, rows[side]++)] : [];
      });
      return [...inside, ...outside];
    }));
    setAttributes(this.drawing, { "aria-label": this.sentence() });
  }

  /** Thresholds beyond the left or right end of the axis, over those of the series before. */
  pill(number, side, values, row) {
    const text = `${side < 0 ? "←" : "→"} ${extent(values, (value) => format.threshold(Number(value.toPrecision(2))))}`;
    const half = pillWidth(text) / 2;
    const x = side < 0 ? this.plot.left + half + 2 : this.plot.right - half - 2;
    return edgePill(number, x, this.plot.bottom - 16 - 21 * row, text, { "data-value": values[0] });
  }
}

/** Where the runs of a series are cut; none where nothing goes, or each layer has its own. */
const thresholdsOf = (one) => (one.now?.cuts || []).map((cut) => cut.threshold).filter(Boolean);

/** "0.01", or "0.01 to 0.03". */
function extent(values, words) {
  const ends = [words(Math.min(...values)), words(Math.max(...values))];
  return [...new Set(ends)].join(" to ");
}

const decade = (value) => ({ 0: "1", "-1": "0.1", "-2": "0.01" })[value] || `1e${value}`;
