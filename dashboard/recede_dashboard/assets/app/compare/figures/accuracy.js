/** Accuracy against what is removed or what is left, of every series, with a dot at the shared ratio. */

import * as format from "../../format/numbers.js";
import { paretoFront } from "../../charts/arithmetic.js";
import { plain } from "../../charts/image.js";
import { layoutOf, percent, percentAxis, trace } from "../../charts/plane.js";
import { accuracyBand, plusMinus } from "../series/statistics.js";
import { accuracyTable } from "../series/tables.js";
import { Panel } from "./panel.js";
import { outsidePills, outsidePlaces, pillNote } from "./pills.js";
import { seriesSign } from "./series_look.js";

export const ACCURACY_AXES = {
  ratio: { label: "Neurons", title: "share of the neurons removed", read: (one) => one.ratio, now: (one) => one.ratio.mean },
  macs: { label: "MACs", title: "multiply-adds left, one image", read: (one) => one.cost.macs, now: (one) => one.macs.value.mean },
  params: { label: "Params", title: "parameters left", read: (one) => one.cost.params, now: (one) => one.params.value.mean },
};
const LOST = 0.5; // accuracies below this share of the best are not worth the room

export class AccuracyFigure extends Panel {
  constructor(app, host, words) {
    super(app, host, words, { id: "accuracy", title: "Accuracy after the cut" });
  }

  drawn() {
    return this.app.series.filter((one) => one.points.length);
  }

  nothing() {
    return this.app.series.some((one) => one.members.some((member) => member.measuring))
      ? "The accuracy curves are being measured." : "None of these runs has an accuracy curve yet.";
  }

  get axis() {
    return ACCURACY_AXES[this.app.state.x];
  }

  /** Vertically from the best accuracy, with its deviation, down to where a cut is worth nothing. */
  axes(drawn) {
    const most = Math.max(...drawn.flatMap((one) => one.points.map(this.axis.read)));
    const spreads = drawn.flatMap((one) => one.points.map((point) => point.value));
    const singles = drawn.flatMap((one) => one.members.flatMap((member) => member.singles.map((single) => single.accuracy.value)));
    const means = spreads.map((one) => one.mean);
    const best = Math.max(...means, ...singles);
    const top = Math.max(best, ...spreads.map((one) => accuracyBand(one)[1]));
    const low = Math.max(Math.min(...means), this.app.state.zoom ? best - 0.1 : LOST * best);
    return {
      x: this.app.state.x === "ratio" ? [0, 1] : [0, 1.02 * most],
      y: [Math.floor(20 * low) / 20, Math.min(1, Math.ceil(50 * top) / 50)],
    };
  }

  figure() {
    const drawn = this.drawn();
    const { x, y } = this.plot.ranges;
    const shares = this.app.state.x === "ratio";
    const layout = layoutOf(this.plot, this.app.colours(), {
      title: this.axis.title, x: shares ? percentAxis(x) : {}, y: percentAxis(y),
    });
    return {
      data: [
        ...drawn.filter((one) => one.members.length > 1).map((one) => this.bandOf(one)),
        ...(shares ? [] : [this.frontOf(drawn)]),
        ...drawn.map((one) => this.lineOf(one)),
        ...drawn.map((one) => this.singlesOf(one)).filter((one) => one.x.length),
      ],
      layout: { ...layout, hovermode: "closest" },
    };
  }

  /** A trace of points with the chosen cost and an accuracy. */
  of(uid, costs, accuracies, more) {
    return trace(uid, this.app.state.x === "ratio" ? percent(costs) : costs, percent(accuracies), more);
  }

  bandOf(one) {
    const costs = one.points.map(this.axis.read);
    const edges = one.points.map((point) => accuracyBand(point.value));
    return this.of(`band-${one.number}`, [...costs, ...costs.reverse()],
      [...edges.map(([, high]) => high), ...edges.reverse().map(([low]) => low)], {
        mode: "none", fill: "toself", fillcolor: this.look(one).colour, opacity: 0.16,
      });
  }

  lineOf(one) {
    const { colour, dash } = this.look(one);
    return this.of(`line-${one.number}`, one.points.map(this.axis.read), one.points.map((point) => point.value.mean), {
      mode: "lines", line: { color: colour, width: 1.8, dash },
    });
  }

  /** Cuts that were measured on the whole split, on the curve or by themselves, as small open signs. */
  singlesOf(one) {
    const singles = one.members.flatMap((member) => member.singles.map((single) => ({ ...single, run: member.run })))
      .filter((single) => !this.plot.beyond(single.accuracy.value));
    const { colour, symbol } = this.look(one);
    const { percent, share } = format;
    return this.of(`single-${one.number}`, singles.map(this.axis.read), singles.map((single) => single.accuracy.value), {
      mode: "markers", cliponaxis: false, hoverinfo: "text",
      marker: { symbol: `${symbol}-open`, size: 7, color: colour, line: { width: 1.3 } },
      hovertext: singles.map((single) => plain(
        `${single.run.name}: ${share(single.ratio)} removed, ${percent(single.accuracy.value, single.accuracy.n)}`)),
    });
  }

  /** The Pareto front of all that is shown: no cut is cheaper and as accurate. */
  frontOf(drawn) {
    const dots = drawn.flatMap((one) => [
      ...one.points.map((point) => ({ cost: this.axis.read(point), value: point.value.mean })),
      ...one.members.flatMap((member) => member.singles.map((single) => ({ cost: this.axis.read(single), value: single.accuracy.value }))),
    ]);
    const front = paretoFront(dots, (dot) => dot.cost, (dot) => dot.value);
    return this.of("front", front.map((dot) => dot.cost), front.map((dot) => dot.value), {
      mode: "lines", opacity: 0.7,
      line: { shape: "hv", width: 1, dash: "1px,3px", color: this.app.colours().ink },
    });
  }

  now() {
    const colours = this.app.colours();
    const dots = this.dots();
    const data = dots.filter((dot) => !dot.side).map(({ one, at, value }) => {
      const { colour, symbol } = this.look(one);
      return this.of(`dot-${one.number}`, [at], [value], {
        mode: "markers", cliponaxis: false, marker: { symbol, size: 11, color: colour, line: { width: 1.5, color: colours.surface } },
      });
    });
    const annotations = outsidePlaces(this.plot, dots).map((place) => pillNote(this.plot, place, this.look(place).colour, colours));
    return { data, annotations };
  }

  /** Where each series stands at the shared ratio. */
  dots() {
    return this.app.series.filter((one) => one.now?.accuracy).map((one) => {
      const [at, value] = [this.axis.now(one.now), one.now.accuracy.mean];
      const side = this.plot.beyond(value);
      const text = `${side < 0 ? "↓" : "↑"} ${format.percent(value, one.n)}`;
      return { one, number: one.number, at, value, side, text, x: this.plot.x(at), data: { "data-value": value, "data-x": at } };
    });
  }

  marks() {
    const dots = this.dots();
    const inside = dots.filter((dot) => !dot.side).map((dot) => seriesSign(dot.number, {
      class: "cmp-sign cmp-dot", ...dot.data, transform: `translate(${dot.x.toFixed(1)} ${this.plot.y(dot.value).toFixed(1)})`,
    }));
    return [...inside, ...outsidePills(outsidePlaces(this.plot, dots))];
  }

  /** What each kind of sign in the figure means, of those that are there. */
  signs() {
    const drawn = this.drawn();
    return [
      ["dot", "at the shared ratio, read between points"],
      drawn.some((one) => one.members.some((member) => member.singles.length)) && ["single", "a cut measured on the whole split"],
      this.app.state.x !== "ratio" && ["front", "front: no cut shown is cheaper and as accurate"],
      drawn.some((one) => one.members.length > 1) && ["band", "mean ± standard deviation over seeds"],
      ["out", "beyond the axis"],
    ].filter(Boolean);
  }

  /** The figure in words, with where each series stands at the shared ratio. */
  sentence() {
    const names = this.drawn().map((one) => one.name).join("; ");
    const now = this.dots().map(({ one, side }) => {
      const beyond = { "-1": ", below the axis", 1: ", above the axis", 0: "" }[side];
      return `${one.name} ${plusMinus(one.now.accuracy, (value) => format.percent(value, one.n))}${beyond}`;
    });
    const dots = now.length ? ` At the shared ratio, ${format.share(this.app.state.r)}: ${now.join("; ")}.` : "";
    return `Validation accuracy over the ${this.axis.title} of ${names}.${dots} The table below has the numbers.`;
  }

  table() {
    return accuracyTable(this.app.series, this.app.state.r);
  }
}
