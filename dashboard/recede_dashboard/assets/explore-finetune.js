/** "Fine-tune…": opens the form of a new run, filled in with this run's network and the cut. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});

  class FineTune {
    constructor(app) {
      this.app = app;
      this.button = app.els.find("#finetune-button");
      this.button.addEventListener("click", () => this.open());
    }

    open() {
      const { plan, selection } = this.app.fresh();
      if (!plan || !selection) return;
      const data = { run: this.app.runId, plan, ratio: selection.ratio, at: Date.now() };
      window.dash_clientside?.set_props("run-form-fill", { data });
    }

    render() {
      const { now, source } = this.app;
      explore.dom.mark(this.button, {
        disabled: !now.canCut || source.offline,
        title: now.canCut
          ? "Cut the network like this and train it on: opens the form of a new run"
          : "Only an epoch whose weights are kept can be cut",
      });
    }
  }

  explore.FineTune = FineTune;
})();
