/** Beside what the curve says of itself: measure on all images what is only estimated so far. */

import { setAttributes, setText } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { curveOf } from "../data/curves.js";
import { measureCurve } from "../data/jobs.js";

export class ExactCurve {
  constructor(app, curve) {
    this.app = app;
    this.curve = curve;
    this.button = app.els.find("#curve-exact");
    this.button.addEventListener("click", () => measureCurve(app, curve.place, true));
  }

  /** Points that are estimated, of the curve that is shown and can be measured now; else none. */
  left() {
    const { source, now } = this.app;
    const curve = curveOf(source, this.curve.place);
    if (!curve || curve.job || source.offline || !now.hasWeights) return [];
    return curve.points.filter((point) => point.accuracy.kind === "estimated");
  }

  render() {
    const left = this.left();
    this.button.hidden = !left.length;
    if (!left.length) return;
    const { integer } = format;
    const n = left[0].accuracy.n_split;
    setText(this.button, `Measure ${left.length === 1 ? "that one" : `those ${integer(left.length)}`} too`);
    setAttributes(this.button, {
      title: `Exact: each of the ${integer(left.length)} estimated cuts is tried on all ${integer(n)} images, `
        + `${integer(left.length * n)} images in all, instead of a part of them. Points that are measured stay.`,
      "data-images": left.length * n,
    });
  }
}
