/**
 * The natural gap: the valley between the two humps of the importances.
 *
 * On the logit axis (w, clipped to ±12; log10 |γ| in −6 to 1 for plain norms) the neurons are
 * counted in 240 bins and smoothed with a Gaussian of one fortieth of the axis. Of all points,
 * the gap is the one that lies deepest under the lower of the highest humps on its two sides.
 * There is none (null) unless it lies at most half as high as that hump and at least 5 % of
 * the neurons are on either side. It is `valley` of backend/recede/contract/cut/polarisation.py, step by step:
 * the store keeps the same number with each snapshot.
 */
"use strict";

(function (scope) {
  const BINS = 240;
  /** @type {Object<Scale, [number, number]>} */
  const AXES = { bounded: [-12, 12], plain: [-6, 1] };
  const WIDTH = BINS / 40; // standard deviation of the smoothing, in bins
  const DEPTH = 0.5;
  const LEAST_SHARE = 0.05;

  /**
   * Place of a raw scale on the logit axis.
   * @param {number} raw
   * @param {Scale} scale
   */
  function onAxis(raw, scale) {
    const [low, high] = AXES[scale];
    const value = scale === "plain" ? Math.log10(Math.abs(raw)) : raw;
    return Math.min(high, Math.max(low, value));
  }

  /**
   * @param {Float32Array} raw
   * @param {Scale} scale
   */
  function counts(raw, scale) {
    const [low, high] = AXES[scale];
    const out = new Float64Array(BINS);
    for (const value of raw) {
      const place = ((onAxis(value, scale) - low) / (high - low)) * BINS;
      out[Math.min(BINS - 1, Math.floor(place))] += 1;
    }
    return out;
  }

  /** @param {Float64Array} values */
  function smooth(values) {
    const reach = Math.ceil(3 * WIDTH);
    const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) =>
      Math.exp(-((i - reach) ** 2) / (2 * WIDTH ** 2)));
    const total = kernel.reduce((a, b) => a + b);
    return values.map((_, i) => {
      let sum = 0;
      // What would leave the axis is mirrored back, so that humps at an end keep their height.
      kernel.forEach((weight, k) => {
        let at = i + k - reach;
        if (at < 0) at = -at - 1;
        if (at >= BINS) at = 2 * BINS - 1 - at;
        sum += weight * values[at];
      });
      return sum / total;
    });
  }

  /**
   * Highest value up to and including each place, from the left or from the right.
   * @param {Float64Array} values
   * @param {boolean} fromRight
   */
  function highest(values, fromRight) {
    const list = fromRight ? values.slice().reverse() : values.slice();
    for (let i = 1; i < list.length; i++) list[i] = Math.max(list[i], list[i - 1]);
    return fromRight ? list.reverse() : list;
  }

  /**
   * Share of the neurons left of each bin's middle.
   * @param {Float64Array} values
   */
  function shares(values) {
    const total = values.reduce((a, b) => a + b);
    let before = 0;
    return values.map((value) => {
      before += value;
      return (before - value / 2) / total;
    });
  }

  /**
   * Middle of the run of bins around `at` that are as low.
   * @param {Float64Array} curve
   * @param {number} at
   */
  function middleOfValley(curve, at) {
    /** @param {number} i */
    const same = (i) => curve[i] <= curve[at] + 1e-9;
    let [left, right] = [at, at];
    while (left > 0 && same(left - 1)) left--;
    while (right < BINS - 1 && same(right + 1)) right++;
    return (left + right) / 2;
  }

  /**
   * The threshold in the valley, as an importance with three digits, or null.
   * @param {Float32Array} raw
   * @param {Scale} scale
   * @returns {?number}
   */
  function naturalGap(raw, scale) {
    if (!raw.length) return null;
    const bins = counts(raw, scale);
    const curve = smooth(bins);
    const [left, right, share] = [highest(curve, false), highest(curve, true), shares(bins)];
    let best = -1;
    let depth = 0;
    curve.forEach((value, i) => {
      const hump = Math.min(left[i], right[i]);
      const splits = share[i] >= LEAST_SHARE && share[i] <= 1 - LEAST_SHARE;
      if (splits && value <= DEPTH * hump && hump - value > depth) {
        best = i;
        depth = hump - value;
      }
    });
    if (best < 0) return null;
    const [low, high] = AXES[scale];
    const place = low + ((middleOfValley(curve, best) + 0.5) / BINS) * (high - low);
    const value = scale === "plain" ? 10 ** place : scope.recede.core.importance(place, scale);
    return Number(value.toPrecision(3));
  }

  if (typeof module !== "undefined") Object.assign(module.exports, { naturalGap });
  scope.recede = scope.recede || {};
  scope.recede.core = Object.assign(scope.recede.core || {}, { naturalGap });
})(typeof window !== "undefined" ? window : globalThis);
