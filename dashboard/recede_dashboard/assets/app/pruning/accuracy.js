/**
 * What a measured accuracy is worth: intervals, the lossless ratio, estimates between known
 * ratios, as in backend/recede/contract/measuring/accuracy.py.
 *
 * @typedef {{kind: "measured"|"estimated", value: number, low: number, high: number, n: number,
 *   n_split: number, split_low: number, split_high: number}} Accuracy
 * @typedef {{ratio: number, accuracy: Accuracy}} Known
 * @typedef {{ratio: number, correct: number, n: number}} Measured
 */

const Z_95 = 1.959964; // two-sided 95 % quantile of the normal distribution

/**
 * 95 % score interval of a proportion (Wilson, 1927), as [low, high].
 * @param {number} correct
 * @param {number} n
 */
export function wilson(correct, n) {
  const p = correct / n;
  const z2 = Z_95 * Z_95;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z_95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/**
 * Standard error of a proportion, two of each outcome added (Agresti and Coull, 1998).
 * @param {number} correct
 * @param {number} n
 */
export function standardError(correct, n) {
  const p = (correct + 2) / (n + 4);
  return Math.sqrt((p * (1 - p)) / (n + 4));
}

/**
 * An accuracy that was measured on all n images of a split.
 * @param {number} correct
 * @param {number} n
 * @returns {Accuracy}
 */
export function measuredAccuracy(correct, n) {
  const [low, high] = wilson(correct, n);
  const value = correct / n;
  return { kind: "measured", value, low, high, n, n_split: n, split_low: value, split_high: value };
}

/** @param {Known|Measured} point @returns {Accuracy} */
const accuracyOf = (point) =>
  "accuracy" in point ? point.accuracy : measuredAccuracy(point.correct, point.n);

/**
 * The least accuracy without a real drop: one standard error under the dense network's.
 * @param {Accuracy} dense
 */
export function losslessFloor(dense) {
  const correct = Math.round(dense.value * dense.n_split);
  return correct / dense.n_split - standardError(correct, dense.n_split);
}

/** @param {(Known|Measured)[]} points */
const byRatio = (points) =>
  points
    .map((point) => ({ ratio: point.ratio, accuracy: accuracyOf(point) }))
    .sort((a, b) => a.ratio - b.ratio);

/**
 * Largest ratio before any drop exceeds one standard error; null without ratio 0. An estimated
 * point counts only if all of its interval for the split is above the floor.
 * @param {(Known|Measured)[]} points
 */
export function losslessRatio(points) {
  const ordered = byRatio(points);
  if (!ordered.length || ordered[0].ratio !== 0) return null;
  const floor = losslessFloor(ordered[0].accuracy);
  const fall = ordered.findIndex((point, place) => place > 0 && point.accuracy.split_low < floor);
  return ordered[(fall < 0 ? ordered.length : fall) - 1].ratio;
}

/**
 * Accuracy between known ratios with bands over both intervals; null outside of them.
 * @param {(Known|Measured)[]} points
 * @param {number} ratio
 * @returns {?Accuracy}
 */
export function estimateAccuracy(points, ratio) {
  const ordered = byRatio(points);
  const left = ordered.filter((point) => point.ratio <= ratio).pop();
  const right = ordered.find((point) => point.ratio >= ratio);
  if (!left || !right) return null;
  const width = right.ratio - left.ratio;
  const share = width ? (ratio - left.ratio) / width : 0;
  const [a, b] = [left.accuracy, right.accuracy];
  return {
    kind: "estimated",
    value: a.value + share * (b.value - a.value),
    low: Math.min(a.low, b.low),
    high: Math.max(a.high, b.high),
    n: Math.min(a.n, b.n),
    n_split: Math.min(a.n_split, b.n_split),
    split_low: Math.min(a.split_low, b.split_low),
    split_high: Math.max(a.split_high, b.split_high),
  };
}
