/** The data of Compare's figures as tables, at full precision. Pure, without DOM. */

import { LOG_RANGE } from "./statistics.js";

const idsOf = (one) => one.members.map((member) => member.run.id).join(" ");

const COLUMNS = [
  "kind", "series", "runs", "epoch", "asked", "ratio", "accuracy", "accuracy_kind", "accuracy_sd", "low_95", "high_95", "n",
  "macs", "macs_sd", "params", "params_sd", "threshold",
];
const BETWEEN = "between points"; // of a curve, in proportion
const row = (kind, one, values) => COLUMNS.map((name) => ({ kind, series: one.name, ...values })[name] ?? null);

/** A cut of one run that was measured: a point of its curve, or a cut on the whole split. */
const measured = (member, { ratio, cost, accuracy }, asked) => ({
  runs: member.run.id, epoch: member.epoch, asked, ratio, macs: cost.macs, params: cost.params,
  accuracy: accuracy.value, accuracy_kind: accuracy.kind, low_95: accuracy.low, high_95: accuracy.high, n: accuracy.n,
});

function ofRuns(one, asked) {
  return [
    ...one.members.flatMap((member) => [
      ...member.points.map((point) => row("curve", one, measured(member, point, point.ask))),
      ...member.singles.map((single) => row("measured cut", one, measured(member, single, single.plan?.ratio))),
    ]),
    ...(one.now?.cuts || []).map((cut) => row("shared ratio", one, {
      runs: cut.run, epoch: cut.epoch, asked, ratio: cut.ratio, accuracy: cut.accuracy, accuracy_kind: cut.accuracy && BETWEEN,
      ...cut.cost, threshold: cut.threshold,
    })),
  ];
}

function ofMeans(one, asked) {
  if (one.members.length < 2) return [];
  const { now } = one;
  const runs = idsOf(one);
  const points = one.points.map((point) => row("mean of curves", one, {
    runs, asked: point.ask, ratio: point.ratio, accuracy: point.value.mean, accuracy_sd: point.value.std, ...point.cost,
  }));
  return now ? [...points, row("mean at the shared ratio", one, {
    runs, asked, ratio: now.ratio.mean, accuracy: now.accuracy?.mean, accuracy_kind: BETWEEN, accuracy_sd: now.accuracy?.std,
    macs: now.macs.value.mean, macs_sd: now.macs.value.std, params: now.params.value.mean, params_sd: now.params.value.std,
  })] : points;
}

/** Every point of the accuracy figure: those of each run, then the means of seeds. */
export function accuracyTable(series, ratio) {
  return {
    about: "validation accuracy, costs exact, the shared ratio between points", columns: COLUMNS,
    rows: series.flatMap((one) => [...ofRuns(one, ratio), ...ofMeans(one, ratio)]),
  };
}

/** The outlines of the importances, and where the shared ratio cuts each run. */
export function importanceTable(series, densities, state) {
  const log = state.d === "log";
  const [low, high] = log ? LOG_RANGE : [0, 1];
  const value = (at) => (log ? 10 ** at : at);
  const drawn = series.filter((one) => one.members.some((member) => member.ranking));
  const bins = drawn.flatMap((one, i) => [...densities[i]].map((share, bin, { length }) => [
    "share of the neurons", one.name, idsOf(one), value(low + (bin / length) * (high - low)),
    value(low + ((bin + 1) / length) * (high - low)), share,
  ]));
  const cuts = drawn.flatMap((one) => (one.now?.cuts || []).filter((cut) => cut.threshold !== null)
    .map((cut) => ["threshold", one.name, cut.run, cut.threshold, cut.threshold, null]));
  return {
    about: "importances, mean over the runs of a series, what lies beyond in the last bins",
    columns: ["kind", "series", "runs", "importance_from", "importance_to", "share"], rows: [...bins, ...cuts],
  };
}
