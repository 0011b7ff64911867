/** What to hold beside ratio and threshold: a cost, an accuracy or a latency; picked, typed or drawn. */

import { segmented } from "../../lib/controls.js";
import { h, named, setAttributes, setText } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { showFault } from "../feedback/fault.js";
import { showToast } from "../feedback/toast.js";
import { COSTS } from "../state/choices.js";
import { Devices } from "./devices.js";
import { cancelLatency, findLatency } from "./latency.js";
import { presentValue, targetOutcome } from "./outcome.js";
import { plainNumber, TARGET_LABELS, targetAmount } from "../state/target_words.js";

/** @import { Target, Explore } from "../types.js" */

const SIZES = { k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const STEPS = 1000;
const MAX_DROP = 0.1;
const MAX_LATENCY_MS = 1e6; // as in the API
const ACCURACY_SPAN = 0.3; // below the uncut accuracy: what the slider covers

const HELP = {
  macs: "Multiply-adds per image: the largest network within this limit",
  params: "Parameters: the largest network within this limit",
  bytes: "Size of the weights file (safetensors): the largest network within this limit",
  accuracy: "The smallest network with at least this validation accuracy on the measured curve",
  drop: "The smallest network that loses at most this many percentage points",
  latency: "The largest network that runs this fast, measured on the worker’s device",
};
const TERMS = { macs: "macs", params: "params", accuracy: "validation", drop: "validation", latency: "latency" };
const isCost = (kind) => COSTS.includes(kind);

/**
 * "12.5M", "40 %", "1.2 MB" or a bare number in the unit that is shown; null where it is none.
 * @param {string} text
 */
function parse(text, kind, relative) {
  const found = /^([\d.,]+(?:e[+-]?\d+)?)\s*(%|[kmgt])?i?b?(?:ms|points?)?$/i.exec(text.trim());
  if (!found) return null;
  const value = Number(found[1].replaceAll(",", ""));
  if (!Number.isFinite(value)) return null;
  const unit = (found[2] || "").toLowerCase();
  if (isCost(kind)) {
    const share = unit === "%" || (!unit && relative);
    const of = share ? value / 100 : value * (SIZES[unit] || 1);
    return of > 0 && (!share || of <= 1) ? { kind, value: of, relative: share } : null;
  }
  if (kind === "latency") return value > 0 && value <= MAX_LATENCY_MS ? { kind, value } : null;
  return value <= 100 ? { kind, value: value / 100 } : null;
}

export class TargetControl {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    /** @type {Target["kind"]} */
    this.kind = "macs";
    this.relative = true;
    this.batch = 1;
    this.build();
  }

  build() {
    const { app } = this;
    this.select = h("select", {
      ...named("target-kind"), class: "rx-select", "aria-label": "Target",
      onchange: () => this.pick(this.select.value),
    }, Object.entries(TARGET_LABELS).map(([value, text]) => h("option", { value, text })));
    this.slider = h("input", {
      ...named("target-slider"), type: "range", min: 0, max: STEPS, step: 1,
      oninput: () => this.slid(), onchange: () => app.released(),
    });
    this.field = h("input", {
      ...named("target-input"), type: "text", inputmode: "decimal", class: "rx-field", autocomplete: "off",
      oninput: () => this.typed(), onchange: () => app.released(),
      onblur: () => {
        showFault(this.field);
        app.dirty();
      },
      onkeydown: (event) => {
        if (event.key === "Enter" && this.kind === "latency") this.find();
      },
    });
    this.unit = h("button", { ...named("target-unit"), type: "button", class: "rx-unit rx-unit-button", onclick: () => this.turn() });
    this.batches = segmented({
      id: "latency-batch", label: "Batch size", options: [["1", "1", "1 image at a time"], ["64", "64", "64 images at a time"]],
      pick: (value) => {
        this.batch = Number(value);
        app.dirty();
      },
    });
    this.go = h("button", { ...named("latency-find"), type: "button", class: "rx-button rx-small", text: "Find", onclick: () => this.find() });
    this.devices = new Devices(app);
    this.drawn = h("div", { class: "rx-range" }, this.slider);
    this.asked = h("div", { class: "rx-row", hidden: true }, this.batches.node, this.devices.select, this.go);
    this.note = h("p", { ...named("target-note"), class: "rx-target-note", role: "status" });
    this.nodes = [
      h("span", { class: "rx-label rx-picker" }, this.select), this.drawn, this.asked,
      h("span", { class: "rx-with-unit" }, this.field, this.unit), this.note,
    ];
  }

  pick(kind) {
    this.kind = kind;
    const { app } = this;
    cancelLatency(app);
    this.devices.asked = false;
    if (app.state.target) app.choose({ target: null, by: "ratio", ratio: app.fresh().asked });
    delete this.field.dataset.typed;
    app.dirty();
    app.fresh(); // Tab may follow at once
  }

  /** Share of the uncut network, or the number itself. */
  turn() {
    if (!isCost(this.kind)) return;
    this.relative = !this.relative;
    const { target } = this.app.state;
    const dense = presentValue(this.kind, this.app)?.dense;
    delete this.field.dataset.typed;
    if (target && dense) {
      const value = this.relative ? target.value / dense : Math.round(target.value * dense);
      this.app.choose({ target: { ...target, value, relative: this.relative } });
    } else this.app.dirty();
  }

  typed() {
    const target = parse(this.field.value, this.kind, this.relative);
    showFault(this.field, target ? "" : this.wanted());
    if (!target) return;
    if (isCost(this.kind)) this.relative = target.relative;
    if (this.kind !== "latency") this.app.choose({ target, by: "ratio" });
  }

  /** What can be typed, in words. */
  wanted() {
    const { kind, relative } = this;
    if (kind === "latency") return "a latency is above 0 and at most 1,000,000 ms";
    if (kind === "drop") return "a drop is from 0 to 100 percentage points";
    if (kind === "accuracy") return "an accuracy is a percentage from 0 to 100";
    return relative ? "a share is above 0 and at most 100 %" : "an amount is a number above 0, as in 12.5M or 40 %";
  }

  /** Milliseconds are not drawn: each answer costs the worker some seconds. */
  find() {
    const target = parse(this.field.value, "latency", false);
    showFault(this.field, target ? "" : this.wanted());
    if (!target) return this.field.focus();
    if (this.devices.chosen) return void this.devices.find({ ...target, batch: this.batch });
    if (!this.app.now.canCut) return showToast(this.app, this.go.title);
    if (this.go.disabled) return;
    findLatency(this.app, { ...target, batch: this.batch });
  }

  slid() {
    const at = Number(this.slider.value) / STEPS;
    const { low, high } = this.range();
    const value = Number((low + at * (high - low)).toFixed(5));
    const dense = presentValue(this.kind, this.app)?.dense;
    if (isCost(this.kind) && !this.relative && dense) {
      this.app.choose({ by: "ratio", target: { kind: this.kind, value: Math.max(1, Math.round(value * dense)), relative: false } });
    } else {
      this.app.choose({ by: "ratio", target: { kind: this.kind, value: isCost(this.kind) ? Math.max(0.0001, value) : value, ...(isCost(this.kind) ? { relative: true } : {}) } });
    }
  }

  /** What the slider covers. */
  range() {
    if (isCost(this.kind)) return { low: 0, high: 1 };
    if (this.kind === "drop") return { low: 0, high: MAX_DROP };
    const dense = this.app.now.denseAccuracy?.value ?? 1;
    return { low: Math.max(0, Math.floor(20 * (dense - ACCURACY_SPAN)) / 20), high: dense };
  }

  /** What is held, else what the present cut has; {value in its own unit, share}. */
  shown() {
    const { app } = this;
    const { target } = app.state;
    const found = presentValue(this.kind, app);
    if (target?.kind === this.kind) {
      const share = isCost(this.kind) ? (target.relative ? target.value : found && target.value / found.dense) : target.value;
      return { value: target.value, share, text: this.write(target) };
    }
    if (!found) return null;
    const relative = isCost(this.kind) && this.relative;
    const value = relative ? found.value / found.dense : found.value;
    return { value, share: isCost(this.kind) ? found.value / found.dense : value, text: this.write({ kind: this.kind, value, relative }, true) };
  }

  /** As it stands in the field, without its unit; `round` for what was not typed. @param {Target} target */
  write({ kind, value, relative }, round = false) {
    const digits = (number) => plainNumber(round ? Number(number.toFixed(2)) : Number(number.toPrecision(7)));
    if (isCost(kind) && !relative) return kind === "bytes" ? format.bytes(Math.round(value)) : format.compact(value);
    return digits(kind === "latency" ? value : 100 * value);
  }

  render() {
    const { app } = this;
    const { state, now } = app;
    if (state.target && state.target !== this.last) {
      this.kind = state.target.kind;
      if (isCost(this.kind)) this.relative = Boolean(state.target.relative);
      if (this.kind === "latency") this.batch = state.target.batch || 1;
    }
    this.last = state.target;
    const { kind } = this;
    const latency = kind === "latency";
    this.select.value = kind;
    setAttributes(this.select, { title: TERMS[kind] ? null : HELP[kind], "data-note": HELP[kind], "data-term": TERMS[kind], "data-held": state.target?.kind === kind });
    this.drawn.hidden = latency;
    this.asked.hidden = !latency;
    const shown = now.selection ? this.shown() : null;
    const usable = Boolean(now.selection) && (latency || shown !== null || kind === "bytes");
    setAttributes(this.slider, { disabled: !usable || !shown, "aria-label": `${TARGET_LABELS[kind]} target` });
    setAttributes(this.field, { disabled: !now.selection, "aria-label": `${TARGET_LABELS[kind]} target`, "data-value": shown?.value, placeholder: shown ? null : "–" });
    this.renderUnit();
    if (latency) this.renderLatency();
    this.renderValue(shown);
    const why = !shown && now.selection && !latency && !state.target ? this.whyNot() : "";
    this.renderNote(why || targetOutcome(app));
    setAttributes(this.note, { "data-reached": now.solved ? now.solved.reached : null });
  }

  renderUnit() {
    const { kind, relative } = this;
    const unit = kind === "latency" ? "ms" : kind === "drop" ? "pt" : isCost(kind) && !relative ? "n" : "%";
    setText(this.unit, unit);
    setAttributes(this.unit, {
      disabled: !isCost(kind), tabindex: isCost(kind) ? 0 : -1,
      title: isCost(kind) ? (relative ? "Share of the uncut network; switch to numbers" : "Absolute number; switch to a share of the uncut network") : { pt: "percentage points", ms: "milliseconds" }[unit],
      "aria-label": isCost(kind) ? (relative ? "In percent; switch to numbers" : "As a number; switch to percent") : null,
    });
  }

  renderValue(shown) {
    const { low, high } = this.range();
    const place = shown ? Math.min(1, Math.max(0, (shown.share - low) / (high - low))) : 0;
    this.slider.value = String(Math.round(place * STEPS));
    this.slider.style.setProperty("--rx-fill", place);
    setAttributes(this.slider, { "aria-valuetext": shown ? targetAmount({ kind: this.kind, value: shown.value, relative: this.relative && isCost(this.kind), batch: this.batch }) : null, "data-value": shown?.value });
    if (document.activeElement === this.field && this.field.dataset.typed) return;
    const text = shown?.text ?? "";
    if (this.kind === "latency" && !shown) return; // what was typed waits for Find
    if (this.field.value !== text) this.field.value = text;
  }

  renderLatency() {
    const { app } = this;
    this.batches.show(String(this.batch));
    if (!this.devices.asked) this.devices.load();
    if (this.devices.chosen) {
      return setAttributes(this.go, { disabled: app.source.offline, title: "Compare the cuts whose files were timed on that device" });
    }
    setAttributes(this.go, {
      disabled: !app.now.canCut || app.source.offline || app.latency?.status === "busy",
      title: app.now.canCut ? "Measure cuts on the worker's device until one is fast enough" : "The weights of this epoch were not kept, so it cannot be measured",
    });
  }

  whyNot() {
    if (this.kind === "bytes") return "File sizes were not recorded for this run.";
    return this.app.source.curve?.job ? "The accuracy curve is being measured." : "Needs an accuracy: measure this cut or the curve.";
  }

  /** Words; while the latency is looked for, its progress and a way to stop. @param {string} text */
  renderNote(text) {
    const { latency } = this.app;
    const busy = latency?.status === "busy";
    const { progress } = latency || {};
    const share = progress?.total ? ` ${progress.done} of ${progress.total}` : "";
    const key = busy ? `busy${share}` : text;
    if (this.noteKey === key) return;
    this.noteKey = key;
    this.note.replaceChildren(...(busy ? [
      `Measuring on the worker's device…${share} `,
      h("button", { ...named("latency-cancel"), type: "button", class: "rx-link", text: "Cancel", onclick: () => cancelLatency(this.app) }),
    ] : [text]));
  }
}
