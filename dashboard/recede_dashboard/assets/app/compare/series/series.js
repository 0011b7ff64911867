/** From loaded runs to series: names, joined points, and where each stands at the shared ratio. */

import { costOf, denseCost } from "../../pruning/cost.js";
import { select, thresholdFor } from "../../pruning/selection.js";
import { gatherCuts, groupSeeds, joinCurves, readBetween } from "./statistics.js";

export const MOST_SERIES = 8; // more lines than that nobody tells apart

const single = (value) => ({ mean: value, std: null, n: 1 });

/** What names a series: the name of its run, or of several what they share and their number. */
function nameOf(members) {
  if (members.length === 1) return members[0].run.name;
  const names = new Set(members.map((member) => member.run.name.replace(/,? ?seed \d+$/, "")));
  const { method, architecture, dataset } = members[0].run.spec;
  const shared = names.size === 1 ? [...names][0] : `${method} · ${architecture} · ${dataset}`;
  return `${shared}, ${members.length} seeds`;
}

/** @param {any[]} loaded @param {boolean} together whether seeds of one configuration are joined */
export function seriesOf(loaded, together) {
  const byRun = new Map(loaded.map((one) => [one.run, one]));
  const found = together
    ? groupSeeds(loaded.map((one) => one.run)).map(({ runs }) => runs.map((run) => byRun.get(run)))
    : loaded.map((one) => [one]);
  return found.slice(0, MOST_SERIES).map((members, number) => {
    for (const member of members) member.dense = member.shape && denseCost(member.shape);
    const curves = members.map((member) => member.points).filter((points) => points.length);
    const points = curves.length > 1
      ? joinCurves(curves)
      : (curves[0] || []).map((point) => ({ ...point, value: single(point.accuracy.value) }));
    return {
      number, members, points, name: nameOf(members),
      n: Math.min(...curves.map((found) => found[0].accuracy.n)),
    };
  });
}

/** One run cut by itself: its exact cost; its accuracy between points, undefined without a curve. */
function cutOf(member, ratio) {
  const plan = { scope: member.scope, ratio };
  const selection = select(member.ranking, plan);
  const cost = costOf(member.shape, selection.kept);
  const dense = denseCost(member.shape);
  return {
    run: member.run.id, epoch: member.epoch, ratio: selection.ratio, cost,
    share: { macs: cost.macs / dense.macs, params: cost.params / dense.params },
    accuracy: member.points.length
      ? readBetween(member.points, selection.ratio, (point) => point.accuracy.value) : undefined,
    threshold: member.scope === "local" ? null : thresholdFor(member.ranking, plan, ratio),
  };
}

/** A series at the shared ratio: every run of it cut by itself, and what they are together. */
export function seriesAt(one, ratio) {
  const cuts = one.members.filter((member) => member.ranking).map((member) => cutOf(member, ratio));
  return cuts.length ? { cuts, ...gatherCuts(cuts) } : null;
}
