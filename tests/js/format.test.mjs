// Numbers as text: the examples of the table, which words/numbers.py satisfies as well; states of a run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as format from "../../dashboard/recede_dashboard/assets/app/format/numbers.js";
import { remaining, runState, shareDone, significant } from "../../dashboard/recede_dashboard/assets/app/format/runs.js";

const cases = JSON.parse(readFileSync(new URL("format_cases.json", import.meta.url), "utf8"));

for (const name of new Set(cases.map(({ fn }) => fn))) {
  test(`${name} gives what the table says`, () => {
    for (const { fn, args, expect } of cases) {
      if (fn === name) assert.equal(format[fn](...args), expect, JSON.stringify(args));
    }
  });
}

const plain = (text) => text.replaceAll(format.THIN, " ");

for (const [run, key, text] of [
  [{ state: "running", stalled_s: 40, epochs_done: 17 }, "stalled", "Stalled 40 s"],
  [{ state: "queued", queue_position: 1 }, "queued", "2nd in queue"],
  [{ state: "queued", queue_position: 10 }, "queued", "11th in queue"],
  [{ state: "running", cancel_requested_at: 3 }, "cancelling", "Cancelling…"],
  [{ state: "cancelled", cancel_requested_at: 3 }, "cancelled", "Cancelled"],
  [{ state: "succeeded" }, "succeeded", "Finished"],
]) {
  test(`a run that is ${key} reads “${text}”`, () => {
    const found = runState(run);
    assert.deepEqual([found.key, plain(found.text)], [key, text]);
  });
}

test("progress counts the batches of the present epoch", () => {
  const run = { state: "running", epochs_done: 2, spec: { epochs: 4 }, progress: { epoch: 3, batch: 5, batches: 10 } };
  assert.equal(shareDone(run), 0.625);
  assert.equal(shareDone({ ...run, progress: null }), 0.5);
});

test("a time to go is rough, and a number has three digits that count", () => {
  assert.deepEqual([4, 42, 600, 9000].map((s) => plain(remaining(s))), ["seconds left", "40 s left", "10 min left", "2.5 h left"]);
  assert.deepEqual([null, 0.00012, 0.5, 12345].map(significant), ["–", "1.2e-4", "0.500", "12,345"]);
});
