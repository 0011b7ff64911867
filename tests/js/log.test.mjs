/** The log of a run follows its newest training, in whatever order answers arrive. */
import assert from "node:assert/strict";
import test from "node:test";

/** What the select shows. */
let shown = "";
/** Questions for the run's jobs that wait for their answer, oldest first. */
const waiting = [];

const dash_clientside = { shell: /** @type {Record<string, Function>} */ ({}), set_props: (_id, { value }) => (shown = value ?? shown) };
Object.assign(globalThis, {
  dash_clientside,
  window: { dash_clientside, setInterval() {}, setTimeout },
  document: { addEventListener() {}, getElementById: (id) => (id === "log-job" ? {} : null) },
  ResizeObserver: class {
    disconnect() {}
  },
  fetch: () =>
    new Promise((answered) => {
      waiting.push((...ids) => {
        const items = ids.map((id) => ({ id, kind: "train" }));
        answered({ ok: true, json: async () => ({ items }) });
      });
    }),
});

const { listJobs } = await import("../../dashboard/recede_dashboard/assets/app/run/log.js");

test("an answer that was overtaken by a newer one changes nothing", async () => {
  const before = listJobs("a");
  const after = listJobs("a");
  const [older, newer] = waiting.splice(0);
  newer(6, 5);
  await after;
  older(5);
  await before;
  assert.equal(shown, "6");
});

test("the next answer keeps the newest, though Dash has not told of it yet", async () => {
  dash_clientside.shell.attachLog("6", "");
  for (const ids of [[7, 6, 5], [7, 6, 5]]) {
    const listed = listJobs("a");
    waiting.shift()(...ids);
    await listed;
  }
  assert.equal(shown, "7");
});
