/** Polarisation in numbers, of the epoch that is shown: fetched once, so scrubbing asks for nothing. */

import { h, setAttributes, setText } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { IMPORTANCE } from "../data/scores.js";

/** @import { Explore } from "../types.js" */

const TWO_MODES = 5 / 9;

/** @param {number} value */
const percent = (value) => format.share(value);
/** Field, label, and its value as text. @type {[string, string, (value: number) => string][]} */
const FIELDS = [
  ["below_001", "< 0.01", percent],
  ["below_01", "< 0.1", percent],
  ["above_05", "> 0.5", percent],
  ["bimodality", "bimodality", (value) => value.toFixed(2)],
  ["valley", "natural gap", (value) => format.threshold(value)],
];
const MISSING = {
  bimodality: "too few neurons, or all equal",
  valley: "the importances have a single hump",
};

export class Polarisation {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.place = app.els.find("#polarisation");
    this.values = new Map();
    this.key = "";
  }

  build() {
    this.place.replaceChildren(...FIELDS.map(([name, label]) => {
      const value = h("dd", { "data-testid": `polarisation-${name}`, text: "–" });
      const label_ = h("dt", { text: label });
      this.values.set(name, { value, label: label_ });
      return h("div", { class: "rx-polar-entry" }, label_, value);
    }));
  }

  /** What is known of the epoch, of the chosen layer if there is one. */
  known() {
    const { source, now, state } = this.app;
    const found = source.polarisation.get(now.epoch);
    if (!found) return null;
    return now.layer >= 0 ? found.layers?.[state.layer] || null : found.overall;
  }

  render() {
    const { source, now, state } = this.app;
    const shown = source.polarisation.size > 0 && source.criterion === IMPORTANCE;
    setAttributes(this.place, { hidden: !shown });
    if (!shown) return;
    if (!this.values.size) this.build();
    const key = `${now.epoch} ${state.layer} ${source.polarisation.size}`;
    if (key === this.key) return;
    this.key = key;
    const known = this.known();
    for (const [name, label, text] of FIELDS) this.show(name, label, known?.[name] ?? null, text);
    this.layers();
  }

  /** @param {string} name @param {string} label @param {number} value @param {(value: number) => string} text */
  show(name, label, value, text) {
    const { source, state } = this.app;
    const at = this.values.get(name);
    setText(at.value, value === null ? "–" : text(value));
    setAttributes(at.value, {
      "data-value": value,
      "data-two": name === "bimodality" && value !== null && value > TWO_MODES ? "true" : null,
    });
    const why = value === null && MISSING[name] ? `None: ${MISSING[name]}. ` : "";
    const whose = state.layer ? `Of ${state.layer}. ` : "";
    setAttributes(at.label, { "data-note": `${whose}${why}${source.definitions[name] || label}` });
  }

  /** The same numbers of each layer, where its name is pointed at. */
  layers() {
    const { source, now } = this.app;
    const layers = source.polarisation.get(now.epoch)?.layers || {};
    for (const node of this.app.els.frame.querySelectorAll(".rx-layer-main[data-layer]")) {
      const one = layers[node.dataset.layer];
      if (!one) continue;
      const parts = FIELDS.filter(([name]) => one[name] !== null).map(([name, label, text]) => `${label} ${text(one[name])}`);
      setAttributes(node.querySelector(".rx-layer-name"), { title: `${node.dataset.layer}: ${parts.join(", ")}` });
    }
  }
}
