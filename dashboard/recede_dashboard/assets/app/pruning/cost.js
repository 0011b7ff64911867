/**
 * What a cut costs, exactly, and where a value falls in a histogram.
 *
 * The costs are those of backend/recede/contract/network/cost.py and file_size.py, as the same integers.
 */

/** @import { Cost, Histogram, Shape, StoredTensor } from "./selection.js" */

// ---- parameters and multiply-adds ----------------------------------------------------

/**
 * Exact parameters and multiply-adds of one image with `kept[l]` channels in layer l.
 * @param {Shape} shape
 * @param {ArrayLike<number>} kept
 * @returns {Cost}
 */
export function costOf(shape, kept) {
  /** @type {(dense: number, group: ?number|undefined) => number} */
  const left = (dense, group) =>
    group === null || group === undefined
      ? dense
      : Math.floor(dense / shape.groups[group].size) * kept[group];
  let params = 0;
  let macs = 0;
  for (const op of shape.ops) {
    if (op.kind === "fixed") {
      params += op.params || 0;
      macs += op.macs || 0;
      continue;
    }
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

/**
 * Cost of the network as trained.
 * @param {Shape} shape
 */
export const denseCost = (shape) => costOf(shape, shape.groups.map((group) => group.size));

// ---- size of the file ----------------------------------------------------------------

/** @type {Object<string, number>} */
const BYTES = { F32: 4, I64: 8 };

/** @type {WeakMap<Shape, StoredTensor[]>} */
const inFileOrder = new WeakMap();

/**
 * Tensors as they lie in the file: the wider type first, then by name.
 * @param {Shape} shape
 */
function tensorsOf(shape) {
  let known = inFileOrder.get(shape);
  if (!known) {
    known = [...(shape.tensors || [])].sort(
      (a, b) => BYTES[b.dtype] - BYTES[a.dtype] || (a.name < b.name ? -1 : 1),
    );
    inFileOrder.set(shape, known);
  }
  return known;
}

/**
 * Bytes of the safetensors file with `kept[l]` channels in layer l: 8 for the length of the
 * header, the header padded to 8, the tensors. Null where the run does not say what it holds.
 *
 * @param {Shape} shape
 * @param {ArrayLike<number>} kept
 * @returns {?number}
 */
export function fileBytes(shape, kept) {
  const tensors = tensorsOf(shape);
  if (!tensors.length) return null;
  let header = 2 + tensors.length - 1;
  let end = 0;
  for (const { name, dtype, shape: dense, links } of tensors) {
    const dims = [...dense];
    for (const [dim, group, slices] of links) {
      dims[dim] -= slices * (shape.groups[group].size - kept[group]);
    }
    const start = end;
    end += BYTES[dtype] * dims.reduce((product, size) => product * size, 1);
    const about = `"${name}":{"dtype":"${dtype}","shape":[${dims}],"data_offsets":[${start},${end}]}`;
    header += about.length;
  }
  return 8 + Math.ceil(header / 8) * 8 + end;
}

// ---- histograms ----------------------------------------------------------------------

/**
 * The binned importances of all epochs as one blob, ready to be looked up.
 *
 * @param {Uint32Array} counts  epochs × bins
 * @param {{bins: number, low: number, high: number, epochs: number[]}} about
 * @returns {Histogram}
 */
export function histogram(counts, { bins, low, high, epochs }) {
  const max = counts.reduce((a, b) => Math.max(a, b), 1);
  const row = new Map(
    epochs.map((epoch, i) => [epoch, counts.subarray(i * bins, (i + 1) * bins)]),
  );
  return { rows: epochs.length, bins, low, high, epochs, counts, max, row };
}

/**
 * The bin that a value on the axis is counted in; what lies outside is in the first or last.
 * @param {{bins: number, low: number, high: number}} about
 * @param {number} value
 */
export function binOf({ bins, low, high }, value) {
  const share = (Math.min(high, Math.max(low, value)) - low) / (high - low);
  return Math.min(bins - 1, Math.floor(share * bins));
}
