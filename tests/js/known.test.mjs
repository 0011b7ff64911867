// What Explore finds again of what was measured, and the gap that it takes from the snapshots.

import assert from "node:assert/strict";
import { test } from "node:test";

import { measuredCut } from "../../dashboard/recede_dashboard/assets/app/explore/state/accuracy.js";
import { gapOf } from "../../dashboard/recede_dashboard/assets/app/explore/state/gap.js";
import { costOf } from "../../dashboard/recede_dashboard/assets/app/pruning/cost.js";
import { prepare, select } from "../../dashboard/recede_dashboard/assets/app/pruning/selection.js";

const shapeOf = (scale) => ({
  scale,
  groups: [{ name: "a", size: 4, minimum: 1 }, { name: "b", size: 8, minimum: 1 }],
  ops: [
    { kind: "conv", fan_in: 3, fan_out: 4, target: 0, kernel: 9, positions: 100, bias: false },
    { kind: "conv", fan_in: 4, fan_out: 8, source: 0, target: 1, kernel: 9, positions: 25, bias: false },
  ],
});
const RAW = Float32Array.from([1, 2, 3, 7, 4, 5, 6, 8, 9, 10, 11, 12]);

/** A ranking, and an evaluation of each plan as the API gives it. */
function measured(scale, plans, protectedLayers = []) {
  const shape = shapeOf(scale);
  const ranking = prepare(shape, RAW);
  const evaluations = new Map(plans.map((plan, id) => {
    const { kept, ratio } = select(ranking, plan);
    return [id, { id, epoch: 3, plan, ratio, cost: costOf(shape, kept) }];
  }));
  return { ranking, source: { evaluations, run: { protected: protectedLayers } } };
}

/** @type {(known: any, plan: any, where?: {criterion?: string, variant?: string, epoch?: number}) => any} */
const found = ({ ranking, source }, plan, { criterion = "importance", variant, epoch = 3 } = {}) =>
  measuredCut(source, epoch, criterion, ranking, select(ranking, plan), variant)?.id ?? null;

test("a cut is found again whatever plan leads to it", () => {
  const all = measured("bounded", [{ ratio: 0.5, scope: "global" }, { ratio: 0.5, scope: "local" }]);
  assert.equal(found(all, { ratio: 0.5, scope: "global" }), 0);
  assert.equal(found(all, { ratio: 0.5, scope: "local" }), 1);
  assert.equal(found(all, { overrides: { a: 0.5, b: 0.5 } }), 1);
  assert.equal(found(all, { ratio: 0.25, scope: "global" }), null);
});

test("the same number of neurons in other layers is another cut", () => {
  const all = measured("bounded", [{ overrides: { a: 0.5, b: 0.25 } }]);
  assert.equal(found(all, { overrides: { a: 0.25, b: 0.375 } }), null);
});

test("epoch and criterion belong to a cut, unless nothing is removed", () => {
  const all = measured("bounded", [{ ratio: 0.5 }, { ratio: 0 }]);
  assert.equal(found(all, { ratio: 0.5 }, { epoch: 2 }), null);
  assert.equal(found(all, { ratio: 0.5 }, { criterion: "l1" }), null);
  assert.equal(found(all, { ratio: 0 }, { criterion: "l1" }), 1);
});

test("a fold is another cut only where it makes another network", () => {
  const plans = [{ ratio: 0.5 }, { ratio: 0.5, bias: "fold" }];
  assert.equal(found(measured("plain", plans), plans[1]), 1);
  assert.equal(found(measured("plain", plans), plans[0], { variant: "fold" }), 1);
  assert.equal(found(measured("bounded", plans.slice(0, 1)), plans[1]), 0);
});

test("a point of the curve was cut with the layers that the run protects", () => {
  const all = measured("bounded", [{ ratio: 0.5, locks: ["a"] }], ["a"]);
  const [known] = all.source.evaluations.values();
  Object.assign(known, { plan: undefined, ask: 0.5, scope: "global", criterion: "importance", bias: "drop" });
  assert.equal(found(all, { ratio: 0.5, locks: ["a"] }), 0);
});

test("the natural gap is the stored valley, of the network or of a layer, of importances alone", () => {
  const polarisation = new Map([[4, { overall: { valley: 0.03 }, layers: { a: { valley: null }, b: { valley: 0.2 } } }]]);
  const source = { criterion: "importance", polarisation };
  assert.deepEqual([gapOf(source, 4), gapOf(source, 4, "a"), gapOf(source, 4, "b"), gapOf(source, 5)], [0.03, null, 0.2, null]);
  assert.equal(gapOf({ ...source, criterion: "l1" }, 4), null);
});
