/** Another criterion's curve of the same trained network, drawn beside the present one. */

import { h, svg } from "../../lib/elements.js";
import { curveOf } from "../data/curves.js";
import { measureCurve } from "../data/jobs.js";
import { knownCriteria } from "../data/scores.js";

export class CurveCompare {
  /** @param {object} app @param {{place: object, saved: function}} panel the curve's panel */
  constructor(app, panel) {
    this.app = app;
    this.panel = panel;
    this.chosen = "";
    this.names = "";
    this.select = h("select", {
      "data-testid": "curve-compare", class: "rx-select", "aria-label": "Compare with another criterion's curve",
      onchange: () => {
        this.chosen = this.select.value;
        app.dirty();
      },
    });
    this.button = h("button", {
      type: "button", class: "rx-link", text: "Measure that curve too", hidden: true, "data-testid": "curve-compare-button",
      onclick: () => measureCurve(app, this.place()),
    });
    this.node = h("span", { class: "rx-compare", hidden: true }, this.select);
  }

  place(epoch = this.app.now.epoch) {
    return { ...this.panel.place, epoch, criterion: this.chosen };
  }

  /** The criteria that can be chosen; nothing as long as there is only one. */
  render() {
    const { source, state } = this.app;
    const criteria = (source.loaded && knownCriteria(source)) || [];
    const present = state.criterion || "importance";
    const others = criteria.filter((one) => one.name !== present);
    if (this.chosen === present) this.chosen = "";
    const names = JSON.stringify([present, others.map((one) => one.name)]);
    if (names !== this.names) {
      this.names = names;
      this.select.replaceChildren(h("option", { value: "", text: "vs" }),
        ...others.map((one) => h("option", { value: one.name, text: one.label, title: one.help })));
    }
    this.select.value = this.chosen;
    this.node.hidden = !others.length;
    const curve = this.chosen ? curveOf(source, this.place()) : null;
    this.button.hidden = !curve || Boolean(curve.job) || curve.points.length > 0 || !this.app.now.hasWeights;
  }

  /** The other curve at that epoch, or null. */
  curve(epoch) {
    return this.chosen ? curveOf(this.app.source, this.place(epoch ?? undefined)) : null;
  }

  label() {
    return this.app.source.criteria?.find((one) => one.name === this.chosen)?.label || this.chosen;
  }

  /** A dashed line with its name at the end: never told by colour alone. */
  shapes(plot, curve) {
    const at = curve.points.map((point) => [
      plot.x(this.panel.saved(point.ratio, point.cost)), plot.y(point.accuracy.value),
    ]);
    const d = at.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    const middle = at[Math.floor(at.length / 2)];
    const right = middle[0] > (plot.left + plot.right) / 2;
    return [
      svg("path", { class: "rx-curve-other", d }),
      svg("text", {
        class: "rx-curve-other-text", x: middle[0] + (right ? -8 : 8), y: middle[1] - 8,
        "text-anchor": right ? "end" : "start", text: this.label() + (curve.job ? " (measuring)" : ""),
      }),
    ];
  }
}
