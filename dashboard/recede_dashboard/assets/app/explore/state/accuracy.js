/** What is known of the accuracy of a cut. */

import { estimateAccuracy, losslessRatio } from "../../pruning/accuracy.js";
import { costOf } from "../../pruning/cost.js";
import { select } from "../../pruning/selection.js";
import { curveOf, pointsOfCurve } from "../data/curves.js";
import { IMPORTANCE } from "../data/scores.js";
import { isPlainPlan, withProtected } from "./plan.js";

/** @import { EpochPlan, Source } from "../types.js" */
/** @import { Ranking, Selection } from "../../pruning/selection.js" */

/**
 * Curve points of these very weights, each with `ratio`, `ask`, `accuracy` and `cost`.
 * @param {Source} source @param {number} epoch @param {string} scope
 */
export function curvePoints(source, epoch, scope, criterion = "importance", bias = "drop") {
  return pointsOfCurve(source, { epoch, scope, criterion, bias });
}

/** @type {WeakMap<object, {ranking: object, cut: ?object}>} */
const cuts = new WeakMap();

const criterionOf = (known) => known.plan?.criterion ?? known.criterion ?? IMPORTANCE;

/**
 * The cut that a measurement was made on, from its plan; null where the plan no longer leads to
 * the cost that was measured.
 * @param {Ranking} ranking @param {Source} source
 */
function cutOf(known, ranking, source) {
  const done = cuts.get(known);
  if (done?.ranking === ranking) return done.cut;
  const { ask: ratio, scope, bias } = known;
  const plan = known.plan || { ratio, scope, bias };
  const cut = [plan, withProtected(plan, source)].map((one) => select(ranking, one)).find(({ kept }) => {
    const { params, macs } = costOf(ranking.shape, kept);
    return params === known.cost.params && macs === known.cost.macs;
  }) || null;
  cuts.set(known, { ranking, cut });
  return cut;
}

/**
 * What was measured on exactly this cut. A layer loses its lowest channels first, so within an
 * epoch and a criterion the kept counts of the layers tell one cut from another.
 * @param {string} [variant]  "drop" or "fold", if not that of the selection
 * @param {Source} source @param {number} epoch @param {string} criterion @param {Ranking} ranking @param {Selection} selection
 */
export function measuredCut(source, epoch, criterion, ranking, selection, variant = selection.variant, among = source.evaluations) {
  for (const known of among.values()) {
    if (known.epoch !== epoch || Math.abs(known.ratio - selection.ratio) > 1e-9) continue;
    if (selection.removed === 0) return known;
    if (criterionOf(known) !== criterion) continue;
    const cut = cutOf(known, ranking, source);
    if (cut?.variant === variant && cut.kept.every((n, l) => n === selection.kept[l])) return known;
  }
  return null;
}

/**
 * What a metric that counts no images says of exactly this cut; null where it was not measured.
 * @param {Source} source @param {number} epoch @param {EpochPlan} plan @param {Ranking} ranking @param {Selection} selection
 */
export function valueOfCut(source, epoch, plan, ranking, selection) {
  const known = measuredCut(source, epoch, plan.criterion || IMPORTANCE, ranking, selection, selection.variant, source.values);
  return known ? known.accuracy.value : null;
}

/**
 * What is known of the accuracy of a plan: measured, or estimated between points of its curve.
 * @param {Source} source @param {number} epoch @param {EpochPlan} plan @param {Ranking} ranking @param {Selection} selection
 */
export function accuracyOfCut(source, epoch, plan, ranking, selection) {
  const known = measuredCut(source, epoch, plan.criterion || IMPORTANCE, ranking, selection);
  if (known) return known.accuracy;
  if (!isPlainPlan(plan, source)) return null; // off the curve: the server gives no estimate either
  return estimateAccuracy(curvePoints(source, epoch, plan.scope, plan.criterion, plan.bias), selection.ratio);
}

/**
 * The lossless point: its share removed, and the ratio to ask for to get that very cut.
 * @param {Source} source @param {number} epoch @param {string} scope
 */
export function losslessOf(source, epoch, scope, criterion = "importance", bias = "drop") {
  const curve = curveOf(source, { epoch, scope, criterion, bias });
  const points = !curve || curve.job ? [] : curve.points;
  const ratio = losslessRatio(points);
  if (ratio === null) return null;
  return { ratio, ask: points.findLast((point) => point.ratio === ratio).ask };
}
