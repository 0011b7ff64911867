// The browser's arithmetic on its own, on node, over the answers of Python in fixtures.json.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as arithmetic from "../../dashboard/recede_dashboard/assets/app/charts/arithmetic.js";
import * as accuracy from "../../dashboard/recede_dashboard/assets/app/pruning/accuracy.js";
import * as cost from "../../dashboard/recede_dashboard/assets/app/pruning/cost.js";
import * as selection from "../../dashboard/recede_dashboard/assets/app/pruning/selection.js";
import * as targets from "../../dashboard/recede_dashboard/assets/app/pruning/targets.js";

const core = { ...arithmetic, ...accuracy, ...cost, ...selection, ...targets };
const cases = JSON.parse(readFileSync(new URL("fixtures.json", import.meta.url), "utf8"));

const rankingOf = ({ shape, raw, plan }) =>
  core.prepare(shape, Float32Array.from(raw), core.scaleOf(shape, plan));

/** @returns {any} */
const shapeOf = (sizes, scale = "plain") => ({
  scale,
  groups: sizes.map((size, i) => ({ name: `layer${i}`, size, minimum: 1 })),
  ops: sizes.map((size, i) => ({
    kind: "conv", fan_in: i ? sizes[i - 1] : 3, source: i ? i - 1 : null, fan_out: size,
    target: i, kernel: 9, positions: 4, bias: false,
  })),
});

test("every plan keeps, costs and weighs what it does in Python", () => {
  assert.ok(cases.cuts.length >= 20);
  for (const one of cases.cuts) {
    const ranking = rankingOf(one);
    const cut = core.select(ranking, one.plan);
    const mask = core.mask(ranking, cut);
    const { kept, held, rounded, removed, ratio } = cut;
    const found = {
      mask: [...mask], kept, held, rounded, removed, ratio,
      variant: cut.variant,
      cost: core.costOf(one.shape, kept),
      bytes: core.fileBytes(one.shape, kept),
    };
    assert.deepEqual(found, one.wanted, JSON.stringify(one.plan));
  }
});

test("what is asked for is solved as in Python, or refused as there", () => {
  assert.ok(cases.solves.length >= 20);
  for (const one of cases.solves) {
    const ask = () => core.solve(rankingOf(one), one.plan, one.target, one.points);
    if (one.wanted === null) {
      assert.throws(ask, RangeError);
      continue;
    }
    const { plan, selection, reached, value, bound } = ask();
    const found = { ratio: plan.ratio, kept: selection.kept, reached, value, bound };
    assert.deepEqual(found, one.wanted, JSON.stringify([one.plan, one.target]));
  }
});

test("an answer meets its target, and one neuron fewer cut would not", () => {
  const shape = shapeOf([16, 32]);
  const raw = Float32Array.from({ length: 48 }, (_, i) => ((i * 37) % 48) + 1);
  const ranking = core.prepare(shape, raw);
  for (const value of [0.2, 0.5, 0.8]) {
    /** @type {any} */
    const target = { kind: "macs", value, relative: true };
    const { plan, selection, reached } = core.solve(ranking, {}, target);
    const limit = value * core.denseCost(shape).macs;
    assert.ok(reached);
    assert.ok(core.costOf(shape, selection.kept).macs <= limit);
    const less = core.select(ranking, { ratio: (selection.removed - 1) / 48 });
    assert.ok(core.costOf(shape, less.kept).macs > limit);
    assert.deepEqual(core.select(ranking, plan).kept, selection.kept);
  }
});

test("a target that nothing meets says what can be had", () => {
  const ranking = core.prepare(shapeOf([16, 32]), new Float32Array(48).fill(1));
  const found = core.solve(ranking, {}, { kind: "macs", value: 0, relative: true });
  assert.equal(found.reached, false);
  assert.equal(found.bound, core.costOf(ranking.shape, [1, 1]).macs);
  assert.deepEqual(found.selection.kept, [1, 1]);
});

test("kept counts are rounded up to a multiple, at most to the whole layer", () => {
  const raw = Float32Array.from({ length: 30 }, (_, i) => i + 1);
  const ranking = core.prepare(shapeOf([10, 20]), raw);
  const cut = core.select(ranking, { ratio: 0.5, round_to: 8 });
  assert.deepEqual(cut.kept, [8, 16]);
  assert.deepEqual(cut.rounded, ["layer0", "layer1"]);
  assert.deepEqual(core.select(ranking, { ratio: 0, round_to: 8 }).kept, [10, 20]);
  const spared = core.select(ranking, { ratio: 0.9, min_channels: 64 });
  assert.deepEqual([spared.kept, spared.held], [[10, 20], ["layer0", "layer1"]]);
});

test("accuracies between measured ratios are those of Python", () => {
  const near = (a, b) => Math.abs(a - b) < 1e-12;
  for (const { points, ratios, wanted } of cases.accuracies) {
    assert.equal(core.losslessRatio(points), wanted.lossless);
    ratios.forEach((ratio, i) => {
      const [found, want] = [core.estimateAccuracy(points, ratio), wanted.estimates[i]];
      if (want === null) return assert.equal(found, null);
      for (const key of ["value", "low", "high", "split_low", "split_high"]) assert.ok(near(found[key], want[key]), key);
      return assert.equal(found.n, want.n);
    });
  }
});

test("a value lies in the bin that the service counts it in", () => {
  for (const { about, values, wanted } of cases.bins) {
    assert.deepEqual(values.map((value) => core.binOf(about, value)), wanted);
  }
});

test("the row of an epoch is found in the blob of all", () => {
  const about = { bins: 3, low: 0, high: 1, epochs: [0, 5] };
  const found = core.histogram(Uint32Array.from([1, 2, 3, 4, 5, 6]), about);
  assert.deepEqual([found.rows, found.max], [2, 6]);
  assert.deepEqual([...found.row.get(5)], [4, 5, 6]);
  assert.equal(found.row.get(1), undefined);
});

test("what does not fit is refused in words", () => {
  const shape = shapeOf([4, 4]);
  /** @param {Float32Array} raw @param {any} [plan] */
  const wrong = (raw, plan = { ratio: 0.5 }) => () => core.select(core.prepare(shape, raw), plan);
  assert.throws(wrong(new Float32Array(7)), /7 neurons, the network 8/);
  assert.throws(wrong(new Float32Array(8).fill(NaN)), /not finite/);
  assert.throws(wrong(new Float32Array(8), { ratio: 0.5, locks: ["gone"] }), /Unknown layer "gone"/);
  /** @type {any} */
  const bytes = { kind: "bytes", value: 1 };
  assert.throws(() => core.solve(core.prepare(shape, new Float32Array(8)), {}, bytes), /file sizes/);
});

test("an axis has round steps, as few as wanted", () => {
  const steps = [[1, 6, 0.2], [100, 5, 20], [100, 4, 50], [7, 7, 1], [0.003, 2, 0.002], [95, 1, 100], [4224, 5, 1000]];
  for (const [span, wanted, step] of steps) {
    assert.ok(Math.abs(core.niceStep(span, wanted) - step) < 1e-12, String([span, wanted]));
  }
  for (let span = 0.013; span < 1e7; span *= 1.7) {
    const step = core.niceStep(span, 6);
    assert.ok(span / step <= 6 + 1e-9);
    assert.ok(span / step > 6 / 2.5 - 1e-9); // the next smaller step would be too many
  }
});

test("the front is what no other one beats in both, cheapest first", () => {
  const dots = [[5, 0.7], [1, 0.5], [3, 0.9], [3, 0.8], [2, 0.5], [4, 0.9], [9, 0.95]].map(([cost, value]) => ({ cost, value }));
  const found = core.paretoFront(dots, (dot) => dot.cost, (dot) => dot.value);
  const beaten = (a) => dots.some((b) => b !== a && b.cost <= a.cost && b.value >= a.value && (b.cost < a.cost || b.value > a.value));
  const wanted = dots.filter((dot) => !beaten(dot)).sort((a, b) => a.cost - b.cost);
  assert.deepEqual(found, wanted);
  assert.equal(core.paretoFront([], Number, Number).length, 0);
  assert.equal(dots[0].cost, 5); // what was given keeps its order
});
