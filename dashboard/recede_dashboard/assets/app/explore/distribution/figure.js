/** The distribution as a figure that can be saved: as it is drawn now, and all its epochs as a table. */

import * as format from "../../format/numbers.js";

/** @import { Colours, Explore } from "../types.js" */

export class DistributionFigure {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.id = "importances";
  }

  get plot() {
    return this.app.distribution.plot;
  }

  /** With what the page says around the drawing: layer, threshold, how many go. */
  get title() {
    const { now, state } = this.app;
    const parts = [`Importances of ${state.layer || "all layers"}`];
    if (now.line !== null && now.line !== undefined) parts.push(`threshold ${format.threshold(now.line)}`);
    if (now.selection) parts.push(`${format.integer(now.selection.removed)} neurons removed`);
    return parts.join(" · ");
  }

  /** @param {CanvasRenderingContext2D} g @param {Colours} colours */
  paintAll(g, colours) {
    this.app.distribution.paintAll(g, colours);
  }

  /** One line for each epoch and bin. */
  table() {
    const { histogram, axis } = this.plot;
    const step = (histogram.high - histogram.low) / histogram.bins;
    const logit = this.app.source.shape.scale === "plain" ? "log10_gamma" : "w";
    const unit = this.app.state.axis === "logit" ? logit : "importance";
    return {
      about: `neurons in each bin of every epoch, ${axis.title}`,
      columns: ["epoch", `${unit}_from`, `${unit}_to`, "neurons"],
      rows: [...histogram.row].flatMap(([epoch, row]) => Array.from(row, (count, i) =>
        [epoch, histogram.low + i * step, histogram.low + (i + 1) * step, count])),
    };
  }
}
