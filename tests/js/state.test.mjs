/** The address of Explore: what it keeps, what it refuses in words, and that it is restored. */
import assert from "node:assert/strict";
import test from "node:test";

import { initialState, stateFromUrl, urlOfState } from "../../dashboard/recede_dashboard/assets/app/explore/state/choices.js";

/** The choices of an address, written again and read again. */
function read(search) {
  const { patch, refused } = stateFromUrl(search);
  const chosen = { ...initialState(), ...patch };
  const written = urlOfState(search, chosen);
  return { patch, refused, chosen, written, again: { ...initialState(), ...stateFromUrl(written).patch } };
}

const WHOLE = [
  "?tab=explore&epoch=7&t=0.12&axis=sigma&layer=features.8&lock=features.0,features.4",
  "?macs=0.4&scope=local&round=8&min=4",
  "?macs=12500000&lock=a",
  "?size=1200000&criterion=l1",
  "?params=0.333",
  "?accuracy=0.9",
  "?drop=0.005&bias=fold",
  "?latency=4&batch=64&r=0.25",
  "?r=0.5&override=features.4:0.3,stage:1.conv:0.5&plan=12",
];

for (const search of WHOLE) {
  test(`nothing of ${search} is lost`, () => {
    const { refused, chosen, again, written } = read(search);
    assert.deepEqual(refused, []);
    assert.deepEqual(again, chosen);
    const names = (text) => [...new URLSearchParams(text).keys()].sort();
    assert.deepEqual(names(written), names(search));
  });
}

test("a target is written as it was given, without the ratio that it led to", () => {
  const { chosen } = read("?macs=0.4");
  assert.deepEqual(chosen.target, { kind: "macs", value: 0.4, relative: true });
  assert.equal(urlOfState("?tab=explore&r=0.2", { ...chosen, ratio: 0.6123 }), "?tab=explore&macs=0.4");
});

test("a latency keeps the ratio that was found for it", () => {
  const { chosen } = read("?latency=4.5&r=0.25");
  assert.deepEqual(chosen.target, { kind: "latency", value: 4.5, batch: 1 });
  assert.equal(chosen.ratio, 0.25);
});

const BROKEN = {
  "?macs=0": "macs=0", "?macs=-1": "macs=-1", "?macs=half": "macs=half", "?params=1e99": "params=1e99",
  "?accuracy=90": "accuracy=90", "?drop=-0.1": "drop=-0.1", "?latency=0": "latency=0", "?latency=NaN": "latency=NaN",
  "?round=0": "round=0", "?round=8.5": "round=8.5", "?round=4096": "round=4096", "?min=0": "min=0", "?min=-3": "min=-3",
  "?override=features.0": "override=features.0", "?override=a:1": "override=a:1", "?override=:0.3": "override=:0.3",
  "?bias=keep": "bias=keep", "?plan=first": "plan=first", "?plan=0": "plan=0", "?plan=99999999999": "plan=99999999999",
  "?epoch=1.5": "epoch=1.5", "?t=1e999": "t=1e999", "?r=1": "r=1", "?lock=a&override=a:0.2": "override=a:0.2",
  "?macs=0.5&drop=0.01": "drop=0.01",
};

for (const [search, named] of Object.entries(BROKEN)) {
  test(`${search} is refused in words and the rest goes on`, () => {
    const { refused, again, chosen } = read(`${search}&axis=sigma`);
    assert.equal(refused.length, 1);
    assert.ok(refused[0].includes(named), refused[0]);
    assert.equal(chosen.axis, "sigma");
    assert.deepEqual(again, chosen); // what was refused is not written again
  });
}

test("what a choice replaced is not in the address any more", () => {
  const chosen = { ...initialState(), overrides: {}, locks: [], ratio: 0.5 };
  const written = urlOfState("?tab=explore&macs=0.4&override=a:0.3&lock=b&round=8&min=2&plan=3&criterion=l1&bias=fold", chosen);
  assert.equal(written, "?tab=explore&r=0.5");
});
