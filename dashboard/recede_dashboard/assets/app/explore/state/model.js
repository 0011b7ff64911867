/** From choices and data to what is shown: one plain object for each frame, no DOM. */

import { costOf, denseCost } from "../../pruning/cost.js";
import {
  layerKeys, ratioFor, select, shortThreshold, thresholdFor,
} from "../../pruning/selection.js";
import { accuracyOfCut, losslessOf, valueOfCut } from "./accuracy.js";
import { shownEpoch } from "./epoch.js";
import { gapOf } from "./gap.js";
import { planOf, withProtected } from "./plan.js";
import { solveTarget } from "./solve.js";

/** @import { EpochPlan, Explore, Source, State } from "../types.js" */
/** @import { Ranking, Selection, Shape } from "../../pruning/selection.js" */

/**
 * Where the line stands, as an importance; null where no single one exists.
 * @param {EpochPlan} plan @param {Ranking} ranking @param {Selection} selection
 */
function lineOf(plan, ranking, selection, layer) {
  if (plan.threshold !== undefined) return plan.threshold;
  if (plan.scope === "global") return thresholdFor(ranking, plan, plan.ratio);
  if (layer < 0) return null;
  const keys = layerKeys(ranking, layer);
  const gone = selection.gone[layer];
  if (gone === 0) return 0;
  const low = keys[gone - 1];
  return shortThreshold(low, gone < keys.length ? keys[gone] : low + 1, ranking.shape.scale);
}

/** Layers of which more than 95 % would go. @param {Shape} shape @param {Selection} selection */
function nearlyGone(shape, selection) {
  return shape.groups.filter((group, l) => selection.gone[l] > 0.95 * group.size)
    .map((group) => group.name);
}

/**
 * Everything that depends on the snapshot; empty while it is not there.
 * @param {State} state @param {Source} source @param {number} epoch
 */
function cutOf(state, source, epoch, layer) {
  const ranking = epoch === null ? null : source.ranking(epoch);
  if (!ranking) return { ranking: null };
  const solved = solveTarget(state, source, ranking, epoch);
  /** @type {State} */
  const chosen = solved ? { ...state, by: "ratio", ratio: solved.ratio } : state;
  const plan = planOf(chosen, epoch);
  const whole = withProtected(plan, source);
  const selection = select(ranking, whole);
  const asked = chosen.by === "ratio" ? chosen.ratio : ratioFor(ranking, whole, state.threshold);
  return {
    ranking, plan, selection, asked, solved,
    line: lineOf(whole, ranking, selection, layer),
    cost: costOf(source.shape, selection.kept),
    accuracy: accuracyOfCut(source, epoch, whole, ranking, selection),
    value: valueOfCut(source, epoch, whole, ranking, selection),
    nearlyGone: nearlyGone(source.shape, selection),
    gap: gapOf(source, epoch),
  };
}

/**
 * Accuracy of the uncut network at this epoch, on the validation images.
 * @param {Source} source @param {number} epoch
 */
function denseAccuracy(source, epoch) {
  const metric = source.metrics.get(epoch);
  return metric?.n_val ? { value: metric.val_accuracy, n: metric.n_val } : null;
}

/** Epochs whose cuts can be measured, here or where the network is. @param {Source} source @returns {number[]} */
export function measurable(source) {
  return source.run?.recording ? source.run.recording.serving || [] : source.weights;
}

/**
 * All that is shown. While the snapshot of an epoch is on its way, the numbers of the one
 * before stay and `stale` is true.
 * @param {Explore} app
 */
export function derive(app) {
  const { state, source } = app;
  const epoch = shownEpoch(state, source);
  source.criterion = state.criterion;
  const shape = source.shape;
  const layer = shape && state.layer ? shape.groups.findIndex((g) => g.name === state.layer) : -1;
  const finished = Boolean(source.run) && !["queued", "running"].includes(source.run.state);
  const cut = cutOf(state, source, epoch, layer);
  const before = app.now;
  const kept = cut.ranking || !before.selection || epoch === null ? cut : {
    ...before, ranking: null, stale: true, accuracy: null, value: null,
  };
  const latest = source.epochs.length ? source.epochs[source.epochs.length - 1] : null;
  return {
    stale: false, ...kept, epoch, latest, layer, finished,
    dense: shape ? (app.denseCost = app.denseCost || denseCost(shape)) : null,
    denseAccuracy: denseAccuracy(source, epoch),
    canCut: source.weights.includes(epoch) && Boolean(cut.ranking),
    canMeasure: measurable(source).includes(epoch) && Boolean(cut.ranking),
    hasWeights: source.weights.includes(epoch),
    isBest: epoch === source.bestEpoch,
    lossless: losslessOf(source, epoch, state.scope, state.criterion, state.bias),
  };
}

