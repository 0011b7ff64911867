/** Plans as the API takes them, made from the choices and turned back into choices. */

import * as format from "../../format/numbers.js";

/** @import { EpochPlan, Source, State } from "../types.js" */

const PLAIN = { scope: "global", criterion: "importance", round_to: 1, min_channels: null, bias: "drop" };
/** The choices that make a cut: these are undone, saved and compared; the rest is how one looks. */
export const CUT_KEYS = [
  "epoch", "by", "ratio", "threshold", "target", "scope", "locks", "overrides", "criterion", "roundTo",
  "minChannels", "bias",
];

/** Without what only repeats a default; `scope` is always said. @param {EpochPlan} plan */
export function tidyPlan(plan) {
  const out = { epoch: plan.epoch, scope: plan.scope || "global" };
  if (plan.threshold !== null && plan.threshold !== undefined) {
    Object.assign(out, { scope: "global", threshold: plan.threshold });
  } else if (plan.ratio !== null && plan.ratio !== undefined) out.ratio = plan.ratio;
  if (plan.locks?.length) out.locks = [...plan.locks].sort();
  const own = Object.entries(plan.overrides || {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (own.length) out.overrides = Object.fromEntries(own);
  for (const name of ["criterion", "round_to", "min_channels", "bias"]) {
    if (plan[name] !== undefined && plan[name] !== PLAIN[name]) out[name] = plan[name];
  }
  return out;
}

/** The plan of these choices. @param {State} state @param {number} epoch */
export function planOf(state, epoch) {
  return tidyPlan({
    epoch, scope: state.scope, locks: state.locks, overrides: state.overrides,
    criterion: state.criterion, round_to: state.roundTo, min_channels: state.minChannels, bias: state.bias,
    ...(state.by === "threshold" ? { threshold: state.threshold } : { ratio: state.ratio }),
  });
}

/**
 * The same with the layers that the run protects: what the server cuts.
 * @param {EpochPlan} plan @param {Source} source
 */
export function withProtected(plan, source) {
  const kept = source.run?.protected || [];
  if (!kept.length) return plan;
  return { ...plan, locks: [...new Set([...(plan.locks || []), ...kept])].sort() };
}

/**
 * What `core.select` takes for these choices and for what `change` alters of them.
 * @param {State} state @param {Source} source @param {number} epoch
 */
export const selectablePlan = (state, source, epoch, change = {}) =>
  withProtected(tidyPlan({ ...planOf(state, epoch), ...change }), source);

/** The choices that a plan stands for. @returns {Partial<State>} @param {EpochPlan} plan */
export function stateOfPlan(plan) {
  const byThreshold = plan.threshold !== null && plan.threshold !== undefined;
  return {
    epoch: plan.epoch ?? null, target: null, scope: byThreshold ? "global" : plan.scope || "global",
    locks: [...(plan.locks || [])], overrides: { ...plan.overrides },
    criterion: plan.criterion || "importance", roundTo: plan.round_to || 1,
    minChannels: plan.min_channels ?? null, bias: plan.bias || "drop",
    ...(byThreshold ? { by: "threshold", threshold: plan.threshold } : { by: "ratio", ratio: plan.ratio ?? 0 }),
  };
}

/** Whether two plans target for the same, an open epoch being the best one. */
export function samePlan(a, b, bestEpoch) {
  /** @param {EpochPlan} plan */
  const key = (plan) => JSON.stringify(tidyPlan({ ...plan, epoch: plan.epoch ?? bestEpoch }));
  return Boolean(a && b) && key(a) === key(b);
}

/**
 * Whether it cuts as those of its curve do; layers that the run protects are whole in both.
 * @param {EpochPlan} plan @param {Source} source
 */
export function isPlainPlan(plan, source) {
  const shield = source.run?.protected || [];
  const own = (plan.locks || []).some((name) => !shield.includes(name));
  return !own && !plan.overrides && !plan.round_to && !plan.min_channels;
}

/** A plan in a few words: "epoch 12 · 60.0 % · local · 2 locked". @param {EpochPlan} plan */
export function planWords(plan) {
  const { share, threshold } = format;
  const parts = [plan.epoch === null || plan.epoch === undefined ? "best epoch" : `epoch ${plan.epoch}`];
  if (plan.threshold !== null && plan.threshold !== undefined) parts.push(`threshold ${threshold(plan.threshold)}`);
  else if (plan.ratio !== null && plan.ratio !== undefined) parts.push(share(plan.ratio));
  if (plan.scope === "local") parts.push("local");
  if (plan.criterion && plan.criterion !== PLAIN.criterion) parts.push(plan.criterion);
  if (plan.locks?.length) parts.push(`${plan.locks.length} locked`);
  const own = Object.keys(plan.overrides || {}).length;
  if (own) parts.push(own === 1 ? "1 layer ratio" : `${own} layer ratios`);
  if (plan.round_to > 1) parts.push(`multiples of ${plan.round_to}`);
  if (plan.min_channels) parts.push(`at least ${plan.min_channels}`);
  if (plan.bias === "fold") parts.push("constant output absorbed");
  return parts.join(" · ");
}
