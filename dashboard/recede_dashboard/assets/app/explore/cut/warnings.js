/** What to know about a cut before measuring it: minima, rounding, layers nearly gone. */

import * as format from "../../format/numbers.js";

/** @import { Explore } from "../types.js" */

/** @param {string[]} names */
const named = (names) =>
  names.length === 1 ? names[0] : names.length === 2 ? names.join(" and ") : `${names.length} layers`;

/** "the minimum of 3 channels", or "their minima" where they differ. @param {Explore} app @param {string[]} names */
function least({ source, state }, names) {
  const own = names.map((name) => {
    const { size, minimum } = source.shape.groups.find((group) => group.name === name);
    return Math.min(size, state.minChannels ?? minimum);
  });
  if (new Set(own).size > 1) return "their minima";
  return `the minimum of ${format.plural(own[0], "channel")}`;
}

/** One sentence for each kind of warning. @param {Explore} app */
export function warningLines(app) {
  const { now, state } = app;
  if (!now.selection) return [];
  const { held, rounded = [] } = now.selection;
  const out = [];
  if (held.length) out.push(`${named(held)} held at ${least(app, held)}`);
  if (rounded.length) out.push(`${named(rounded)} rounded up to a multiple of ${state.roundTo}`);
  const others = (now.nearlyGone || []).filter((name) => !held.includes(name));
  if (others.length) out.push(`${named(others)} would lose more than 95 %`);
  return out;
}
