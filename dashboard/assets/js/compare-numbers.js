/** Comparing runs: series, means over seeds, densities. Pure, without DOM. */
(function (scope) {
  "use strict";

  const OF_THE_START = ["name", "seed", "device", "keep_weights_mb", "map_budget"];
  const LOG_RANGE = [-5, 0.5]; // decades of the importance; what lies beyond is in the last bins
  const BINS = 66;

  /** Nested objects as "a.b" → value. */
  function flat(object, prefix = "") {
    const out = {};
    for (const [name, value] of Object.entries(object || {})) {
      const inner = value !== null && typeof value === "object" && !Array.isArray(value);
      if (inner) Object.assign(out, flat(value, `${prefix}${name}.`));
      else out[prefix + name] = value;
    }
    return out;
  }

  /** What makes two runs seeds of one configuration: all of the spec but where and how it started. */
  function configuration(spec) {
    const fields = Object.entries(flat(spec)).filter(([name]) => !OF_THE_START.includes(name));
    return JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Runs of one configuration together, in the order given. @returns {{key: string, runs: any[]}[]} */
  function series(runs) {
    const found = new Map();
    for (const run of runs) {
      const key = configuration(run.spec);
      if (!found.has(key)) found.set(key, { key, runs: [] });
      found.get(key).runs.push(run);
    }
    return [...found.values()];
  }

  /** Mean and sample standard deviation; the latter null for fewer than two. */
  function spread(values) {
    const n = values.length;
    if (!n) return null;
    const mean = values.reduce((a, b) => a + b, 0) / n;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { mean, std: n > 1 ? Math.sqrt(squares / (n - 1)) : null, n };
  }

  /** Points of several runs that were asked for at the same ratio, joined: means with deviations. */
  function joined(curves) {
    const [first, ...rest] = curves;
    if (!first) return [];
    const byAsk = rest.map((points) => new Map(points.map((point) => [point.ask, point])));
    return first.flatMap((point) => {
      const same = [point, ...byAsk.map((map) => map.get(point.ask))];
      if (same.some((one) => !one)) return [];
      const mean = (read) => spread(same.map(read));
      return [{
        ask: point.ask, ratio: mean((one) => one.ratio).mean, value: mean((one) => one.accuracy.value),
        cost: {
          macs: mean((one) => one.cost.macs).mean, params: mean((one) => one.cost.params).mean,
        },
      }];
    });
  }

  /** The value between two points, by ratio; null outside of them. `points` ascend. */
  function between(points, ratio, read) {
    const right = points.findIndex((point) => point.ratio >= ratio);
    if (right < 0) return null;
    if (right === 0) return points[0].ratio === ratio ? read(points[0]) : null;
    const [a, b] = [points[right - 1], points[right]];
    const share = b.ratio > a.ratio ? (ratio - a.ratio) / (b.ratio - a.ratio) : 1;
    return read(a) + share * (read(b) - read(a));
  }

  /** Share of the importances in each bin of the axis "log" (decades) or "linear" (0 to 1). */
  function density(importances, axis) {
    const [low, high] = axis === "log" ? LOG_RANGE : [0, 1];
    const out = new Float64Array(BINS);
    for (const value of importances) {
      const at = axis === "log" ? Math.log10(Math.max(value, 1e-30)) : value;
      const bin = Math.floor(((at - low) / (high - low)) * BINS);
      out[Math.min(BINS - 1, Math.max(0, bin))] += 1 / importances.length;
    }
    return out;
  }

  /** Fields of the specs that differ: name → one value a spec; undefined where a spec has none. */
  function differences(specs) {
    const all = specs.map((spec) => flat(spec));
    const names = [...new Set(all.flatMap(Object.keys))];
    const text = (value) => JSON.stringify(value ?? null);
    return names
      .filter((name) => new Set(all.map((one) => text(one[name]))).size > 1)
      .map((name) => ({ name, values: all.map((one) => one[name]) }));
  }

  const numbers = {
    BINS, LOG_RANGE, flat, series, spread, joined, between, density, differences,
  };
  if (typeof module !== "undefined" && module.exports) module.exports = numbers;
  scope.recede = scope.recede || {};
  scope.recede.compare = Object.assign(scope.recede.compare || {}, { numbers });
})(typeof window !== "undefined" ? window : globalThis);
