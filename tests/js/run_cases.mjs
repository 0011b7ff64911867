/** What the browser's arithmetic makes of a batch of cases, JSON from stdin to stdout. */

import { readFileSync } from "node:fs";

import { initialState, stateFromUrl, urlOfState } from "../../dashboard/recede_dashboard/assets/app/explore/state/choices.js";
import * as accuracy from "../../dashboard/recede_dashboard/assets/app/pruning/accuracy.js";
import * as cost from "../../dashboard/recede_dashboard/assets/app/pruning/cost.js";
import * as selection from "../../dashboard/recede_dashboard/assets/app/pruning/selection.js";
import * as targets from "../../dashboard/recede_dashboard/assets/app/pruning/targets.js";

const core = { ...accuracy, ...cost, ...selection, ...targets };

function runCut({ shape, raw, plan }) {
  const ranking = core.prepare(shape, Float32Array.from(raw), core.scaleOf(shape, plan));
  const selection = core.select(ranking, plan);
  const mask = core.mask(ranking, selection);
  const shown =
    plan.threshold === null ? core.thresholdFor(ranking, plan, plan.ratio) : plan.threshold;
  return {
    mask: [...mask].join(""),
    kept: selection.kept,
    held: selection.held,
    rounded: selection.rounded,
    removed: selection.removed,
    ratio: selection.ratio,
    variant: selection.variant,
    cost: core.costOf(shape, selection.kept),
    dense: core.denseCost(shape),
    bytes: core.fileBytes(shape, selection.kept),
    threshold: shown,
    threshold_ratio: core.ratioFor(ranking, plan, shown),
    importances: [...core.importances(ranking.raw.slice(0, 50), ranking.scale)],
  };
}

function runSolve({ shape, raw, plan, target, points }) {
  const ranking = core.prepare(shape, Float32Array.from(raw), core.scaleOf(shape, plan));
  try {
    const found = core.solve(ranking, plan, target, points);
    const { reached, value, bound } = found;
    return { ratio: found.plan.ratio, kept: found.selection.kept, reached, value, bound };
  } catch (error) {
    return { refused: error.message };
  }
}

function runAccuracy({ points, ratios }) {
  return {
    wilson: points.map(({ correct, n }) => (n === undefined ? null : core.wilson(correct, n))),
    lossless: core.losslessRatio(points),
    estimates: ratios.map((ratio) => core.estimateAccuracy(points, ratio)),
  };
}

function runUrl(search) {
  const { patch, refused } = stateFromUrl(search);
  const chosen = { ...initialState(), ...patch };
  const written = urlOfState(search, chosen);
  return { chosen, refused, written, again: stateFromUrl(written).patch };
}

function runCases(cases) {
  return {
    cuts: cases.cuts.map((one) => runCut(one)),
    solves: cases.solves.map((one) => runSolve(one)),
    bins: cases.bins.map(({ about, values }) => values.map((value) => core.binOf(about, value))),
    accuracies: cases.accuracies.map((one) => runAccuracy(one)),
    urls: cases.urls.map((search) => runUrl(search)),
    refusals: cases.refusals.map((one) => {
      try {
        runCut(one);
        return null;
      } catch (error) {
        return error.message;
      }
    }),
  };
}

process.stdout.write(JSON.stringify(runCases(JSON.parse(readFileSync(0, "utf8")))));
