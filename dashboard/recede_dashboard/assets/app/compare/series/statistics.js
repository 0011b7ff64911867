/** Comparing runs: series, means over seeds, densities. Pure, without DOM. */

const OF_THE_START = ["name", "seed", "device", "keep_weights_mb", "map_budget"];
export const LOG_RANGE = [-5, 0.5]; // decades of the importance; what lies beyond is in the last bins
export const DENSITY_BINS = 66;

/** Nested objects as "a.b" → value. */
export function flatten(object, prefix = "") {
  const out = {};
  for (const [name, value] of Object.entries(object || {})) {
    const inner = value !== null && typeof value === "object" && !Array.isArray(value);
    if (inner) Object.assign(out, flatten(value, `${prefix}${name}.`));
    else out[prefix + name] = value;
  }
  return out;
}

/** What makes two runs seeds of one configuration: all of the spec but where and how it started. */
function configuration(spec) {
  const fields = Object.entries(flatten(spec)).filter(([name]) => !OF_THE_START.includes(name));
  return JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Runs of one configuration together, in the order given. @returns {{key: string, runs: any[]}[]} */
export function groupSeeds(runs) {
  const found = new Map();
  for (const run of runs) {
    const key = configuration(run.spec);
    if (!found.has(key)) found.set(key, { key, runs: [] });
    found.get(key).runs.push(run);
  }
  return [...found.values()];
}

/** Mean and sample standard deviation; the latter null for fewer than two. */
export function spreadOf(values) {
  const n = values.length;
  if (!n) return null;
  if (values.every((value) => value === values[0])) return { mean: values[0], std: n > 1 ? 0 : null, n };
  const mean = values.reduce((a, b) => a + b, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: n > 1 ? Math.sqrt(squares / (n - 1)) : null, n };
}

/** "26.5 % ± 3.5 %": each number with its unit, the deviation where there is one. */
export const plusMinus = ({ mean, std }, words) => (std === null ? words(mean) : `${words(mean)} ± ${words(std)}`);

/** One standard deviation on either side of a mean accuracy, no further than an accuracy can be. */
export const accuracyBand = ({ mean, std }) => [Math.max(0, mean - (std || 0)), Math.min(1, mean + (std || 0))];

/**
 * The cuts of several runs as one: mean and deviation of what each of them is by itself. The
 * accuracy is null while a curve among them does not reach that far.
 */
export function gatherCuts(cuts) {
  const over = (read) => spreadOf(cuts.map(read));
  const curved = cuts.filter((one) => one.accuracy !== undefined);
  const of = (name) => ({ value: over((one) => one.cost[name]), share: over((one) => one.share[name]) });
  return {
    ratio: over((one) => one.ratio), macs: of("macs"), params: of("params"),
    accuracy: curved.some((one) => one.accuracy === null) ? null : spreadOf(curved.map((one) => one.accuracy)),
  };
}

/**
 * Lefts of neighbours, each as near to its own `left` as the others let it (least squares):
 * those that would overlap are pooled and share the mean of what they want.
 * @param {{left: number, width: number}[]} ones ascending
 */
function apart(ones, low, high, gap) {
  let offset = 0;
  const pools = [];
  for (const { left, width } of ones) {
    pools.push({ sum: left - offset, n: 1 }); // where the row would begin, if it were for this one
    offset += width + gap;
    for (let last = pools.at(-1); pools.length > 1 && pools.at(-2).sum / pools.at(-2).n > last.sum / last.n; last = pools.at(-1)) {
      pools.pop();
      Object.assign(pools.at(-1), { sum: pools.at(-1).sum + last.sum, n: pools.at(-1).n + last.n });
    }
  }
  const latest = high - (offset - gap);
  const starts = pools.flatMap(({ sum, n }) => Array(n).fill(Math.max(low, Math.min(latest, sum / n))));
  offset = 0;
  return ones.map(({ width }, i) => {
    offset += width + gap;
    return starts[i] + offset - width - gap;
  });
}

/**
 * Places for labels of these widths side by side, each as near to where it wants its middle as
 * the others let it; what does not fit between `low` and `high` goes into a further row.
 * @param {{at: number, width: number}[]} wanted @returns {{x: number, row: number}[]} middles
 */
export function placeBeside(wanted, low, high, gap = 4) {
  const order = wanted.map((one, i) => ({ i, left: one.at - one.width / 2, width: one.width }))
    .sort((a, b) => wanted[a.i].at - wanted[b.i].at || a.i - b.i);
  const rows = [];
  let used = Infinity;
  for (const one of order) {
    if (used + one.width > high - low) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1).push(one);
    used += one.width + gap;
  }
  const out = new Array(wanted.length);
  rows.forEach((ones, row) => apart(ones, low, high, gap).forEach((left, k) => {
    out[ones[k].i] = { x: left + ones[k].width / 2, row };
  }));
  return out;
}

/** Points of several runs that were asked for at the same ratio, joined: means with deviations. */
export function joinCurves(curves) {
  const [first, ...rest] = curves;
  if (!first) return [];
  const byAsk = rest.map((points) => new Map(points.map((point) => [point.ask, point])));
  return first.flatMap((point) => {
    const same = [point, ...byAsk.map((map) => map.get(point.ask))];
    if (same.some((one) => !one)) return [];
    const mean = (read) => spreadOf(same.map(read));
    return [{
      ask: point.ask, ratio: mean((one) => one.ratio).mean, value: mean((one) => one.accuracy.value),
      cost: {
        macs: mean((one) => one.cost.macs).mean, params: mean((one) => one.cost.params).mean,
      },
    }];
  });
}

/** The value between two points, by ratio; null outside of them. `points` ascend. */
export function readBetween(points, ratio, read) {
  const right = points.findIndex((point) => point.ratio >= ratio);
  if (right < 0) return null;
  if (right === 0) return points[0].ratio === ratio ? read(points[0]) : null;
  const [a, b] = [points[right - 1], points[right]];
  const share = b.ratio > a.ratio ? (ratio - a.ratio) / (b.ratio - a.ratio) : 1;
  return read(a) + share * (read(b) - read(a));
}

/** Share of the importances in each bin of the axis "log" (decades) or "linear" (0 to 1). */
export function density(importances, axis) {
  const [low, high] = axis === "log" ? LOG_RANGE : [0, 1];
  const out = new Float64Array(DENSITY_BINS);
  for (const value of importances) {
    const at = axis === "log" ? Math.log10(Math.max(value, 1e-30)) : value;
    const bin = Math.floor(((at - low) / (high - low)) * DENSITY_BINS);
    out[Math.min(DENSITY_BINS - 1, Math.max(0, bin))] += 1 / importances.length;
  }
  return out;
}

/** Fields of the specs that differ: name → one value a spec; undefined where a spec has none. */
export function differences(specs) {
  const all = specs.map((spec) => flatten(spec));
  const names = [...new Set(all.flatMap(Object.keys))];
  const text = (value) => JSON.stringify(value ?? null);
  return names
    .filter((name) => new Set(all.map((one) => text(one[name]))).size > 1)
    .map((name) => ({ name, values: all.map((one) => one[name]) }));
}
