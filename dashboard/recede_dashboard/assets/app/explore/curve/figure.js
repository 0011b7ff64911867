/** The curve as a figure that can be saved: its drawing once more on a canvas, its points as a table. */

import { paintSvg } from "./paint_svg.js";

export class CurveFigure {
  constructor(app, curve) {
    this.app = app;
    this.curve = curve;
    this.id = "curve";
  }

  get title() {
    const { epoch } = this.curve.curveShown();
    return `Accuracy after the cut${epoch === this.app.now.epoch ? "" : ` of epoch ${epoch}`}`;
  }

  get plot() {
    return this.curve.plot;
  }

  /** Draw all that is seen onto a canvas, or into what writes SVG. */
  paintAll(g) {
    paintSvg(g, this.curve.host.querySelector("svg"));
  }

  /** The measured and estimated points at full precision, those of single cuts below. */
  table() {
    const { curve } = this;
    const { epoch, criterion, scope, bias } = curve.curveShown() || curve.place;
    const row = (where) => ({ ratio, cost, accuracy: one }) => [
      where, ratio, cost.params, cost.macs, one.value, one.kind, one.n, one.n_split, one.low, one.high, one.split_low, one.split_high,
    ];
    return {
      about: `validation accuracy of cuts, epoch ${epoch}, criterion ${criterion}, scope ${scope}, constants ${bias}`,
      columns: [
        "point_of", "ratio", "params", "macs", "accuracy", "kind", "n", "n_split", "low_95", "high_95", "split_low", "split_high",
      ],
      rows: [...(curve.points || []).map(row("curve")), ...curve.others(epoch).map(row("single cut"))],
    };
  }
}
