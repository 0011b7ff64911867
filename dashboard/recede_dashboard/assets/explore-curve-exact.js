/** Beside what the curve says of itself: measure on all images what is only estimated so far. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});
  const format = () => window.recede.core.format;

  class ExactCurve {
    constructor(app, curve) {
      Object.assign(this, { app, curve });
      this.button = app.els.find("#curve-exact");
      this.button.addEventListener("click", () => explore.jobs.measureCurve(app, curve.place, true));
    }

    /** Points that are estimated, of the curve that is shown and can be measured now; else none. */
    left() {
      const { source, now } = this.app;
      const curve = explore.curves.of(source, this.curve.place);
      if (!curve || curve.job || source.offline || !now.hasWeights) return [];
      return curve.points.filter((point) => point.accuracy.kind === "estimated");
    }

    render() {
      const left = this.left();
      this.button.hidden = !left.length;
      if (!left.length) return;
      const { integer } = format();
      const n = left[0].accuracy.n_split;
      explore.dom.say(this.button, `Measure ${left.length === 1 ? "that one" : `those ${integer(left.length)}`} too`);
      explore.dom.mark(this.button, {
        title: `Exact: each of the ${integer(left.length)} estimated cuts is tried on all ${integer(n)} images, `
          + `${integer(left.length * n)} images in all, instead of a part of them. Points that are measured stay.`,
        "data-images": left.length * n,
      });
    }
  }

  explore.ExactCurve = ExactCurve;
})();
