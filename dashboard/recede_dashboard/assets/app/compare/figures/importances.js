/** The importances of every series over each other: share of the neurons, as outlines. */

import * as format from "../../format/numbers.js";
import { importances } from "../../pruning/selection.js";
import { layoutOf, percent, percentAxis, trace } from "../../charts/plane.js";
import { density, LOG_RANGE } from "../series/statistics.js";
import { importanceTable } from "../series/tables.js";
import { Panel } from "./panel.js";
import { edgePill, pillNote, pillWidth } from "./pills.js";
import { seriesSign } from "./series_look.js";

const DECADES = { tickvals: [-5, -4, -3, -2, -1, 0], ticktext: ["1e-5", "1e-4", "1e-3", "0.01", "0.1", "1"] };

export class ImportanceFigure extends Panel {
  constructor(app, host, words) {
    super(app, host, words, { id: "importances", title: "Importances" });
  }

  drawn() {
    return this.app.series.filter((one) => one.members.some((member) => member.ranking));
  }

  nothing() {
    return "No importances are stored yet.";
  }

  get log() {
    return this.app.state.d === "log";
  }

  axes(drawn) {
    this.densities = drawn.map((one) => this.densityOf(one));
    const top = Math.max(...this.densities.flatMap((one) => [...one]));
    return { x: this.log ? LOG_RANGE : [0, 1], y: [0, 1.06 * top] };
  }

  densityOf(one) {
    const parts = one.members.filter((member) => member.ranking).map((member) =>
      density(importances(member.ranking.raw, member.shape.scale), this.app.state.d));
    return parts[0].map((_, bin) => parts.reduce((sum, part) => sum + part[bin], 0) / parts.length);
  }

  figure() {
    const layout = layoutOf(this.plot, this.app.colours(), {
      title: this.log ? "importance, logarithmic" : "importance", x: this.log ? DECADES : {}, y: percentAxis(this.plot.ranges.y),
    });
    const lines = this.drawn().map((one, i) => this.outline(one, this.densities[i]));
    return { data: lines, layout: { ...layout, hovermode: false } };
  }

  /** A step for each bin. */
  outline(one, density) {
    const [low, high] = this.plot.ranges.x;
    const edges = Array.from({ length: density.length + 1 }, (_, bin) => low + ((high - low) * bin) / density.length);
    const { colour, dash } = this.look(one);
    return trace(`line-${one.number}`, edges, percent([...density, density.at(-1)]), {
      mode: "lines", line: { shape: "hv", width: 1.8, color: colour, dash },
    });
  }

  /** Where each run is cut, on the axis; of those that lie beyond it in which direction. */
  thresholds(one) {
    return thresholdsOf(one).map((value) => {
      const at = this.log ? Math.log10(value) : value;
      return { value, at, side: this.plot.beyondX(at) };
    });
  }

  now() {
    const colours = this.app.colours();
    const data = this.app.series.map((one) => {
      const inside = this.thresholds(one).filter(({ side }) => !side);
      const { colour, symbol } = this.look(one);
      return trace(`dot-${one.number}`, inside.map(({ at }) => at), inside.map(() => 0), {
        mode: "markers", cliponaxis: false, marker: { symbol, size: 9, color: colour, line: { width: 1.5, color: colours.surface } },
      });
    });
    return { data, annotations: this.beyond().map((pill) => pillNote(this.plot, pill, this.look(pill).colour, colours)) };
  }

  /** A sign on the axis where each run is cut; in words at the edge where that lies beyond it. */
  marks() {
    const inside = this.app.series.flatMap((one) => this.thresholds(one).filter(({ side }) => !side)
      .map(({ at, value }) => seriesSign(one.number, {
        class: "cmp-sign cmp-dot", "data-value": value,
        transform: `translate(${this.plot.x(at).toFixed(1)} ${this.plot.bottom}) scale(0.8)`,
      })));
    return [...inside, ...this.beyond().map((pill) => edgePill(pill))];
  }

  /** Thresholds beyond the left or right end of the axis, each over those of the series before. */
  beyond() {
    return [-1, 1].flatMap((side) => this.app.series.flatMap(({ number, ...one }) => {
      const values = this.thresholds(one).filter((threshold) => threshold.side === side).map(({ value }) => value);
      return values.length ? [{ number, values }] : [];
    }).map(({ number, values }, row) => {
      const text = `${side < 0 ? "←" : "→"} ${extent(values, (value) => format.threshold(Number(value.toPrecision(2))))}`;
      const half = pillWidth(text) / 2;
      const x = side < 0 ? this.plot.left + half + 2 : this.plot.right - half - 2;
      return { number, x, y: this.plot.bottom - 16 - 21 * row, text, data: { "data-value": values[0] } };
    }));
  }

  signs() {
    return [
      ["dot", "threshold of the shared ratio, one for each run"],
      this.app.series.some((one) => one.members.length > 1) && ["line", "mean over seeds"],
      ["beside", "beyond the axis"],
    ].filter(Boolean);
  }

  sentence() {
    const cuts = this.app.series.map((one) => [one, thresholdsOf(one)]).filter(([, found]) => found.length)
      .map(([one, found]) => `${one.name} ${extent(found, format.threshold)}`);
    const names = this.app.series.map((one) => one.name).join("; ");
    return `Distribution of the importances of ${names}.${cuts.length ? ` Thresholds of the shared ratio: ${cuts.join("; ")}.` : ""}`;
  }

  table() {
    return importanceTable(this.app.series, this.densities, this.app.state);
  }
}

/** Where the runs of a series are cut; none where nothing goes, or each layer has its own. */
const thresholdsOf = (one) => (one.now?.cuts || []).map((cut) => cut.threshold).filter(Boolean);

/** "0.01", or "0.01 to 0.03". */
function extent(values, words) {
  const ends = [words(Math.min(...values)), words(Math.max(...values))];
  return [...new Set(ends)].join(" to ");
}
