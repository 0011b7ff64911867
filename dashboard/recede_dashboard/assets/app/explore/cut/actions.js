/** What a cut is worth and what can be done with it: accuracy, measuring, pruning, warnings. */

import { h, setAttributes, setText } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";
import { metricValue } from "../../format/runs.js";
import * as format from "../../format/numbers.js";
import { showPruneResult } from "./result.js";
import { warningLines } from "./warnings.js";
import { measureCut, pruneCut } from "../data/jobs.js";
import { measurable } from "../state/model.js";

/** @import { Progress } from "../../api/types.js" */
/** @import { Explore, Now, Source } from "../types.js" */

const AUTO_KEY = "recede.auto-measure";
/** Instead of what needs weights. */
const RECORDED = "Recorded elsewhere: its weights are not here. Cut it in its script with recede.cut(model, images, plan).";
const NOBODY = "Recorded elsewhere, and nobody measures its cuts now: where its folder is, run recede.serve(folder, model, evaluate, server=…). Cut it in its script with recede.cut(model, images, plan).";
const STAGES = {
  loading: "loading weights", cutting: "cutting", measuring: "measuring", writing: "writing files",
  verifying: "reloading and testing the file", quantising: "quantising to INT8", packing: "packing the files",
};

export class Actions {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    const { find } = app.els;
    this.value = find("#accuracy-value");
    this.kind = this.value.parentElement.querySelector(".rx-kind");
    this.delta = find("#accuracy-delta");
    this.band = find("#accuracy-band");
    this.status = find("#measure-status");
    this.button = find("#measure-button");
    this.auto = find("#auto-measure");
    this.warnings = find("#warnings");
    this.prune = find("#prune-button");
    this.button.addEventListener("click", () => measureCut(app));
    this.int8 = find("#prune-int8");
    this.prune.addEventListener("click", () => pruneCut(app, this.int8.checked));
    this.auto.checked = remembered();
    this.auto.addEventListener("change", () => {
      remember(this.auto.checked);
      if (this.auto.checked) this.released();
    });
  }

  /** The line was let go: measure, if that is wished, possible and not known already. */
  released() {
    const { now, measure } = this.app;
    const busyWithIt = measure.status === "busy" && same(measure.plan, now.plan);
    if (this.auto.checked && now.canMeasure && !isMeasured(now) && !busyWithIt) {
      measureCut(this.app);
    }
  }

  render() {
    this.renderAccuracy();
    this.renderMeasure();
    this.renderWarnings();
    this.renderPrune();
  }

  /** What the running measurement says of this cut so far, else what is known. */
  known() {
    const { now, measure } = this.app;
    const refined = measure.status === "busy" && same(measure.plan, now.plan) && measure.progress?.accuracy;
    if (now.accuracy?.kind === "measured" || !refined) return now.accuracy;
    return { ...refined, refining: true };
  }

  renderAccuracy() {
    const { now, source } = this.app;
    if (Number.isFinite(now.value)) return this.renderValue();
    const known = this.known();
    const { denseAccuracy: dense } = now;
    setAttributes(this.value, {
      "data-value": known?.value, "data-kind": known?.kind || "unknown", "data-low": known?.low,
      "data-high": known?.high, "data-n": known?.n,
    });
    setText(this.kind, kindWords(known));
    setAttributes(this.kind, { "data-kind": known?.kind || "unknown" });
    const text = known ? format.percent(known.value, known.n) : format.NOTHING;
    setText(this.value, known?.kind === "estimated" ? `≈ ${text}` : text);
    setAttributes(this.value, { "aria-busy": /** @type {any} */ (known)?.refining ? "true" : null });
    const comparable = known && dense;
    setText(this.delta, comparable ? `${format.points(known.value - dense.value, known.n)} points` : "");
    setAttributes(this.delta, { title: comparable ? `compared with the uncut ${format.percent(dense.value, dense.n)}` : null });
    setText(this.band, this.bandWords(known, dense, now, source));
  }

  /** Of a training elsewhere whose metric counts no images: its number, without an interval. */
  renderValue() {
    const { value } = this.app.now;
    const { metric } = this.app.source.run.recording;
    setAttributes(this.value, {
      "data-value": value, "data-kind": "measured", "data-low": null, "data-high": null, "data-n": 0, "aria-busy": null,
    });
    setText(this.kind, `measured: ${metric.name}`);
    setAttributes(this.kind, { "data-kind": "measured" });
    setText(this.value, metricValue(value, metric));
    setText(this.delta, "");
    setText(this.band, "no interval is known of this metric");
  }

  /** @param {Now} now @param {Source} source */
  bandWords(known, dense, now, source) {
    const uncut = dense ? `uncut ${format.percent(dense.value, dense.n)}` : "";
    const parts = [uncut];
    if (known) {
      parts.unshift(known.refining ? sliceWords(known) : `${known.kind === "measured" ? "95 % interval" : "band"} ${format.interval(known.low, known.high, known.n)}`);
    } else if (now.hasWeights && now.selection) {
      if (source.curve?.job) parts.unshift("the curve is being measured");
      else parts.unshift(source.curve?.points.length ? "not on the measured curve" : "no curve to estimate from");
    }
    return parts.filter(Boolean).join(", ");
  }

  renderMeasure() {
    const { app } = this;
    const { now, measure, source } = app;
    const busy = measure.status === "busy" && same(measure.plan, now.plan);
    const known = isMeasured(now);
    setAttributes(this.button, {
      disabled: !now.canMeasure || busy || known || source.offline,
      title: known ? "This cut has been measured"
        : source.run?.recording ? "Have this cut measured where its network is (m)"
          : "Cut the network and measure it on all validation images (m)",
    });
    this.say(this.status, this.measureWords(busy, known));
    setAttributes(this.status, { "data-tone": measure.status === "failed" || source.offline ? "bad" : null });
  }

  /** Words, with a button to the nearest epoch that can be cut where this one cannot. */
  measureWords(busy, known) {
    const { now, measure, source } = this.app;
    if (source.offline) return ["The server does not answer. Counts stay exact; measuring has to wait."];
    const failed = measure.status === "failed" && same(measure.plan, now.plan) ? measure.error : null;
    const gone = failed?.code === "weights_gone" ? failed.details?.nearest_epoch : undefined;
    const epochs = measurable(source);
    if (source.run?.recording && !epochs.length && !known) return [failed ? errorWords(failed) : NOBODY];
    if (now.selection && !epochs.includes(now.epoch) && epochs.length && !known) {
      return [`The weights of epoch ${now.epoch} were not kept. `, this.goTo(nearest(epochs, now.epoch))];
    }
    if (Number.isInteger(gone)) return [`${failed.message} `, this.goTo(gone)];
    if (busy) return [source.run?.recording ? "Asked for where its network is…" : progressWords(measure.progress, "queued")];
    if (measure.status === "busy") return ["An earlier cut is still being measured."];
    if (failed) return [errorWords(failed)];
    return [""];
  }

  /** @param {number} epoch */
  goTo(epoch) {
    return h("button", {
      type: "button", class: "rx-link", text: `Go to epoch ${epoch}, the nearest one with weights`,
      onclick: () => this.app.chooseEpoch(epoch),
    });
  }

  renderWarnings() {
    const lines = warningLines(this.app);
    const key = lines.join("|");
    if (this.warningKey === key) return;
    this.warningKey = key;
    setAttributes(this.warnings, { "data-count": lines.length });
    this.warnings.replaceChildren(...lines.map((line) => h("p", { text: line })));
  }

  renderPrune() {
    const { now, prune, source } = this.app;
    const busy = prune.status === "busy";
    setAttributes(this.prune, {
      disabled: !now.canCut || busy || source.offline,
      title: now.canCut ? "Cut the network, write the files, reload them and test on the test set" : source.run?.recording ? RECORDED : "The weights of this epoch were not kept, so it cannot be cut",
    });
    showPruneResult(this.app, this.app.els.find("#prune-result"), {
      stage: (progress) => progressWords(progress, "queued"), words: errorWords,
    });
  }

  /** Write text or nodes, only when they changed. */
  say(node, parts) {
    const key = parts.map((part) => part.textContent ?? part).join("|");
    if (node.dataset.said === key) return;
    node.dataset.said = key;
    node.replaceChildren(...parts);
  }
}

/** @param {Now} now */
const isMeasured = (now) => now.accuracy?.kind === "measured" || Number.isFinite(now.value);

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function kindWords(known) {
  if (!known) return "unknown";
  return known.kind === "measured" ? `measured, n = ${format.integer(known.n)}` : "estimated";
}

/** "± 0.8 points for the whole split, from 512 of 6,000 images". */
function sliceWords(known) {
  const half = 50 * (known.split_high - known.split_low);
  const images = `${format.integer(known.n)} of ${format.integer(known.n_split)} images`;
  return `±${format.THIN}${half.toFixed(half < 1 ? 2 : 1)} points, from ${images} so far`;
}

const nearest = (epochs, to) =>
  epochs.reduce((best, epoch) => (Math.abs(epoch - to) < Math.abs(best - to) ? epoch : best));

/** @param {Progress} progress */
function progressWords(progress, before) {
  if (!progress) return `${before}…`;
  const share = progress.total ? ` ${Math.round((100 * progress.done) / progress.total)}${format.THIN}%` : "";
  return `${STAGES[progress.stage] || progress.stage}…${share}`;
}

function remembered() {
  try {
    return localStorage.getItem(AUTO_KEY) === "yes";
  } catch {
    return false; // storage is switched off in this browser
  }
}

/** @param {boolean} on */
function remember(on) {
  try {
    localStorage.setItem(AUTO_KEY, on ? "yes" : "no");
  } catch {
    // the choice then holds for this page only
  }
}
