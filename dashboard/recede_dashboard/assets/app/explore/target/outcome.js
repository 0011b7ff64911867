/** What a target came to: what the present cut has of it, and why no more is possible. */

import * as format from "../../format/numbers.js";
import { points } from "../../format/numbers.js";
import { fileBytes } from "../../pruning/cost.js";
import { isPlainPlan } from "../state/plan.js";
import { latencyOf, latencyWords } from "./latency.js";
import { targetAmount, targetWords } from "../state/target_words.js";

/** @import { Target, Explore, Now } from "../types.js" */
/** @import { Shape } from "../../pruning/selection.js" */

const TWO_DECIMALS = 10_000; // images of which a difference deserves that many

/**
 * What the present cut has of a kind, in the unit of a target; null where it is not known.
 * @param {Explore} app
 */
export function presentValue(kind, app) {
  const { now, source } = app;
  if (!now.selection || !now.dense) return null;
  if (kind === "macs" || kind === "params") return { value: now.cost[kind], dense: now.dense[kind] };
  if (kind === "bytes") {
    const value = fileBytes(source.shape, now.selection.kept);
    return value === null ? null : { value, dense: denseBytes(source.shape) };
  }
  if (kind === "latency") return latencyOf(app) ?? null;
  if (!now.accuracy) return null;
  if (kind === "accuracy") return { value: now.accuracy.value, dense: now.denseAccuracy?.value ?? 1 };
  return now.denseAccuracy ? { value: now.denseAccuracy.value - now.accuracy.value, dense: 0 } : null;
}

/** @param {Shape} shape */
function denseBytes(shape) {
  if ((/** @type {any} */ (shape)).denseBytes === undefined) {
    Object.defineProperty(shape, "denseBytes", { value: fileBytes(shape, shape.groups.map((group) => group.size)) });
  }
  return (/** @type {any} */ (shape)).denseBytes;
}

/**
 * "28.0 % asked, 27.9 % reached", with what stands in the way. Empty where nothing is to be
 * said: then the cut is just what was asked for.
 * @param {Explore} app
 */
export function targetOutcome(app) {
  const { state, now } = app;
  if (!now.selection) return "";
  if (state.target?.kind === "latency") return latencyWords(app) ?? "";
  if (now.solved) return solvedWords(app, now.solved);
  if (state.by !== "ratio") return "";
  const { share } = format;
  const [asked, reached] = [share(now.asked), share(now.selection.ratio)];
  return asked === reached ? "" : `${asked} asked, ${reached} reached${because(now)}`;
}

/** @param {Explore} app */
function solvedWords(app, solved) {
  const { target } = app.state;
  if (solved.why) return solved.why;
  const dense = presentValue(target.kind, app)?.dense;
  /** @param {number} value */
  const as = (value) => reached(target, target.relative ? value / dense : value);
  const other = ["accuracy", "drop"].includes(target.kind) && !isPlainPlan(app.now.plan, app.source)
    ? " by cuts without these locks, ratios or rounding; measure to be sure" : "";
  if (solved.reached) return `${targetWords(target)} asked, ${as(solved.value)} reached${other}`;
  const what = { accuracy: "best possible", drop: "smallest possible" }[target.kind] || "lowest possible";
  return `${targetWords(target)} asked; ${what} ${as(solved.bound)}${because(app.now)}`;
}

/** What came of it, with one digit more than a target is given. @param {Target} target @param {number} value */
function reached(target, value) {
  if (target.kind === "drop") return points(Number(value.toFixed(4)), TWO_DECIMALS);
  return target.relative || target.kind === "accuracy" ? format.share(value) : targetAmount({ ...target, value });
}

/** ": minima of 13 layers", the reason why more does not go. @param {Now} now */
function because({ selection }) {
  const parts = [];
  if (selection.held.length) parts.push(`${selection.held.length === 1 ? "minimum of 1 layer" : `minima of ${selection.held.length} layers`}`);
  if (selection.rounded?.length) parts.push(`${selection.rounded.length === 1 ? "1 layer" : `${selection.rounded.length} layers`} rounded up`);
  return parts.length ? `: ${parts.join(", ")}` : "";
}
