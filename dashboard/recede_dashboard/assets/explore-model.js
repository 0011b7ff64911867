/** From choices and data to what is shown: one plain object for each frame, no DOM. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});
  const core = () => window.recede.core;

  /** The epoch shown: the chosen one, else the best of a finished run, else the latest. */
  function shownEpoch(state, source) {
    const { epochs, run, bestEpoch, weights } = source;
    if (!epochs.length) return null;
    if (state.epoch !== null && epochs.includes(state.epoch)) return state.epoch;
    const finished = run && !["queued", "running"].includes(run.state);
    if (finished && epochs.includes(bestEpoch) && weights.includes(bestEpoch)) return bestEpoch;
    return epochs[epochs.length - 1];
  }

  /** Where the line stands, as an importance; null where no single one exists. */
  function lineOf(plan, ranking, selection, layer) {
    if (plan.threshold !== undefined) return plan.threshold;
    if (plan.scope === "global") return core().thresholdFor(ranking, plan, plan.ratio);
    if (layer < 0) return null;
    const keys = layerKeys(ranking, layer);
    const gone = selection.gone[layer];
    if (gone === 0) return 0;
    const low = keys[gone - 1];
    return core().shortThreshold(low, gone < keys.length ? keys[gone] : low + 1, ranking.shape.scale);
  }

  /** Ranking keys of one layer, ascending. */
  function layerKeys(ranking, layer) {
    ranking.sorted = ranking.sorted || new Map();
    if (!ranking.sorted.has(layer)) {
      const own = ranking.keys.filter((_, i) => ranking.layerOf[i] === layer);
      ranking.sorted.set(layer, own.sort());
    }
    return ranking.sorted.get(layer);
  }

  /** Curve points of these very weights, each with `ratio`, `ask`, `accuracy` and `cost`. */
  function curvePoints(source, epoch, scope, criterion = "importance", bias = "drop") {
    return explore.curves.points(source, { epoch, scope, criterion, bias });
  }

  /** What was measured on exactly this cut; the digest is only made where a ratio fits. */
  function measuredCut(source, epoch, ranking, selection) {
    for (const known of source.evaluations.values()) {
      if (known.epoch !== epoch || Math.abs(known.ratio - selection.ratio) > 1e-9) continue;
      const digest = core().digest(core().mask(ranking, selection), selection.variant);
      return source.evaluations.get(`${epoch}:${digest}`) || null;
    }
    return null;
  }

  function accuracyOf(source, epoch, plan, ranking, selection) {
    const known = measuredCut(source, epoch, ranking, selection);
    if (known) return known.accuracy;
    if (!explore.plan.isPlain(plan, source)) return null; // off the curve: the server gives no estimate either
    return core().estimate(curvePoints(source, epoch, plan.scope, plan.criterion, plan.bias), selection.ratio);
  }

  /** Layers of which more than 95 % would go. */
  function nearlyGone(shape, selection) {
    return shape.groups.filter((group, l) => selection.gone[l] > 0.95 * group.size)
      .map((group) => group.name);
  }

  /** Everything that depends on the snapshot; empty while it is not there. */
  function cutOf(state, source, epoch, layer) {
    const ranking = epoch === null ? null : source.ranking(epoch);
    if (!ranking) return { ranking: null };
    const solved = explore.ask.solve(state, source, ranking, epoch);
    const chosen = solved ? { ...state, by: "ratio", ratio: solved.ratio } : state;
    const plan = explore.plan.of(chosen, epoch);
    const whole = explore.plan.withProtected(plan, source);
    const selection = core().select(ranking, whole);
    const asked = chosen.by === "ratio" ? chosen.ratio : core().ratioFor(ranking, whole, state.threshold);
    if (ranking.gap === undefined) ranking.gap = core().naturalGap(ranking.raw, source.shape.scale);
    return {
      ranking, plan, selection, asked, solved,
      line: lineOf(whole, ranking, selection, layer),
      cost: core().cost(source.shape, selection.kept),
      accuracy: accuracyOf(source, epoch, whole, ranking, selection),
      nearlyGone: nearlyGone(source.shape, selection),
      gap: ranking.gap,
    };
  }

  /** Accuracy of the uncut network at this epoch, on the validation images. */
  function denseAccuracy(source, epoch) {
    const metric = source.metrics.get(epoch);
    return metric ? { value: metric.val_accuracy, n: metric.n_val } : null;
  }

  /**
   * All that is shown. While the snapshot of an epoch is on its way, the numbers of the one
   * before stay and `stale` is true.
   */
  function derive(app) {
    const { state, source } = app;
    const epoch = shownEpoch(state, source);
    source.criterion = state.criterion;
    const shape = source.shape;
    const layer = shape && state.layer ? shape.groups.findIndex((g) => g.name === state.layer) : -1;
    const finished = Boolean(source.run) && !["queued", "running"].includes(source.run.state);
    const cut = cutOf(state, source, epoch, layer);
    const before = app.now || {};
    const kept = cut.ranking || !before.selection || epoch === null ? cut : {
      ...before, ranking: null, stale: true, accuracy: null,
    };
    const latest = source.epochs.length ? source.epochs[source.epochs.length - 1] : null;
    return {
      stale: false, ...kept, epoch, latest, layer, finished,
      dense: shape ? (app.denseCost = app.denseCost || core().denseCost(shape)) : null,
      denseAccuracy: denseAccuracy(source, epoch),
      canCut: source.weights.includes(epoch) && Boolean(cut.ranking),
      hasWeights: source.weights.includes(epoch),
      isBest: epoch === source.bestEpoch,
      lossless: losslessOf(source, epoch, state.scope, state.criterion, state.bias),
    };
  }

  /** The lossless point: its share removed, and the ratio to ask for to get that very cut. */
  function losslessOf(source, epoch, scope, criterion = "importance", bias = "drop") {
    const curve = explore.curves.of(source, { epoch, scope, criterion, bias });
    const points = !curve || curve.job ? [] : curve.points;
    const ratio = core().losslessRatio(points);
    if (ratio === null) return null;
    return { ratio, ask: points.findLast((point) => point.ratio === ratio).ask };
  }

  explore.model = { derive, shownEpoch, layerKeys, curvePoints, losslessOf, accuracyOf };
})();
