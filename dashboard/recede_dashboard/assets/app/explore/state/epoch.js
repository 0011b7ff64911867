/** Which epoch is shown. */

/** @import { Source, State } from "../types.js" */

/**
 * The epoch shown: the chosen one, else the best of a finished run, else the latest.
 * @param {State} state @param {Source} source
 */
export function shownEpoch(state, source) {
  const { epochs, run, bestEpoch, weights } = source;
  if (!epochs.length) return null;
  if (state.epoch !== null && epochs.includes(state.epoch)) return state.epoch;
  const finished = run && !["queued", "running"].includes(run.state);
  if (finished && epochs.includes(bestEpoch) && weights.includes(bestEpoch)) return bestEpoch;
  return epochs[epochs.length - 1];
}

