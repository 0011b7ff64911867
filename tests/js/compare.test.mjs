// The arithmetic of Compare on its own, on node: series, means over seeds, densities, differences.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as numbers from "../../dashboard/recede_dashboard/assets/app/compare/series/statistics.js";

const spec = (seed, lam = 0.1) => ({
  name: `run ${seed}`, seed, device: "cpu", method: "rni", method_params: { lam }, epochs: 4, tags: [1, 2],
});
const point = (ask, value, macs) => ({
  ask, ratio: ask, accuracy: { value }, cost: { macs, params: 2 * macs },
});

test("nested fields get dotted names, lists stay whole", () => {
  assert.deepEqual(numbers.flatten({ a: { b: 1, c: { d: null } }, e: [1, 2] }), { "a.b": 1, "a.c.d": null, e: [1, 2] });
  assert.deepEqual(numbers.flatten(null), {});
});

test("seeds of one configuration are one series, whatever the order of their fields", () => {
  /** @type {any[]} */
  const runs = [{ id: 1, spec: spec(0) }, { id: 2, spec: spec(0, 0.2) }, { id: 3, spec: spec(7) }];
  runs.push({ id: 4, spec: Object.fromEntries(Object.entries(spec(8)).reverse()) });
  const found = numbers.groupSeeds(runs);
  assert.deepEqual(found.map((one) => one.runs.map((run) => run.id)), [[1, 3, 4], [2]]);
});

test("a mean has a sample deviation from two values on", () => {
  assert.equal(numbers.spreadOf([]), null);
  assert.deepEqual(numbers.spreadOf([3]), { mean: 3, std: null, n: 1 });
  const { mean, std, n } = numbers.spreadOf([1, 2, 3, 4]);
  assert.equal(mean, 2.5);
  assert.ok(Math.abs(std - Math.sqrt(5 / 3)) < 1e-12);
  assert.equal(n, 4);
});

test("curves are joined where all were asked for the same ratio", () => {
  const one = [point(0, 0.9, 100), point(0.5, 0.8, 50), point(0.7, 0.2, 20)];
  const two = [point(0.5, 0.6, 30), point(0, 0.7, 100)];
  const joined = numbers.joinCurves([one, two]);
  assert.deepEqual(joined.map((found) => found.ask), [0, 0.5]);
  assert.equal(joined[0].value.mean, 0.8);
  assert.deepEqual(joined[1].cost, { macs: 40, params: 80 });
  assert.equal(joined[1].value.n, 2);
  assert.deepEqual(numbers.joinCurves([]), []);
});

test("between two points a value is read in proportion, outside of them not at all", () => {
  const points = [point(0.2, 0.9, 80), point(0.6, 0.5, 40)];
  const read = (found) => found.accuracy.value;
  assert.equal(numbers.readBetween(points, 0.2, read), 0.9);
  assert.ok(Math.abs(numbers.readBetween(points, 0.3, read) - 0.8) < 1e-12);
  assert.equal(numbers.readBetween(points, 0.6, read), 0.5);
  assert.equal(numbers.readBetween(points, 0.1, read), null);
  assert.equal(numbers.readBetween(points, 0.61, read), null);
  assert.equal(numbers.readBetween([], 0.5, read), null);
});

test("a density sums to one on either axis, what lies beyond is in the last bins", () => {
  const importances = [0, 1e-9, 0.001, 0.5, 1, 7];
  for (const axis of ["log", "linear"]) {
    const found = numbers.density(importances, axis);
    assert.equal(found.length, numbers.DENSITY_BINS);
    assert.ok(Math.abs(found.reduce((a, b) => a + b, 0) - 1) < 1e-6);
    assert.ok(found[0] > 0);
    assert.ok(found[numbers.DENSITY_BINS - 1] > 0);
  }
});

test("only fields that differ are listed; one that a spec lacks is undefined there", () => {
  const { tags: _tags, ...without } = spec(1, 0.2);
  assert.deepEqual(numbers.differences([spec(1), without]), [
    { name: "method_params.lam", values: [0.1, 0.2] }, { name: "tags", values: [[1, 2], undefined] },
  ]);
  assert.deepEqual(numbers.differences([spec(1), spec(1)]), []);
});

test("a mean and its deviation each have their unit", () => {
  const words = (value) => `${(100 * value).toFixed(1)} %`;
  assert.equal(numbers.plusMinus(numbers.spreadOf([0.2, 0.4]), words), "30.0 % ± 14.1 %");
  assert.equal(numbers.plusMinus(numbers.spreadOf([0.299]), words), "29.9 %");
});

test("equal values deviate by nothing, whatever their binary digits", () => {
  assert.deepEqual(numbers.spreadOf([0.1, 0.1, 0.1]), { mean: 0.1, std: 0, n: 3 });
});

test("a band stays within what an accuracy can be", () => {
  const near = (found, wanted) => found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-12));
  near(numbers.accuracyBand({ mean: 0.97, std: 0.1 }), [0.87, 1]);
  near(numbers.accuracyBand({ mean: 0.1, std: 0.3 }), [0, 0.4]);
  near(numbers.accuracyBand({ mean: 0.5, std: null }), [0.5, 0.5]);
});

for (const [what, ats, width, low, high] of /** @type {[string, number[], number, number, number][]} */ ([
  ["one alone", [50], 60, 0, 100], ["one at the edge", [2], 60, 0, 100],
  ["three at one place", [90, 90, 90], 60, 0, 300], ["some apart", [10, 200, 205], 60, 0, 300],
  ["more than fit into a row", Array(8).fill(150), 90, 0, 300], ["none", [], 60, 0, 100],
])) {
  test(`labels stand beside each other and within their room: ${what}`, () => {
    const found = numbers.placeBeside(ats.map((at) => ({ at, width })), low, high);
    assert.equal(found.length, ats.length);
    found.forEach((one, i) => {
      assert.ok(one.x - width / 2 >= low && one.x + width / 2 <= high);
      for (const other of found.slice(0, i)) {
        assert.ok(one.row !== other.row || Math.abs(one.x - other.x) >= width);
      }
    });
  });
}

test("a label that has room stands where it wants to", () => {
  assert.deepEqual(numbers.placeBeside([{ at: 200, width: 40 }, { at: 60, width: 40 }], 0, 300), [{ x: 200, row: 0 }, { x: 60, row: 0 }]);
});

test("labels that want the same place stand around it", () => {
  const found = numbers.placeBeside([{ at: 100, width: 40 }, { at: 100, width: 40 }, { at: 100, width: 40 }], 0, 300, 5);
  assert.deepEqual(found.map((one) => one.x), [55, 100, 145]);
});
