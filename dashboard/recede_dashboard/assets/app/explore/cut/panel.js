/** The cut: ratio, threshold and targets that follow each other, and the ledger of what it costs. */

import { h, named, setAttributes, setText } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { showFault } from "../feedback/fault.js";
import { More } from "./more.js";
import { UndoButtons } from "./undo_buttons.js";
import { IMPORTANCE } from "../data/scores.js";
import { TargetControl } from "../target/control.js";

/** @import { Explore, Now, Source, State } from "../types.js" */

export class Cut {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.target = new TargetControl(app);
    this.more = new More(app);
    this.undo = new UndoButtons(app);
    this.buildControls();
    this.entries = ["removed-count", "cost-params", "cost-macs"].map((id) => {
      const value = app.els.find(`#${id}`);
      const row = value.parentElement;
      /** @param {string} name */
      const part = (name) => row.querySelector(name);
      return { value, dense: part(".rx-entry-dense"), share: part(".rx-entry-share"), bar: part(".rx-bar") };
    });
  }

  buildControls() {
    const { app } = this;
    /** @param {string} id @param {string} label @param {string} wanted */
    const field = (id, label, props, wanted, use) => {
      const input = h("input", {
        ...named(id), type: "number", class: "rx-field", "aria-label": label, step: "any", min: 0, ...props,
      });
      input.addEventListener("input", () => this.type(input, wanted, use));
      input.addEventListener("change", () => app.released());
      input.addEventListener("blur", () => {
        showFault(input);
        app.dirty();
      });
      return input;
    };
    this.slider = h("input", {
      ...named("ratio-slider"), type: "range", min: 0, max: 0.99, step: 0.001,
      "aria-label": "Ratio: share of the neurons to remove",
      oninput: () => app.choose({ by: "ratio", ratio: Number(this.slider.value) }),
      onchange: () => app.released(),
    });
    this.ratio = field("ratio-input", "Ratio in percent", { max: 99.99 }, "a ratio is a percentage from 0 to 99.99", (percent) =>
      percent <= 99.99 && { by: "ratio", ratio: Number((percent / 100).toFixed(8)) });
    this.threshold = field("threshold-input", "Threshold on the importance", {}, "a threshold is 0 or more", (value) =>
      ({ by: "threshold", threshold: value }));
    this.gap = this.jump("gap-button", "Natural gap", () => app.toGap());
    this.lossless = this.jump("lossless-button", "Lossless", () => app.toLossless());
    /** @param {string} text */
    const label = (text, of, of_) => (this.labels[of] = h("label", { class: "rx-label", for: of_, text }));
    this.labels = {};
    app.els.find("#scope-slot").append(this.undo.node);
    app.els.find("#control-slot").append(
      label("Remove", "ratio", "ratio-slider"),
      h("div", { class: "rx-range" }, this.slider),
      h("span", { class: "rx-with-unit" }, this.ratio, h("span", { class: "rx-unit", text: "%" })),
      label("Threshold", "threshold", "threshold-input"),
      h("div", { class: "rx-row" }, this.gap, this.lossless), this.threshold,
      ...this.target.nodes, this.more.node,
    );
  }

  destroy() {
    this.undo.destroy();
  }

  /** @param {string} id @param {string} text */
  jump(id, text, onclick) {
    return h("button", { ...named(id), type: "button", class: "rx-button rx-small", text, onclick });
  }

  /**
   * A number typed into a field: used at once when it can be; when not, it says what is wanted.
   * @param {HTMLInputElement} input @param {string} wanted
   */
  type(input, wanted, use) {
    const value = input.value.trim() === "" ? NaN : Number(input.value);
    const patch = Number.isFinite(value) && value >= 0 && use(value);
    showFault(input, patch ? "" : wanted);
    if (patch) this.app.choose(patch);
  }

  render() {
    const { app } = this;
    const { state, now } = app;
    for (const part of [this.target, this.more, this.undo]) part.render();
    this.renderHeld(state);
    const ready = Boolean(now.selection);
    for (const node of [this.slider, this.ratio]) setAttributes(node, { disabled: !ready });
    setAttributes(this.threshold, { disabled: !ready || now.line === null });
    this.renderJumps(ready);
    if (!ready) return;
    this.slider.value = String(now.asked);
    this.slider.style.setProperty("--rx-fill", Math.min(1, now.asked / 0.99));
    setAttributes(this.slider, {
      "aria-valuetext": `${format.share(now.asked)} of the neurons`, "data-value": now.asked,
    });
    write(this.ratio, String(Number((100 * now.asked).toFixed(2))));
    write(this.threshold, now.line === null ? "" : format.plain(now.line));
    setAttributes(this.threshold, {
      placeholder: now.line === null ? "one per layer" : null, "data-value": now.line,
      title: now.line === null ? "Local scope: each layer has its own threshold" : null,
    });
    this.renderLedger();
  }

  /** Which of the three is held: the others follow it. @param {State} state */
  renderHeld(state) {
    const held = state.target ? "target" : state.by;
    for (const [name, node] of Object.entries(this.labels)) {
      setAttributes(node, {
        "data-held": held === name, title: held === name ? "This one is fixed; the others follow" : null,
      });
    }
  }

  renderJumps(ready) {
    const { now, source } = this.app;
    const gap = now.gap ?? null;
    setAttributes(this.gap, {
      disabled: !ready || gap === null, "data-value": gap,
      title: gap === null ? this.whyNoGap(source) : null,
      "data-note": gap === null ? null : `At ${format.threshold(gap)} (g)`,
    });
    setAttributes(this.lossless, {
      disabled: !ready || now.lossless === null, "data-value": now.lossless && now.lossless.ratio,
      title: now.lossless === null ? this.whyNoLossless(source, now) : null,
      "data-note": now.lossless === null ? null : `${format.share(now.lossless.ratio)} of the neurons (l)`,
    });
  }

  whyNoGap({ criterion }) {
    return criterion === IMPORTANCE
      ? "No natural gap: the importances of this epoch have a single hump"
      : "The natural gap belongs to the importances; the neurons are ranked by another criterion";
  }

  /** @param {Source} source @param {Now} now */
  whyNoLossless(source, now) {
    if (!source.curve?.points.length) return "Available once the accuracy curve is measured";
    return source.curve.epoch === now.epoch
      ? "The curve was measured for the other scope"
      : `The curve belongs to epoch ${source.curve.epoch}`;
  }

  renderLedger() {
    const { now } = this.app;
    const { compact, integer, share } = format;
    const neurons = now.ranking ? now.ranking.size : now.selection.removed + sum(now.selection.kept);
    /** @type {[string, string, number, string, Record<string, unknown>][]} */
    const rows = [
      [integer(now.selection.removed), `of ${integer(neurons)}`, now.selection.ratio, "removed",
        { "data-value": now.selection.removed, "data-total": neurons, "data-ratio": now.selection.ratio }],
      [compact(now.cost.params), `of ${compact(now.dense.params)}`, now.cost.params / now.dense.params, "kept",
        { "data-value": now.cost.params, "data-dense": now.dense.params, title: `${integer(now.cost.params)} parameters` }],
      [compact(now.cost.macs), `of ${compact(now.dense.macs)}`, now.cost.macs / now.dense.macs, "kept",
        { "data-value": now.cost.macs, "data-dense": now.dense.macs,
          title: `${integer(now.cost.macs)} multiply-adds, ${compact(2 * now.cost.macs)} FLOPs` }],
    ];
    rows.forEach(([value, dense, part, word, attributes], i) => {
      const entry = this.entries[i];
      setText(entry.value, value);
      setText(entry.dense, dense);
      setText(entry.share, `${share(part)} ${word}`);
      setAttributes(entry.value, { ...attributes, "aria-busy": now.stale || null });
      entry.bar.style.setProperty("--rx-kept-share", word === "removed" ? 1 - part : part);
    });
  }
}

const sum = (values) => values.reduce((a, b) => a + b, 0);

/**
 * Show a value in a field unless it is being edited.
 * @param {HTMLInputElement} input @param {string} text
 */
function write(input, text) {
  if (document.activeElement === input && input.matches(":focus") && input.dataset.typed) return;
  if (input.value !== text) input.value = text;
}

document.addEventListener("input", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.matches?.(".rx-field")) target.dataset.typed = "true";
}, true);
document.addEventListener("focusout", (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.matches?.(".rx-field")) delete target.dataset.typed;
}, true);
