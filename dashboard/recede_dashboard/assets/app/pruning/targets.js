/**
 * Asking for a cut by what it should cost or keep: the same answer as `solve` of
 * backend/recede/contract/cut/targets.py, where it is said why halving is exact.
 *
 * @typedef {{kind: "macs"|"params"|"bytes"|"accuracy"|"drop", value: number,
 *   relative?: boolean}} Target  accuracies and drops in [0, 1]; relative: share of the dense
 * @typedef {{ratio: number, accuracy: number|{value: number}}} CurveAt  a point of the curve
 * @typedef {{plan: Plan, selection: Selection, reached: boolean, value: number,
 *   bound: number}} Solved
 * @typedef {{ranking: Ranking, plan: Plan, sizes: number[], ratios: number[],
 *   cuts: Map<number, Selection>}} Search
 */

import { costOf, fileBytes } from "./cost.js";
import { nToRemove, select } from "./selection.js";

/** @import { Plan, Ranking, Selection } from "./selection.js" */

const SLACK = 1e-12; // of rounding: 0.29 of 100 is 28.999…96

/**
 * The cuts that a plan makes at the ratios where they change, from none to all.
 * @param {Ranking} ranking
 * @param {Plan} plan
 * @returns {Search}
 */
function searchOf(ranking, plan) {
  const bound = new Set([...(plan.locks || []), ...Object.keys(plan.overrides || {})]);
  const free = ranking.shape.groups.filter(({ name }) => !bound.has(name)).map(({ size }) => size);
  const sizes = plan.scope === "local"
    ? [...new Set(free)].sort((a, b) => a - b)
    : [free.reduce((sum, size) => sum + size, 0)];
  const ratios = new Set([0]);
  for (const n of sizes) for (let k = 1; k < n; k++) ratios.add(k / n);
  return {
    ranking,
    plan: { ...plan, threshold: null, ratio: 0 },
    sizes,
    ratios: [...ratios].sort((a, b) => a - b),
    cuts: new Map(),
  };
}

/**
 * The cut of one step.
 * @param {Search} search
 * @param {number} step
 * @returns {Selection}
 */
function at(search, step) {
  const known = search.cuts.get(step);
  if (known) return known;
  const cut = select(search.ranking, { ...search.plan, ratio: search.ratios[step] });
  search.cuts.set(step, cut);
  return cut;
}

/** @param {Search} search */
const lastOf = (search) => search.ratios.length - 1;

/**
 * The first step for which it holds, given that it holds for the last and goes on to.
 * @param {Search} search
 * @param {(cut: Selection) => boolean} holds
 */
function first(search, holds) {
  let low = 0;
  let high = lastOf(search);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(at(search, middle))) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The most neurons that any step removes without exceeding a share of all.
 * @param {Search} search
 * @param {number} share
 */
function removing(search, share) {
  const most = share * search.ranking.size + 1e-9;
  const all = at(search, lastOf(search)).removed;
  if (all <= most) return all;
  const over = first(search, (cut) => cut.removed > most);
  return at(search, Math.max(0, over - 1)).removed;
}

/**
 * The shortest decimal from `exact` on that makes the same cut.
 * @param {Search} search
 * @param {number} exact
 */
function shortest(search, exact) {
  for (const power of [100, 1000, 10000, 100000, 1000000]) {
    const short = Math.max(0, Math.ceil(exact * power - 1e-6)) / power; // 0, never −0
    const same = search.sizes.every((n) => nToRemove(short, n) === nToRemove(exact, n));
    if (short < 1 && same) return short;
  }
  return exact;
}

/**
 * @param {Search} search
 * @param {number} step
 * @param {{reached: boolean, value: number, bound: number}} found
 * @returns {Solved}
 */
function solved(search, step, found) {
  const plan = { ...search.plan, ratio: shortest(search, search.ratios[step]) };
  return { plan, selection: at(search, step), ...found };
}

/**
 * @param {Ranking} ranking
 * @param {Target} target
 * @returns {(kept: ArrayLike<number>) => number}
 */
function measureOf({ shape }, target) {
  if (target.kind === "bytes") {
    if (!(shape.tensors || []).length) {
      throw new RangeError("This run was recorded before file sizes were: ask by parameters.");
    }
    return (kept) => fileBytes(shape, kept) ?? NaN;
  }
  if (target.kind === "params") return (kept) => costOf(shape, kept).params;
  return (kept) => costOf(shape, kept).macs;
}

/** @param {CurveAt} point */
const accuracyOf = (point) =>
  typeof point.accuracy === "number" ? point.accuracy : point.accuracy.value;

/**
 * @param {Search} search
 * @param {Target} target
 * @param {CurveAt[]} points
 */
function byAccuracy(search, target, points) {
  const ordered = [...points].sort((a, b) => a.ratio - b.ratio);
  if (!ordered.length || ordered[0].ratio !== 0) {
    throw new RangeError("The accuracy of cuts of this epoch is not measured yet.");
  }
  const dense = accuracyOf(ordered[0]);
  const best = ordered.reduce((most, point) => Math.max(most, accuracyOf(point)), 0);
  const drops = target.kind === "drop";
  const asked = target.value * (target.relative ? dense : 1);
  const goal = drops ? dense - asked : asked;
  const reached = best >= goal - SLACK;
  const least = reached ? goal : best;
  const chosen = ordered.filter((point) => accuracyOf(point) >= least - SLACK).pop() || ordered[0];
  const gone = removing(search, chosen.ratio);
  const step = first(search, (cut) => cut.removed >= gone);
  const value = accuracyOf(chosen);
  return solved(search, step, {
    reached,
    value: drops ? dense - value : value,
    bound: drops ? dense - best : best,
  });
}

/**
 * The smallest ratio that meets a target of cost; the largest that one of accuracy allows.
 *
 * The plan's own ratio or threshold is not looked at; the rest of it holds. `points` is the
 * accuracy curve of such plans. Where nothing meets the target, `reached` is false and the
 * plan is the one that comes closest; `bound` is the best that any ratio has.
 *
 * @param {Ranking} ranking
 * @param {Plan} plan
 * @param {Target} target
 * @param {CurveAt[]} [points]
 * @returns {Solved}
 * @throws {RangeError} the plan does not fit the network, or the curve is not known
 */
export function solve(ranking, plan, target, points = []) {
  const search = searchOf(ranking, plan);
  if (target.kind === "accuracy" || target.kind === "drop") {
    return byAccuracy(search, target, points);
  }
  const measure = measureOf(ranking, target);
  const dense = ranking.shape.groups.map(({ size }) => size);
  let limit = target.value * (target.relative ? measure(dense) : 1);
  limit += SLACK * limit;
  const bound = measure(at(search, lastOf(search)).kept);
  const reached = bound <= limit;
  const goal = reached ? limit : bound;
  const step = first(search, (cut) => measure(cut.kept) <= goal);
  return solved(search, step, { reached, value: measure(at(search, step).kept), bound });
}
