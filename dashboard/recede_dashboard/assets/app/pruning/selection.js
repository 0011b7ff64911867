/**
 * The arithmetic of a cut, in the browser: the same results as backend/recede/contract in Python.
 *
 * Pure functions without DOM or network.
 *
 * @typedef {"bounded"|"plain"} Scale
 * @typedef {{name: string, size: number, minimum: number}} Group
 * @typedef {{name?: string, kind: string, fan_in: number, fan_out: number,
 *   source?: ?number, target?: ?number, kernel: number, positions: number, bias: boolean,
 *   params?: number, macs?: number}} Op
 * @typedef {{name: string, dtype: string, shape: number[], links: number[][]}} StoredTensor
 * @typedef {{groups: Group[], ops: Op[], scale: Scale, tensors?: StoredTensor[]}} Shape
 *   NetworkShape
 * @typedef {{scope?: "global"|"local", ratio?: ?number, threshold?: ?number, locks?: string[],
 *   overrides?: Object<string, number>, criterion?: string, round_to?: number,
 *   min_channels?: ?number, bias?: "drop"|"fold"}} Plan
 * @typedef {{id: string, keys: Float32Array, places: Uint32Array[]}} Free
 *   the neurons that follow a plan's one choice, lowest first; their places, layer by layer
 * @typedef {{shape: Shape, scale: Scale, raw: Float32Array, keys: Float32Array,
 *   order: Uint32Array, layerOf: Uint16Array, rank: Uint32Array, size: number,
 *   free: ?Free, sorted?: Map<number, Float32Array>, [kept: string]: any}} Ranking
 *   what is worked out of it later may be kept with it
 * @typedef {{gone: Uint32Array, kept: number[], held: string[], rounded: string[],
 *   removed: number, ratio: number, variant: "drop"|"fold"}} Selection
 *   `gone[l]`: how many of layer l go, its lowest first
 * @typedef {{params: number, macs: number}} Cost
 * @typedef {{rows: number, bins: number, low: number, high: number, epochs: number[],
 *   counts: Uint32Array, max: number, row: Map<number, Uint32Array>}} Histogram
 */

// ---- importances ---------------------------------------------------------------------

/**
 * Importance of one raw scale: σ(w) for "bounded", |γ| for "plain".
 * @param {number} raw
 * @param {Scale} scale
 */
export function importance(raw, scale) {
  if (scale === "plain") return Math.abs(raw);
  if (raw >= 0) return 1 / (1 + Math.exp(-raw));
  const e = Math.exp(raw);
  return e / (1 + e);
}

/**
 * Importances of a whole snapshot.
 * @param {ArrayLike<number>} raw
 * @param {Scale} scale
 */
export function importances(raw, scale) {
  return Float64Array.from(raw, (value) => importance(value, scale));
}

/**
 * A threshold on importances, on the ranking keys; NumPy compares it as float32, so we do.
 * @param {number} threshold
 * @param {Scale} scale
 */
export function thresholdKey(threshold, scale) {
  if (scale === "plain") return Math.fround(threshold);
  if (threshold <= 0) return -Infinity;
  return threshold >= 1 ? Infinity : Math.fround(Math.log(threshold / (1 - threshold)));
}

/**
 * How a plan's scores rank: those of a criterion of its own as plain |score|.
 * @param {Shape} shape
 * @param {Plan} plan
 * @returns {Scale}
 */
export function scaleOf(shape, plan) {
  return (plan.criterion || "importance") === "importance" ? shape.scale : "plain";
}

// ---- selection -----------------------------------------------------------------------

/**
 * ⌊ratio · size⌋; the small addend mends products such as 0.29 · 100 = 28.999…96.
 * @param {number} ratio
 * @param {number} size
 */
export const nToRemove = (ratio, size) => Math.floor(ratio * size + 1e-9);

/**
 * How many values of an ascending array are ≤ limit (inclusive) or < limit.
 * @param {ArrayLike<number>} sorted
 * @param {number} limit
 * @param {boolean} inclusive
 */
export function countUpTo(sorted, limit, inclusive) {
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
 * Sort the scores of one epoch once; every later cut costs binary searches only.
 *
 * @param {Shape} shape
 * @param {Float32Array} raw  raw scales, or a criterion's scores, in network order
 * @param {Scale} [scale]  how they rank, see `scaleOf`
 * @returns {Ranking}
 * @throws {RangeError} the scores do not fit the network or are not finite
 */
export function prepare(shape, raw, scale = shape.scale) {
  const size = shape.groups.reduce((sum, group) => sum + group.size, 0);
  if (raw.length !== size) {
    throw new RangeError(`The snapshot has ${raw.length} neurons, the network ${size}.`);
  }
  if (!raw.every(Number.isFinite)) {
    throw new RangeError("The importances of this epoch are not finite: training diverged.");
  }
  const keys = scale === "plain" ? raw.map((value) => Math.abs(value)) : raw;
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
  return { shape, scale, raw, keys, order, layerOf, rank, size, free: null };
}

/**
 * The neurons that follow the plan's one choice (no lock, no override), lowest first.
 * @param {Ranking} ranking
 * @param {Plan} plan
 * @returns {Free}
 */
export function freeView(ranking, plan) {
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
 * @param {Ranking} ranking
 * @param {Plan} plan
 * @returns {Selection}
 */
export function select(ranking, plan) {
  const { groups } = ranking.shape;
  const overrides = plan.overrides || {};
  const threshold = plan.threshold ?? null;
  const local = threshold === null && plan.scope === "local";
  const ratio = plan.ratio || 0;
  const multiple = plan.round_to || 1;
  const free = freeView(ranking, plan);
  const upTo = threshold === null
    ? nToRemove(ratio, free.keys.length)
    : countUpTo(free.keys, thresholdKey(threshold, ranking.scale), true);
  const gone = new Uint32Array(groups.length);
  /** @type {number[]} */
  const kept = new Array(groups.length);
  /** @type {string[]} */
  const held = [];
  /** @type {string[]} */
  const rounded = [];
  let removed = 0;
  for (let l = 0; l < groups.length; l++) {
    const { name, size, minimum } = groups[l];
    let wanted;
    if (Object.hasOwn(overrides, name)) wanted = nToRemove(overrides[name], size);
    else if (free.places[l].length === 0) wanted = 0;
    else if (local) wanted = nToRemove(ratio, size);
    else wanted = countUpTo(free.places[l], upTo, false);
    const least = Math.max(size - wanted, Math.min(plan.min_channels ?? minimum, size));
    if (least > size - wanted) held.push(name);
    kept[l] = Math.min(size, Math.ceil(least / multiple) * multiple);
    if (kept[l] > least) rounded.push(name);
    gone[l] = size - kept[l];
    removed += gone[l];
  }
  const folds = plan.bias === "fold" && ranking.shape.scale === "plain" && removed > 0;
  const variant = folds ? "fold" : "drop";
  return { gone, kept, held, rounded, removed, ratio: removed / ranking.size, variant };
}

/**
 * 1 for every neuron that is kept, in network order.
 * @param {Ranking} ranking
 * @param {Selection} selection
 */
export function mask(ranking, selection) {
  const { rank, layerOf } = ranking;
  return Uint8Array.from(rank, (place, i) => (place < selection.gone[layerOf[i]] ? 0 : 1));
}

/**
 * Share of the free neurons that a threshold removes (minima not counted).
 * @param {Ranking} ranking
 * @param {Plan} plan
 * @param {number} threshold
 */
export function ratioFor(ranking, plan, threshold) {
  const { keys } = freeView(ranking, plan);
  if (!keys.length) return 0;
  return countUpTo(keys, thresholdKey(threshold, ranking.scale), true) / keys.length;
}

/**
 * The shortest number that, as a threshold, lies in [low, high) on the ranking keys.
 * @param {number} low
 * @param {number} high
 * @param {Scale} scale
 */
export function shortThreshold(low, high, scale) {
  const exact = importance(low + (high - low) / 2, scale);
  for (let digits = 2; digits < 17; digits++) {
    const short = Number(exact.toPrecision(digits));
    const key = thresholdKey(short, scale);
    if (key >= low && key < high) return short;
  }
  return importance(low, scale);
}

/**
 * A threshold that makes the same global cut as a ratio, up to ties; 0 where nothing goes.
 * @param {Ranking} ranking
 * @param {Plan} plan
 * @param {number} ratio
 */
export function thresholdFor(ranking, plan, ratio) {
  const { keys } = freeView(ranking, plan);
  const count = nToRemove(ratio, keys.length);
  if (count === 0) return 0;
  const low = keys[count - 1];
  return shortThreshold(low, count < keys.length ? keys[count] : low + 1, ranking.scale);
}

/**
 * Ranking keys of one layer, ascending.
 * @param {Ranking} ranking
 * @param {number} layer
 * @returns {Float32Array}
 */
export function layerKeys(ranking, layer) {
  ranking.sorted = ranking.sorted || new Map();
  const known = ranking.sorted.get(layer);
  if (known) return known;
  const own = ranking.keys.filter((_, i) => ranking.layerOf[i] === layer).sort();
  ranking.sorted.set(layer, own);
  return own;
}
