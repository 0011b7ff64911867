/** The rarer choices of a cut behind "More": scope is in sight, the rest unfolds. */

import { segmented } from "../../lib/controls.js";
import { h, named, setAttributes, setText } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";
import * as format from "../../format/numbers.js";
import { showFault } from "../feedback/fault.js";
import { knownCriteria } from "../data/scores.js";
import { measuredCut } from "../state/accuracy.js";

/** @import { Accuracy } from "../../api/types.js" */
/** @import { Explore, Now, Source, State } from "../types.js" */
/** @import { Shape } from "../../pruning/selection.js" */

const OPEN_KEY = "recede.more-open";
const ROUNDS = [1, 4, 8, 16, 32];
const MAX_RATIO = 0.9999;

export class More {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.scope = this.switch("scope-toggle", "Scope of the cut", [
      ["global", "Global", "One threshold for all neurons of the network"],
      ["local", "Local", "The same ratio in every layer"],
    ], (scope) => this.pickScope(scope));
    this.buildFields();
    this.toggle = h("button", {
      ...named("more-toggle"), type: "button", class: "rx-disclose", "aria-expanded": "false", "aria-controls": "more-panel",
      onclick: () => this.open(!this.isOpen),
    }, h("span", { text: "More" }), (this.count = h("b")));
    this.panel = h("div", { ...named("more-panel"), class: "rx-more", hidden: true },
      ...this.line("Rank by", "criterion", this.criterion),
      ...this.line("Round up to", "round-toggle", this.rounds.node),
      ...this.line("At least", "min-channels", h("span", { class: "rx-row" }, this.least, h("span", { class: "rx-unit", text: "channels per layer" }))),
      ...(this.biasLine = this.line("Constant output", "bias-toggle", this.bias.node)), this.biasNote);
    this.node = h("div", { class: "rx-settings" },
      h("div", { class: "rx-settings-head" }, this.scope.node, this.toggle), this.panel, this.status);
    this.isOpen = remembered();
  }

  buildFields() {
    const { app } = this;
    this.criterion = h("select", {
      ...named("criterion"), class: "rx-select rx-select-wide", "aria-label": "What ranks the neurons",
      onchange: () => this.choose({ criterion: this.criterion.value, ...this.byRatio() }),
    });
    this.status = h("p", { ...named("criterion-status"), class: "rx-target-note", role: "status" });
    this.rounds = this.switch("round-toggle", "Round the channels of each layer up to a multiple of",
      ROUNDS.map((value) => [String(value), String(value), value === 1 ? "Any number of channels" : `Each layer keeps a multiple of ${value} channels`]),
      (value) => this.choose({ roundTo: Number(value) }));
    this.least = h("input", {
      ...named("min-channels"), type: "number", class: "rx-field rx-short", min: 1, step: 1,
      "aria-label": "Minimum number of channels in every layer", oninput: () => this.typedLeast(),
      onchange: () => app.released(), onblur: () => showFault(this.least),
    });
    this.bias = this.switch("bias-toggle", "What happens to the constant output of removed channels", [
      ["drop", "Discard", "The constant relu(β) that a removed channel still outputs is discarded"],
      ["fold", "Absorb", "relu(β) of a removed channel is added to the next layer: exact except at image borders"],
    ], (bias) => this.choose({ bias }));
    this.biasNote = h("p", { ...named("bias-note"), class: "rx-target-note" });
  }

  /** @param {string} id @param {string} label */
  switch(id, label, options, pick) {
    return segmented({ id, label, options, pick });
  }

  /** @param {string} text @param {string} id */
  line(text, id, node) {
    return [h("label", { class: "rx-label", for: id, text }), node];
  }

  /** @param {Partial<State>} patch */
  choose(patch) {
    this.app.choose(patch);
    this.app.released();
  }

  /** @param {State["scope"]} scope */
  pickScope(scope) {
    const { app } = this;
    if (scope === app.state.scope) return;
    this.choose({ scope, ...(app.state.by === "threshold" ? this.byRatio() : {}) });
  }

  /**
   * A threshold belongs to one ranking; with another one the ratio is what stays.
   * @returns {Partial<State>}
   */
  byRatio() {
    const { state, now } = this.app;
    if (state.by !== "threshold") return {};
    return { by: "ratio", ratio: Math.min(MAX_RATIO, Number((now.asked ?? state.ratio).toFixed(4))) };
  }

  typedLeast() {
    const text = this.least.value.trim();
    const value = text === "" ? null : Number(text);
    const good = !this.least.validity.badInput && (value === null || (Number.isInteger(value) && value >= 1 && value <= 65536));
    showFault(this.least, good ? "" : "the minimum is a whole number from 1 to 65,536");
    if (good) this.app.choose({ minChannels: value });
  }

  /** @param {boolean} on */
  open(on) {
    this.isOpen = on;
    remember(on);
    this.app.dirty();
    this.app.fresh(); // Tab may follow at once
  }

  render() {
    const { state, source, now } = this.app;
    this.scope.show(state.by === "threshold" ? "global" : state.scope);
    const plainNorm = source.network?.scale === "plain";
    const changed = [state.criterion !== "importance", state.roundTo !== 1, state.minChannels !== null, state.bias !== "drop"].filter(Boolean).length;
    setAttributes(this.toggle, { "aria-expanded": String(this.isOpen), title: changed ? `${format.plural(changed, "setting")} changed from the default` : "Criterion, rounding, minimum channels" });
    setText(this.count, changed ? String(changed) : "");
    this.panel.hidden = !this.isOpen;
    this.rounds.show(String(state.roundTo));
    this.bias.show(state.bias);
    for (const node of [...this.biasLine, this.biasNote]) node.hidden = !plainNorm;
    if (!(document.activeElement === this.least && this.least.dataset.typed)) this.least.value = state.minChannels ?? "";
    if (source.shape) setAttributes(this.least, { placeholder: this.ownMinima(source.shape), max: Math.max(...source.shape.groups.map((group) => group.size)) });
    if (this.isOpen) this.renderCriteria(state, source);
    this.renderStatus(state, source, now);
    if (plainNorm && this.isOpen) this.renderBias(state, source, now);
  }

  /** @param {Shape} shape */
  ownMinima(shape) {
    const all = shape.groups.map((group) => group.minimum);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    return low === high ? String(low) : `${low}–${high}`;
  }

  /** @param {State} state @param {Source} source */
  renderCriteria(state, source) {
    const known = knownCriteria(source) || [{ name: state.criterion, label: "Importance", help: "" }];
    const key = known.map((one) => one.name).join();
    if (this.criteriaKey !== key) {
      this.criteriaKey = key;
      this.criterion.replaceChildren(...known.map((one) => h("option", { value: one.name, text: one.label, title: one.help })));
    }
    this.criterion.value = state.criterion;
    setAttributes(this.criterion, { title: known.find((one) => one.name === state.criterion)?.help || null });
  }

  /**
   * How far the scores of a newly chosen criterion are.
   * @param {State} state @param {Source} source @param {Now} now
   */
  renderStatus(state, source, now) {
    const work = now.epoch === null || state.criterion === "importance" ? null : source.scores.progress(now.epoch);
    let words = "";
    if (work?.status === "failed") words = errorWords(work.error);
    else if (work) {
      const { progress } = work;
      words = `The scores of epoch ${now.epoch} are being computed…${progress?.total ? ` ${Math.round((100 * progress.done) / progress.total)} %` : ""}`;
    }
    this.status.hidden = !words;
    setText(this.status, words);
    setAttributes(this.status, { "data-tone": work?.status === "failed" ? "bad" : null });
  }

  /**
   * The same neurons cut both ways: what was measured of either.
   * @param {State} state @param {Source} source @param {Now} now
   */
  renderBias(state, source, now) {
    if (!now.ranking) return;
    const of = (variant) =>
      measuredCut(source, now.epoch, state.criterion, now.ranking, now.selection, variant)?.accuracy;
    const [drop, fold] = [of("drop"), of("fold")];
    /** @param {Accuracy} accuracy */
    const shown = (accuracy) => (accuracy ? format.percent(accuracy.value, accuracy.n) : "not measured");
    const words = drop && fold
      ? `Same neurons removed: discarded ${shown(drop)}, absorbed ${shown(fold)} (${format.points(fold.value - drop.value, fold.n)} points).`
      : `A removed channel of an ordinary batch norm still outputs relu(β). On this cut: discarded ${shown(drop)}, absorbed ${shown(fold)}.`;
    setText(this.biasNote, words);
  }
}

function remembered() {
  try {
    return sessionStorage.getItem(OPEN_KEY) === "yes";
  } catch {
    return false; // storage is switched off in this browser
  }
}

/** @param {boolean} on */
function remember(on) {
  try {
    sessionStorage.setItem(OPEN_KEY, on ? "yes" : "no");
  } catch {
    // it then folds with the page
  }
}
