/** Which view is below the distribution: tabs, the big form, and the menu to save a view. */

import { h, icon, named, setAttributes } from "../../lib/elements.js";
import { saveMenu } from "../../charts/saving.js";
import { Blobs } from "../data/blobs.js";
import { Pareto } from "../pareto/view.js";
import { Heatmap } from "../views/heatmap.js";
import { PrunabilityMap } from "../views/map.js";
import { Neurons } from "../views/neurons.js";

/** @import { Explore } from "../types.js" */

const WIDE = "(min-width: 1800px)"; // room for the curve and a view side by side
const VIEWS = [
  ["curve", "Curve", "Accuracy over what is removed"],
  ["heat", "Layers", "Every layer at every epoch: the share of receded neurons"],
  ["neurons", "Neurons", "The single neurons of one layer"],
  ["map", "Map", "Prunability map: accuracy of every ratio at every epoch"],
  ["pareto", "Pareto", "Accuracy against cost, with the front"],
];

export class Views {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    app.blobs = new Blobs(app);
    this.strip = app.els.find("#view-tabs");
    this.curve = app.els.find("#view-curve");
    this.tabs = VIEWS.map(([id, label, title]) => h("button", {
      ...named(`view-tab-${id}`), type: "button", role: "tab", class: "rx-tab", "aria-controls": `view-${id}`,
      title: `${title} (v: next view)`, text: label, onclick: () => this.choose(id),
    }));
    this.strip.append(...this.tabs);
    this.strip.addEventListener("keydown", (event) => this.key(event));
    this.wide = window.matchMedia(WIDE);
    this.onWide = () => app.dirty();
    this.wide.addEventListener("change", this.onWide);
    this.panels = [
      new Heatmap(app), new Neurons(app), new PrunabilityMap(app), new Pareto(app),
    ];
    this.big = h("button", {
      ...named("view-big"), type: "button", class: "rx-button rx-square rx-big-view", "aria-pressed": "false",
      onclick: () => this.toggleBig(),
    }, icon("expand"));
    this.menu = saveMenu(app, () => this.open());
    app.els.find("#view-slot").append(this.menu.node, this.big);
    app.views = this;
  }

  destroy() {
    this.wide.removeEventListener("change", this.onWide);
    this.panels.forEach((panel) => panel.destroy());
  }

  /** The view beside the curve, or in its place; null: only the curve. */
  current() {
    const { view } = this.app.state;
    if (view !== "curve") return view;
    return this.wide.matches ? "heat" : null;
  }

  /** The panel that the menu saves. */
  open() {
    return this.panels.find((panel) => panel.id === this.current()) || null;
  }

  /** @param {string} id */
  choose(id) {
    this.app.set({ view: id });
  }

  toggleBig() {
    this.app.set({ big: this.app.state.big === "yes" ? "no" : "yes" });
  }

  /** The next view, or the one before. */
  step(by) {
    const ids = this.tabs.filter((tab) => !tab.hidden).map((tab) => tab.id.slice("view-tab-".length));
    const at = ids.indexOf(this.current() || "curve");
    this.choose(ids[(at + by + ids.length) % ids.length]);
  }

  key(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    this.step(by);
    this.app.fresh();
    this.strip.querySelector('[aria-selected="true"]').focus();
  }

  move() {
    this.panels.forEach((panel) => panel.move?.());
  }

  render() {
    const { state, els } = this.app;
    const wide = this.wide.matches;
    const current = this.current();
    setAttributes(els.frame, { "data-view": current || "curve", "data-big": state.big === "yes" || null, "data-wide": wide || null });
    setAttributes(this.curve, { hidden: Boolean(current) && !wide });
    for (const tab of this.tabs) {
      const id = tab.id.slice("view-tab-".length);
      const on = id === (current || "curve");
      setAttributes(tab, { "aria-selected": String(on), tabindex: on ? 0 : -1, hidden: wide && id === "curve" });
    }
    setAttributes(this.big, {
      "aria-pressed": String(state.big === "yes"),
      "aria-label": "More room for the views", title: state.big === "yes" ? "Less room for the views (b)" : "More room for the views (b)",
    });
    this.menu.show(Boolean(this.open()));
    for (const panel of this.panels) {
      setAttributes(panel.section, { hidden: panel.id !== current });
      panel.render();
    }
  }
}

