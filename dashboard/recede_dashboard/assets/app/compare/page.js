/** Compare as a whole: mounts on its root, keeps the address, moves one dot on every line. */

import { segmented } from "../lib/controls.js";
import { h, setAttributes, setText, svg } from "../lib/elements.js";
import { complain } from "../lib/page/notices.js";
import { throttle } from "../lib/throttle.js";
import * as format from "../format/numbers.js";
import { onEvent } from "../api/live.js";
import { palette } from "../charts/palette.js";
import { ACCURACY_AXES, AccuracyFigure } from "./figures/accuracy.js";
import { ImportanceFigure } from "./figures/importances.js";
import { figureSaveMenu } from "./figures/saving.js";
import { seriesSign } from "./figures/series_look.js";
import { loadRuns } from "./series/data.js";
import { MOST_SERIES, seriesAt, seriesOf } from "./series/series.js";
import { SettingsTable } from "./table.js";

const SELECTOR = "[data-recede-compare]";
const START = { r: 0.5, x: "ratio", d: "log", zoom: false, seeds: "together" };
const CHOICES = { x: ["ratio", "macs", "params"], d: ["log", "linear"], seeds: ["together", "apart"] };

export function fromUrl(search) {
  const params = new URLSearchParams(search);
  const state = { ...START };
  for (const [name, known] of Object.entries(CHOICES)) {
    if (known.includes(params.get(name))) state[name] = params.get(name);
  }
  const ratio = Number(params.get("r"));
  if (params.has("r") && ratio >= 0 && ratio < 1) state.r = ratio;
  state.zoom = params.get("zoom") === "1";
  return state;
}

class Compare {
  constructor(root) {
    this.root = root;
    this.ids = (root.dataset.runs || "").split(",").filter(Boolean);
    this.state = fromUrl(location.search);
    this.series = [];
    this.loaded = [];
    this.missing = [];
    this.path = location.pathname;
    this.build();
    this.refresh();
    this.soon = throttle(() => this.refresh(), 1500);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.host);
    this.scheme = new MutationObserver(() => this.draw());
    this.scheme.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
  }

  build() {
    const pick = (name) => (value) => this.set({ [name]: value }, true);
    this.switches = {
      x: segmented({ id: "compare-x", label: "Horizontal axis", pick: pick("x"), options: Object.entries(ACCURACY_AXES).map(([value, one]) => [value, one.label, one.title]) }),
      d: segmented({ id: "compare-d", label: "Importance axis", pick: pick("d"), options: [["log", "Log", "Decades of the importance"], ["linear", "Linear", "The importance itself, 0 to 1"]] }),
      seeds: segmented({ id: "compare-seeds", label: "Runs that differ only in their seed", pick: (value) => { this.set({ seeds: value }, false); this.gather(); }, options: [["together", "Seeds as mean ± s.d.", "Runs that differ only in their seed share a line"], ["apart", "Each run", "One line per run"]] }),
    };
    this.slider = h("input", {
      type: "range", min: 0, max: 0.99, step: 0.01, id: "compare-ratio", "data-testid": "compare-ratio", class: "cmp-slider",
      "aria-label": "Share of the neurons to remove, in all runs",
      oninput: () => this.set({ r: Number(this.slider.value) }, false),
    });
    this.shown = h("output", { class: "cmp-ratio", for: "compare-ratio" });
    this.zoom = h("button", { type: "button", class: "btn btn-small", text: "Top 10 points", title: "Show only the best ten percentage points", onclick: () => this.set({ zoom: !this.state.zoom }, true) });
    const body = (id) => h("div", { class: "cmp-plot", id, "data-testid": id });
    const words = () => h("ul", { class: "cmp-words", "aria-label": "What the signs mean" });
    this.list = h("div", { class: "cmp-list", "data-testid": "compare-list" });
    this.note = h("p", { class: "cmp-note muted", role: "status" });
    const hosts = [body("compare-accuracy"), body("compare-distribution"), h("div", { class: "card cmp-table-card", "data-testid": "compare-table" })];
    this.figures = [new AccuracyFigure(this, hosts[0], words()), new ImportanceFigure(this, hosts[1], words())];
    this.panels = [...this.figures, new SettingsTable(this, hosts[2])];
    this.menus = this.figures.map((panel) => figureSaveMenu(this, panel));
    const figure = ([panel, menu], tools) => h("section", { class: "card cmp-card" },
      h("div", { class: "cmp-head" }, h("h2", { text: panel.title }), tools, menu.node), panel.host, panel.words);
    this.host = h("div", { class: "cmp" }, this.note, this.list,
      h("div", { class: "cmp-bar" }, h("label", { for: "compare-ratio", text: "Remove" }), this.slider, this.shown, this.switches.seeds.node),
      h("div", { class: "cmp-figures" },
        figure([this.figures[0], this.menus[0]], [this.zoom, this.switches.x.node]),
        figure([this.figures[1], this.menus[1]], [this.switches.d.node])), hosts[2]);
    this.root.querySelector(".cmp-mount").replaceChildren(this.host);
  }

  /** What saving a figure asks of a page: nothing is left to be drawn. */
  fresh() {}

  /** Of the scheme that is on now. */
  colours() {
    return palette(this.host);
  }

  async refresh() {
    if (this.gone) return;
    try {
      const { found, missing } = await loadRuns(this.ids);
      this.loaded = found;
      this.missing = missing;
      this.gather();
      this.root.dataset.state = "ready";
    } catch (error) {
      complain(error, "The runs could not be loaded");
    }
  }

  gather() {
    this.series = seriesOf(this.loaded, this.state.seeds === "together");
    this.locate();
    const shown = this.series.reduce((sum, one) => sum + one.members.length, 0);
    const words = this.missing.map((one) => `${one.id}: ${one.message}`);
    if (shown < this.loaded.length) words.push(`Shown are the first ${MOST_SERIES} lines: ${shown} of ${this.loaded.length} runs.`);
    setText(this.note, words.join(" "));
    this.list.replaceChildren(...this.loaded.map((one) => this.chip(one)));
    this.draw();
  }

  chip(one) {
    const number = this.series.find((series) => series.members.includes(one))?.number ?? 0;
    return h("span", { class: "filter-chip cmp-chip", "data-run": one.run.id }, this.signOf(number),
      h("a", { href: `/runs/${one.run.id}`, text: one.run.name, title: one.run.name }),
      h("button", { type: "button", class: "icon-button", title: "Remove this run from the comparison", "aria-label": `Remove ${one.run.name} from the comparison`, onclick: () => this.drop(one.run.id) }, "×"));
  }

  drop(id) {
    this.ids = this.ids.filter((one) => one !== id);
    this.loaded = this.loaded.filter((one) => one.run.id !== id);
    this.root.dataset.runs = this.ids.join(",");
    this.address();
    this.gather();
  }

  signOf(number) {
    return svg("svg", { class: "cmp-key", width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" }, seriesSign(number));
  }

  legend(one) {
    return h("span", { class: "cmp-legend", title: one.name }, this.signOf(one.number), h("span", { text: one.name }));
  }

  locate() {
    for (const one of this.series) one.now = seriesAt(one, this.state.r);
  }

  set(patch, whole) {
    Object.assign(this.state, patch);
    this.locate();
    this.address();
    if (whole) this.draw();
    else this.move();
  }

  /** Only what a drag changes. */
  move() {
    this.controls();
    for (const panel of this.panels) panel.move();
  }

  draw() {
    this.controls();
    if (this.series.length) for (const panel of this.panels) panel.render();
    this.figures.forEach((panel, i) => this.menus[i].show(Boolean(panel.plot)));
  }

  controls() {
    for (const [name, one] of Object.entries(this.switches)) one.show(this.state[name]);
    this.slider.value = this.state.r;
    setText(this.shown, format.share(this.state.r));
    setAttributes(this.zoom, { "aria-pressed": String(this.state.zoom) });
  }

  address() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.gone || location.pathname !== this.path) return;
      const params = new URLSearchParams({ runs: this.ids.join(","), r: String(this.state.r) });
      for (const name of Object.keys(CHOICES)) if (this.state[name] !== START[name]) params.set(name, this.state[name]);
      if (this.state.zoom) params.set("zoom", "1");
      history.replaceState(history.state, "", `?${params.toString().replaceAll("%2C", ",")}`);
    }, 180);
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.timer);
    this.observer.disconnect();
    this.scheme.disconnect();
    for (const figure of this.figures) figure.destroy();
    for (const menu of this.menus) menu.stop();
  }
}

let mounted = null;

function scan() {
  const root = document.querySelector(SELECTOR);
  if (mounted && mounted.root === root) return;
  mounted?.destroy();
  mounted = root && root.querySelector(".cmp-mount") && root.dataset.runs ? new Compare(root) : null;
}

onEvent((event) => {
  if (!mounted || !mounted.ids.includes(event.run_id) || event.type === "progress") return;
  mounted.soon();
});
let planned = 0;
const start = () => {
  scan();
  new MutationObserver(() => {
    planned = planned || requestAnimationFrame(() => ((planned = 0), scan()));
  }).observe(document.body, { childList: true, subtree: true });
};
start();
