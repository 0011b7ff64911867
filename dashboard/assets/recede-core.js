/**
 * The arithmetic of a cut, in the browser: the same results as backend/contract in Python.
 *
 * Pure functions without DOM or network, as window.recede.core and as a CommonJS module.
 * explore-digest.js, explore-format.js and explore-gap.js add to the same object.
 *
 * @typedef {{name: string, size: number, minimum: number}} Group
 * @typedef {{kind: string, fan_in: number, fan_out: number, source: ?number, target: ?number,
 *   kernel: number, positions: number, bias: boolean}} Op
 * @typedef {{groups: Group[], ops: Op[], scale: "bounded"|"plain"}} Shape  NetworkShape
 * @typedef {{scope?: "global"|"local", ratio?: ?number, threshold?: ?number, locks?: string[],
 *   overrides?: Object<string, number>}} Plan
 * @typedef {{gone: Uint32Array, kept: number[], held: string[], removed: number, ratio: number}}
 *   Selection  `gone[l]`: how many of layer l go, its lowest first
 * @typedef {{ratio: number, correct: number, n: number}} Measured
 * @typedef {{kind: string, value: number, low: number, high: number, n: number}} Accuracy
 */
(function (scope) {
  "use strict";

  const Z_95 = 1.959964; // two-sided 95 % quantile of the normal distribution

  // ---- importances ---------------------------------------------------------------------

  /** Importance of one raw scale: σ(w) for "bounded", |γ| for "plain". */
  function importance(raw, scale) {
    if (scale === "plain") return Math.abs(raw);
    if (raw >= 0) return 1 / (1 + Math.exp(-raw));
    const e = Math.exp(raw);
    return e / (1 + e);
  }

  /** Importances of a whole snapshot, as Float64Array. */
  function importances(raw, scale) {
    return Float64Array.from(raw, (value) => importance(value, scale));
  }

  /** A threshold on importances, on the ranking keys; NumPy compares it as float32, so we do. */
  function thresholdKey(threshold, scale) {
    if (scale === "plain") return Math.fround(threshold);
    if (threshold <= 0) return -Infinity;
    return threshold >= 1 ? Infinity : Math.fround(Math.log(threshold / (1 - threshold)));
  }

  // ---- selection -----------------------------------------------------------------------

  /** ⌊ratio · size⌋; the small addend mends products such as 0.29 · 100 = 28.999…96. */
  const nToRemove = (ratio, size) => Math.floor(ratio * size + 1e-9);

  /** How many values of an ascending array are ≤ limit (inclusive) or < limit. */
  function countUpTo(sorted, limit, inclusive) {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle] < limit || (inclusive && sorted[middle] === limit)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Sort one snapshot once; every later cut of it costs binary searches only.
   *
   * @param {Shape} shape
   * @param {Float32Array} raw  raw scales in network order
   * @throws {RangeError} the snapshot does not fit the network or is not finite
   */
  function prepare(shape, raw) {
    const size = shape.groups.reduce((sum, group) => sum + group.size, 0);
    if (raw.length !== size) {
      throw new RangeError(`The snapshot has ${raw.length} neurons, the network ${size}.`);
    }
    if (!raw.every(Number.isFinite)) {
      throw new RangeError("The importances of this epoch are not finite: training diverged.");
    }
    const keys = shape.scale === "plain" ? raw.map((value) => Math.abs(value)) : raw;
    const order = Uint32Array.from(raw, (_, i) => i).sort((a, b) => keys[a] - keys[b] || a - b);
    const layerOf = new Uint16Array(size);
    let start = 0;
    shape.groups.forEach((group, layer) => {
      layerOf.fill(layer, start, start + group.size);
      start += group.size;
    });
    const rank = new Uint32Array(size); // place of a neuron among its own layer's
    const seen = new Uint32Array(shape.groups.length);
    for (const neuron of order) rank[neuron] = seen[layerOf[neuron]]++;
    return { shape, raw, keys, order, layerOf, rank, size, free: null };
  }

  /** The neurons that follow the plan's one choice (no lock, no override), lowest first. */
  function freeView(ranking, plan) {
    const bound = new Set([...(plan.locks || []), ...Object.keys(plan.overrides || {})]);
    const id = JSON.stringify([...bound].sort());
    if (ranking.free && ranking.free.id === id) return ranking.free;
    const groups = ranking.shape.groups;
    for (const name of bound) {
      if (!groups.some((group) => group.name === name)) {
        throw new RangeError(`Unknown layer "${name}".`);
      }
    }
    const isFree = groups.map((group) => !bound.has(group.name));
    const order = ranking.order.filter((neuron) => isFree[ranking.layerOf[neuron]]);
    const places = groups.map((group, l) => new Uint32Array(isFree[l] ? group.size : 0));
    order.forEach((neuron, place) => {
      places[ranking.layerOf[neuron]][ranking.rank[neuron]] = place;
    });
    const keys = Float32Array.from(order, (neuron) => ranking.keys[neuron]);
    ranking.free = { id, keys, places };
    return ranking.free;
  }

  /**
   * What a plan keeps. Whatever the plan, a layer loses its lowest channels first (ties by
   * index), so a count for each layer says everything; `mask` spells it out.
   *
   * @param {ReturnType<typeof prepare>} ranking
   * @param {Plan} plan
   * @returns {Selection}
   */
  function select(ranking, plan) {
    const { groups, scale } = ranking.shape;
    const overrides = plan.overrides || {};
    const byThreshold = plan.threshold !== null && plan.threshold !== undefined;
    const local = !byThreshold && plan.scope === "local";
    const ratio = plan.ratio || 0;
    const free = freeView(ranking, plan);
    const upTo = byThreshold
      ? countUpTo(free.keys, thresholdKey(plan.threshold, scale), true)
      : nToRemove(ratio, free.keys.length);
    const gone = new Uint32Array(groups.length);
    const kept = new Array(groups.length);
    const held = [];
    let removed = 0;
    for (let l = 0; l < groups.length; l++) {
      const { name, size, minimum } = groups[l];
      let wanted = 0;
      if (Object.hasOwn(overrides, name)) wanted = nToRemove(overrides[name], size);
      else if (free.places[l].length === 0) wanted = 0;
      else if (local) wanted = nToRemove(ratio, size);
      else wanted = countUpTo(free.places[l], upTo, false);
      const most = size - Math.min(minimum, size);
      if (wanted > most) held.push(name);
      gone[l] = Math.min(wanted, most);
      kept[l] = size - gone[l];
      removed += gone[l];
    }
    return { gone, kept, held, removed, ratio: removed / ranking.size };
  }

  /** 1 for every neuron that is kept, in network order. */
  function mask(ranking, selection) {
    const { rank, layerOf } = ranking;
    return Uint8Array.from(rank, (place, i) => (place < selection.gone[layerOf[i]] ? 0 : 1));
  }

  /** Share of the free neurons that a threshold removes (minima not counted). */
  function ratioFor(ranking, plan, threshold) {
    const { keys } = freeView(ranking, plan);
    if (!keys.length) return 0;
    return countUpTo(keys, thresholdKey(threshold, ranking.shape.scale), true) / keys.length;
  }

  /** The shortest number that, as a threshold, lies in [low, high) on the ranking keys. */
  function shortThreshold(low, high, scale) {
    const exact = importance(low + (high - low) / 2, scale);
    for (let digits = 2; digits < 17; digits++) {
      const short = Number(exact.toPrecision(digits));
      const key = thresholdKey(short, scale);
      if (key >= low && key < high) return short;
    }
    return importance(low, scale);
  }

  /** A threshold that makes the same global cut as a ratio, up to ties; 0 where nothing goes. */
  function thresholdFor(ranking, plan, ratio) {
    const { keys } = freeView(ranking, plan);
    const count = nToRemove(ratio, keys.length);
    if (count === 0) return 0;
    const low = keys[count - 1];
    return shortThreshold(low, count < keys.length ? keys[count] : low + 1, ranking.shape.scale);
  }

  // ---- cost ----------------------------------------------------------------------------

  /** Exact parameters and multiply-adds of one image with `kept[l]` channels in layer l. */
  function cost(shape, kept) {
    const left = (dense, group) =>
      group === null || group === undefined
        ? dense
        : Math.floor(dense / shape.groups[group].size) * kept[group];
    let params = 0;
    let macs = 0;
    for (const op of shape.ops) {
      const fanOut = left(op.fan_out, op.target);
      if (op.kind === "norm") {
        params += 2 * fanOut;
        continue;
      }
      const fanIn = op.kind === "depthwise" ? 1 : left(op.fan_in, op.source);
      const weights = op.kernel * fanOut * fanIn;
      params += weights + (op.bias ? fanOut : 0);
      macs += weights * op.positions;
    }
    return { params, macs };
  }

  /** Cost of the network as trained. */
  const denseCost = (shape) => cost(shape, shape.groups.map((group) => group.size));

  // ---- accuracy ------------------------------------------------------------------------

  /** 95 % score interval of a proportion (Wilson, 1927), as [low, high]. */
  function wilson(correct, n) {
    const p = correct / n;
    const z2 = Z_95 * Z_95;
    const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
    const half = (Z_95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
    return [Math.max(0, centre - half), Math.min(1, centre + half)];
  }

  /** Standard error of a proportion, two of each outcome added (Agresti and Coull, 1998). */
  function standardError(correct, n) {
    const p = (correct + 2) / (n + 4);
    return Math.sqrt((p * (1 - p)) / (n + 4));
  }

  const byRatio = (points) => [...points].sort((a, b) => a.ratio - b.ratio);

  /** Largest measured ratio before any drop exceeds one standard error; null without ratio 0. */
  function losslessRatio(points) {
    const ordered = byRatio(points);
    if (!ordered.length || ordered[0].ratio !== 0) return null;
    const dense = ordered[0];
    const floor = dense.correct / dense.n - standardError(dense.correct, dense.n);
    let best = 0;
    for (const point of ordered) {
      if (point.correct / point.n < floor) break;
      best = point.ratio;
    }
    return best;
  }

  /** Accuracy between measured ratios with a band over both intervals; null outside of them. */
  function estimate(points, ratio) {
    const ordered = byRatio(points);
    const left = ordered.filter((point) => point.ratio <= ratio).pop();
    const right = ordered.find((point) => point.ratio >= ratio);
    if (!left || !right) return null;
    const width = right.ratio - left.ratio;
    const share = width ? (ratio - left.ratio) / width : 0;
    const from = left.correct / left.n;
    const value = from + share * (right.correct / right.n - from);
    const [a, b] = [wilson(left.correct, left.n), wilson(right.correct, right.n)];
    return {
      kind: "estimated",
      value,
      low: Math.min(a[0], b[0]),
      high: Math.max(a[1], b[1]),
      n: Math.min(left.n, right.n),
    };
  }

  const core = {
    importance, importances, thresholdKey, nToRemove, countUpTo, prepare, select, mask,
    ratioFor, thresholdFor, shortThreshold, cost, denseCost, wilson, standardError,
    losslessRatio, estimate,
  };
  if (typeof module !== "undefined" && module.exports) module.exports = core;
  scope.recede = scope.recede || {};
  scope.recede.core = Object.assign(scope.recede.core || {}, core);
})(typeof window !== "undefined" ? window : globalThis);
