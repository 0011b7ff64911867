/** "Fine-tune…": opens the form of a new run, filled in with this run's network and the cut. */

import { setProps } from "../../lib/dash.js";
import { setAttributes } from "../../lib/elements.js";

/** @import { Explore } from "../types.js" */

export class FineTune {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.button = app.els.find("#finetune-button");
    this.button.addEventListener("click", () => this.open());
  }

  open() {
    const { plan, selection } = this.app.fresh();
    if (!plan || !selection) return;
    const data = { run: this.app.runId, plan, ratio: selection.ratio, at: Date.now() };
    setProps("run-form-fill", { data });
  }

  render() {
    const { now, source } = this.app;
    setAttributes(this.button, {
      disabled: !now.canCut || source.offline,
      title: now.canCut
        ? "Train the cut network further: opens the form for a new run"
        : source.run?.recording ? "Recorded elsewhere: train the cut network in its own script"
        : "The weights of this epoch were not kept, so it cannot be cut",
    });
  }
}
