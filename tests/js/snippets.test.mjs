// What Explore copies: the service is named where it must be, and a plan gets a name that is free.

import assert from "node:assert/strict";
import { test } from "node:test";

import { snippetActions, snippetWays } from "../../dashboard/recede_dashboard/assets/app/explore/cut/snippets.js";

const DEFAULT = "http://127.0.0.1:8400";

const PLAN = { epoch: 3, scope: "global", ratio: 0.5 };
const PLAN_A = { id: 1, name: "plan A" };

/** Explore as far as a snippet looks at it. */
const app = (items, present = null) => ({
  runId: "abc", api: "/api/v1", state: { target: { kind: "macs", value: 0.4, relative: true } },
  plans: { items, present }, root: { dataset: { defaultUrl: DEFAULT } },
});

/** The three texts of an action, copied from a page of that origin. */
function copied(origin, action, on = app([])) {
  globalThis.location = { origin };
  return Object.fromEntries(snippetWays(on, action, PLAN).map(([, id, text]) => [id, text]));
}

const actions = snippetActions(app([])).map(([name]) => name);

test("every action is a command", () => {
  assert.ok(actions.length >= 7, actions.join());
  for (const action of actions) assert.match(copied(DEFAULT, action)["copy-cli"], /^recede \w+ abc/);
});

for (const action of actions) {
  test(`${action} names the service unless the command looks there by itself`, () => {
    for (const origin of ["http://127.0.0.1:8417", "http://localhost:8400", "https://gpu.example"]) {
      const text = copied(origin, action)["copy-cli"];
      assert.ok(text.endsWith(` --url ${origin}`), text);
    }
    assert.ok(!copied(DEFAULT, action)["copy-cli"].includes("--url"));
  });
}

test("a plan is saved under a name that is free", () => {
  const names = (on) => {
    const texts = copied(DEFAULT, "save", on);
    const [, body] = texts["copy-curl"].match(/-d '(.*)'$/);
    const { name } = JSON.parse(body);
    assert.ok(texts["copy-python"].includes(`"abc", ${JSON.stringify(name)}, Plan(`), texts["copy-python"]);
    assert.ok(texts["copy-cli"].startsWith(`recede keep abc '${name}' `), texts["copy-cli"]);
    return name;
  };
  assert.equal(names(app(null)), "my plan");
  assert.equal(names(app([PLAN_A])), "my plan");
  assert.equal(names(app([{ id: 2, name: "my plan" }])), "my plan 2");
  assert.equal(names(app([PLAN_A], PLAN_A)), "plan A 2");
  assert.equal(names(app([PLAN_A, { id: 2, name: "plan A 2" }], PLAN_A)), "plan A 3");
  const long = { id: 3, name: `n ${"x".repeat(78)}` };
  assert.equal(names(app([long], long)), `n ${"x".repeat(76)} 2`);
});
