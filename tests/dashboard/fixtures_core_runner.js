/** Runs recede-core.js on a batch of cases: in a page as runCases(cases), in node on stdin. */
"use strict";

function runCut(core, { shape, raw, plan }) {
  const ranking = core.prepare(shape, Float32Array.from(raw));
  const selection = core.select(ranking, plan);
  const mask = core.mask(ranking, selection);
  const shown =
    plan.threshold === null ? core.thresholdFor(ranking, plan, plan.ratio) : plan.threshold;
  return {
    mask: [...mask].join(""),
    kept: selection.kept,
    held: selection.held,
    removed: selection.removed,
    ratio: selection.ratio,
    digest: core.digest(mask),
    cost: core.cost(shape, selection.kept),
    dense: core.denseCost(shape),
    threshold: shown,
    threshold_ratio: core.ratioFor(ranking, plan, shown),
    importances: [...core.importances(ranking.raw.slice(0, 50), shape.scale)],
  };
}

function runAccuracy(core, { points, ratios }) {
  return {
    wilson: points.map((point) => core.wilson(point.correct, point.n)),
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
  const core = Object.assign(
    {},
    ...["recede-core", "explore-digest", "explore-format", "explore-gap", "explore-state"].map((name) =>
      require(path.join(assets, `${name}.js`)),
    ),
  );
  const cases = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify(runCases(cases, core, core.state)));
}
