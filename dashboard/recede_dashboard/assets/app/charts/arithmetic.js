/**
 * The arithmetic that the drawings share: round steps of an axis, the Pareto front.
 */

/**
 * The least of 1, 2, 5 times a power of ten that divides a span into at most `wanted` parts.
 * @param {number} span
 * @param {number} wanted
 * @returns {number}
 */
export function niceStep(span, wanted) {
  const raw = span / wanted;
  const unit = 10 ** Math.floor(Math.log10(raw));
  for (const k of [1, 2, 5]) if (k * unit >= raw) return k * unit;
  return 10 * unit;
}

/**
 * Those that no other one beats in cost and value both (Pareto, 1906), cheapest first; of
 * equals the first.
 * @template T
 * @param {T[]} items
 * @param {(item: T) => number} costOf
 * @param {(item: T) => number} valueOf
 * @returns {T[]}
 */
export function paretoFront(items, costOf, valueOf) {
  const ordered = [...items].sort((a, b) => costOf(a) - costOf(b) || valueOf(b) - valueOf(a));
  let best = -Infinity;
  return ordered.filter((item) => {
    const better = valueOf(item) > best;
    best = Math.max(best, valueOf(item));
    return better;
  });
}
