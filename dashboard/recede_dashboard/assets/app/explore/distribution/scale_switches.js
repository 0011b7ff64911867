/** Axis, count scale and download menu of the distribution. */

import { segmented } from "../../lib/controls.js";
import { h, setText } from "../../lib/elements.js";
import { saveMenu } from "../../charts/saving.js";
import { DistributionFigure } from "./figure.js";

/** @import { Explore } from "../types.js" */

/** Axis, count scale and download menu above the distribution. @param {Explore} app */
export function mountTools(app) {
  const axis = segmented({
    id: "axis-toggle", label: "Importance axis",
    options: [["logit", "logit", "Shows both humps at full width"], ["sigma", "linear", "Importance itself"]],
    pick: (value) => app.set({ axis: value }),
  });
  const y = segmented({
    id: "count-toggle", label: "Count scale",
    options: [
      ["sqrt", "√", "Square root: keeps small humps visible beside tall bins"],
      ["linear", "linear", "Linear"], ["log", "log", "Logarithm of 1 + n"],
    ],
    pick: (value) => app.set({ y: value }),
  });
  const figure = new DistributionFigure(app);
  const menu = saveMenu(app, () => figure, "distribution");
  app.els.find("#axis-slot").append(
    h("span", { class: "rx-unit", text: "Count" }), y.node, h("span", { class: "rx-unit", text: "Axis" }), axis.node, menu.node,
  );
  app.panels.push({
    render() {
      axis.show(app.state.axis);
      y.show(app.state.y);
      const plain = app.source.shape?.scale === "plain";
      setText(axis.buttons[0], plain ? "log" : "logit");
    },
  });
}
