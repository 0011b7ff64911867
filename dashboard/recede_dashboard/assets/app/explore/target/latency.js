/** "Latency ≤ X ms": the one target that needs the server, since it has to be measured. */

import { errorWords } from "../../lib/errors.js";
import { jobResult } from "../data/jobs.js";
import { planOf } from "../state/plan.js";
import { plainNumber, targetWords } from "../state/target_words.js";

/** @import { Job } from "../../api/types.js" */
/** @import { Target, Explore, Work } from "../types.js" */

/** What a found ratio holds for: all other choices of the plan and the target itself. @param {Explore} app */
export function latencyKey(app) {
  const { state, now } = app;
  return JSON.stringify([planOf({ ...state, by: "ratio", ratio: 0 }, now.epoch), state.target]);
}

/** Target for the smallest cut that runs this fast; a newer request supersedes an older one. @param {Explore} app @param {Target} target */
export async function findLatency(app, target) {
  const { now, state, source } = app;
  if (!now.selection) return;
  await cancelLatency(app);
  app.choose({ target, by: "ratio", ratio: now.asked });
  app.fresh();
  /** @type {Work} */
  const own = { status: "busy", key: latencyKey(app), progress: null, job: null };
  app.latency = own;
  app.dirty();
  const plan = planOf({ ...state, by: "ratio", ratio: now.asked }, now.epoch);
  try {
    const body = { plan, target_ms: target.value, batch: target.batch || 1 };
    const { job } = await source.ofRun("/latency", { method: "POST", body });
    own.job = job;
    if (app.latency !== own) return void (await stop(app, job));
    const done = await jobResult(source, job, (progress) => {
      own.progress = progress;
      app.dirty();
    });
    if (app.latency === own) finish(app, own, done);
  } catch (error) {
    if (error.name !== "AbortError" && app.latency === own) Object.assign(own, { status: "failed", error });
  }
  app.dirty();
}

/** Take the found plan, unless something else was chosen meanwhile. @param {Explore} app */
function finish(app, own, done) {
  if (!done) return void (app.latency = { status: "idle" });
  Object.assign(own, { status: "done", result: done });
  if (app.state.target?.kind !== "latency" || latencyKey(app) !== own.key || !done.plan) return;
  app.choose({ by: "ratio", ratio: done.plan.ratio, target: app.state.target });
  app.released();
}

/** @param {Explore} app @param {Job} job */
const stop = (app, job) => app.source.ask(`/jobs/${job.id}/cancel`, { method: "POST" }).catch(() => {});

/** @param {Explore} app */
export async function cancelLatency(app) {
  const { latency } = app;
  if (latency?.status !== "busy") return;
  app.latency = { status: "idle" };
  app.dirty();
  if (latency.job) await stop(app, latency.job);
}

/** What is known of the latency of this cut, as presentValue wants it. @param {Explore} app */
export function latencyOf(app) {
  const done = app.latency?.status === "done" && app.latency.key === latencyKey(app) ? app.latency.result : null;
  return done && Number.isFinite(done.median_ms) ? { value: done.median_ms, dense: done.dense_ms ?? null } : null;
}

/** @param {Explore} app */
export function latencyWords(app) {
  const { state, source, latency } = app;
  const asked = `${targetWords(state.target)} asked`;
  if (latency?.status === "busy") return "";
  if (source.offline) return `${asked}: the server does not answer; measuring has to wait.`;
  if (latency?.status === "failed") return errorWords(latency.error);
  if (latency?.status === "done" && latency.key === latencyKey(app)) return doneWords(asked, latency.result);
  return `${asked}: not measured for these settings. Press Find.`;
}

function doneWords(asked, result) {
  /** @param {number} value */
  const ms = (value) => `${plainNumber(Number(value.toPrecision(3)))} ms`;
  if (!Number.isFinite(result.median_ms)) return asked;
  if (result.reached === false) return `${asked}; lowest possible ${ms(result.median_ms)} on ${result.device || "this device"}`;
  return `${asked}, ${ms(result.median_ms)} measured${result.device ? ` on ${result.device}` : ""}`;
}
