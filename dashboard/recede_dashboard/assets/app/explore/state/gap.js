/** The natural gap: the valley that is stored with each snapshot. */

import { IMPORTANCE } from "../data/scores.js";

/**
 * The natural gap of an epoch as an importance, of the network or of one layer; null where there
 * is none, or where the neurons are ranked by another criterion, on whose axis it has no place.
 * @param {any} source @param {?number} epoch @param {?string} [layer]
 * @returns {?number}
 */
export function gapOf(source, epoch, layer = null) {
  if (source.criterion !== IMPORTANCE) return null;
  const found = source.polarisation.get(epoch);
  return (layer === null ? found?.overall : found?.layers?.[layer])?.valley ?? null;
}
