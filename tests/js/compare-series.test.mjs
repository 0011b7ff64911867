// Series of Compare on node, with the real arithmetic of a cut: each seed is cut by itself.

import assert from "node:assert/strict";
import { test } from "node:test";

import { seriesAt, seriesOf } from "../../dashboard/recede_dashboard/assets/app/compare/series/series.js";
import * as numbers from "../../dashboard/recede_dashboard/assets/app/compare/series/statistics.js";
import { accuracyTable, importanceTable } from "../../dashboard/recede_dashboard/assets/app/compare/series/tables.js";
import { importances, prepare } from "../../dashboard/recede_dashboard/assets/app/pruning/selection.js";

/** @type {any} */
const SHAPE = {
  scale: "bounded", groups: [{ name: "a", size: 4, minimum: 1 }, { name: "b", size: 4, minimum: 1 }],
  ops: [
    { kind: "conv", fan_in: 3, fan_out: 4, target: 0, kernel: 9, positions: 100, bias: false },
    { kind: "conv", fan_in: 4, fan_out: 4, source: 0, target: 1, kernel: 9, positions: 25, bias: false },
  ],
};
// The weak neurons of the first seed are in layer a, of the second in b, of the third in both.
const RAW = { one: [-5, -4, -3, 4, 5, 6, 7, 8], two: [5, 6, 7, 8, -5, -4, -3, 4], three: [-5, 6, -3, 4, -4, 5, 7, 8] };
const VALUES = { one: [0.9, 0.5], two: [0.8, 0.7], three: [1, 0] };

function member(id, more = {}) {
  const points = [0, 0.75].map((ask, i) => ({
    ask, ratio: ask, cost: { macs: 100 - 100 * ask, params: 10 - 10 * ask },
    accuracy: { value: VALUES[id][i], kind: "measured", low: 0, high: 1, n: 1000 },
  }));
  return {
    run: { id, name: `run, seed ${id.length}`, spec: { seed: id, method: "m" } }, shape: SHAPE, epoch: 4, scope: "global",
    ranking: prepare(SHAPE, Float32Array.from(RAW[id])), points, singles: [], ...more,
  };
}

const located = (...ids) => {
  const [one] = seriesOf(ids.map((id) => (typeof id === "string" ? member(id) : id)), true);
  return { ...one, now: seriesAt(one, 0.375) };
};
const near = (value, wanted) => assert.ok(Math.abs(value - wanted) < 1e-9, `${value} is not ${wanted}`);

test("a group costs what its members cost, each cut by itself", () => {
  const alone = ["one", "two", "three"].map((id) => located(id).now);
  assert.equal(new Set(alone.map((now) => now.macs.value.mean)).size, 3); // they do differ
  const { now } = located("one", "two", "three");
  for (const name of ["macs", "params"]) {
    assert.deepEqual(now[name].value, numbers.spreadOf(alone.map((one) => one[name].value.mean)));
    assert.deepEqual(now[name].share, numbers.spreadOf(alone.map((one) => one[name].share.mean)));
    assert.ok(now[name].value.std > 0);
  }
  assert.deepEqual(now.cuts.map((cut) => cut.threshold), alone.map((one) => one.cuts[0].threshold));
});

test("the order of the runs in the address changes no number of a group", () => {
  const [first, second] = [located("one", "two", "three").now, located("three", "two", "one").now];
  for (const read of [
    (now) => now.macs.value.mean, (now) => now.macs.value.std, (now) => now.params.value.mean, (now) => now.params.share.std,
    (now) => now.accuracy.mean, (now) => now.accuracy.std, (now) => now.ratio.mean,
  ]) near(read(first), read(second));
});

test("the accuracy of a group is the mean of what its curves say, where all of them reach", () => {
  const { now } = located("one", "two", "three");
  near(now.accuracy.mean, (0.7 + 0.75 + 0.5) / 3); // halfway between the two points of each
  assert.equal(now.accuracy.n, 3);
  const short = member("three");
  short.points = short.points.slice(0, 1);
  assert.equal(located("one", short).now.accuracy, null);
});

test("a member without a curve counts for the cost, not for the accuracy", () => {
  const { now } = located("one", member("two", { points: [] }));
  assert.equal(now.macs.value.n, 2);
  assert.deepEqual(now.accuracy, { mean: 0.7, std: null, n: 1 });
  assert.equal(located(member("one", { points: [] })).now.accuracy, null);
});

test("a run of which nothing is stored has no place at the shared ratio", () => {
  assert.equal(located(member("one", { ranking: null })).now, null);
});

test("the table of the accuracies has each run and the mean, with every digit", () => {
  const one = located("one", "three");
  const { columns, rows } = accuracyTable([one], 0.375);
  const found = rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
  assert.ok(rows.every((row) => row.length === columns.length));
  assert.deepEqual(found.map((row) => row.kind), [
    "curve", "curve", "curve", "curve", "shared ratio", "shared ratio", "mean of curves", "mean of curves", "mean at the shared ratio",
  ]);
  const mean = found.at(-1);
  assert.equal(mean.runs, "one three");
  assert.equal(mean.macs, one.now.macs.value.mean);
  assert.equal(mean.macs_sd, one.now.macs.value.std);
  assert.equal(mean.accuracy, one.now.accuracy.mean);
  assert.equal(found[4].macs, one.now.cuts[0].cost.macs);
  assert.equal(found[4].threshold, one.now.cuts[0].threshold);
});

test("the table of the importances has the outline and the threshold of each run", () => {
  const one = located("one", "two");
  const density = numbers.density(importances(one.members[0].ranking.raw, "bounded"), "linear");
  const { rows } = importanceTable([one], [density], { d: "linear" });
  const bins = rows.filter(([kind]) => kind !== "threshold");
  assert.equal(bins.length, numbers.DENSITY_BINS);
  near(bins.reduce((sum, row) => sum + row.at(-1), 0), 1);
  assert.deepEqual([bins[0][3], bins.at(-1)[4]], [0, 1]);
  const cuts = rows.filter(([kind]) => kind === "threshold");
  assert.deepEqual(cuts.map((row) => [row[2], row[3]]), one.now.cuts.map((cut) => [cut.run, cut.threshold]));
});
