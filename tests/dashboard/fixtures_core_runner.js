/** Runs recede-core.js on a batch of cases: in a page as runCases(cases), in node on stdin. */
"use strict";

function runCut(core, { shape, raw, plan }) {
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
    digest: core.digest(mask, selection.variant),
    cost: core.cost(shape, selection.kept),
    dense: core.denseCost(shape),
    bytes: core.fileBytes(shape, selection.kept),
    threshold: shown,
    threshold_ratio: core.ratioFor(ranking, plan, shown),
    importances: [...core.importances(ranking.raw.slice(0, 50), ranking.scale)],
  };
}

function runSolve(core, { shape, raw, plan, target, points }) {
  const ranking = core.prepare(shape, Float32Array.from(raw), core.scaleOf(shape, plan));
  try {
    const found = core.solve(ranking, plan, target, points);
    const { reached, value, bound } = found;
    return { ratio: found.plan.ratio, kept: found.selection.kept, reached, value, bound };
  } catch (error) {
    return { refused: error.message };
  }
}

function runAccuracy(core, { points, ratios }) {
  return {
    wilson: points.map(({ correct, n }) => (n === undefined ? null : core.wilson(correct, n))),
    lossless: core.losslessRatio(points),
    estimates: ratios.map((ratio) => core.estimate(points, ratio)),
  };
}

function runFormat(core, { name, args }) {
  return core.format[name](...args);
}

function runUrl(state, search) {
  const { patch, refused } = state.fromUrl(search);
  const chosen = { ...state.initial(), ...patch };
  const written = state.toUrl(search, chosen);
  return { chosen, refused, written, again: state.fromUrl(written).patch };
}

function runCases(cases, core = window.recede.core, state = window.recede.explore.state) {
  return {
    cuts: cases.cuts.map((one) => runCut(core, one)),
    solves: cases.solves.map((one) => runSolve(core, one)),
    bins: cases.bins.map(({ about, values }) => values.map((value) => core.binOf(about, value))),
    accuracies: cases.accuracies.map((one) => runAccuracy(core, one)),
    gaps: cases.gaps.map((one) => core.naturalGap(Float32Array.from(one.raw), one.scale)),
    formats: cases.formats.map((one) => runFormat(core, one)),
    urls: cases.urls.map((search) => runUrl(state, search)),
    refusals: cases.refusals.map((one) => {
      try {
        runCut(core, one);
        return null;
      } catch (error) {
        return error.message;
      }
    }),
  };
}

if (typeof require !== "undefined") {
  const path = require("node:path");
  const assets = process.argv[2];
  const parts = [
    "recede-core", "core-cost", "core-accuracy", "core-targets",
    "explore-digest", "explore-format", "explore-gap", "explore-state",
  ];
  const core = Object.assign({}, ...parts.map((name) => require(path.join(assets, `${name}.js`))));
  const cases = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify(runCases(cases, core, core.state)));
}
