/** Work that only the server can do for Explore: measuring a cut, pruning; followed to its end. */

import { ApiError } from "../../api/client.js";
import { curveOf } from "./curves.js";

/** @import { Job, Progress } from "../../api/types.js" */
/** @import { CurvePlace, Explore, Source, Work } from "../types.js" */

const POLL_MS = 1500;
const FINAL = ["succeeded", "failed", "cancelled"];

/**
 * Resolves with the finished job; live events make it quick, polling makes it sure.
 * @param {Source} source @param {number} id @param {(progress: ?Progress, job: ?Job) => void} onProgress
 * @returns {Promise<Job>}
 */
function follow(source, id, onProgress) {
  return new Promise((resolve, reject) => {
    let timer = 0;
    const finish = (settle, value) => {
      clearTimeout(timer);
      window.removeEventListener("recede:event", onEvent, true);
      settle(value);
    };
    const look = async () => {
      clearTimeout(timer);
      try {
        const job = await source.ask(`/jobs/${id}`);
        if (FINAL.includes(job.state)) return finish(resolve, job);
        onProgress(job.progress, job);
      } catch (error) {
        if (error.name === "AbortError" || error.status === 404) return finish(reject, error);
      }
      clearTimeout(timer);
      timer = setTimeout(look, POLL_MS);
    };
    /** @param {Event} event */
    const onEvent = (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      if (!detail || Number(detail.job_id) !== id) return;
      if (detail.type === "progress") onProgress(detail, null);
      if (detail.type === "job") look();
    };
    // On window while capturing: it also hears what is dispatched on document.
    window.addEventListener("recede:event", onEvent, true);
    look();
  });
}

/**
 * The job's result; raises with the server's words, or returns null when it was cancelled.
 * @param {Source} source @param {Job} job @param {(progress: ?Progress, job: ?Job) => void} onProgress
 */
export async function jobResult(source, job, onProgress) {
  const done = await follow(source, job.id, onProgress);
  if (done.state === "cancelled") return null;
  if (done.state === "failed") {
    throw new ApiError(done.error || { message: "The job failed without a reason." }, 500);
  }
  return done.result || {};
}

/**
 * Measure the present cut on the validation images; a newer choice supersedes this one. On the
 * way `progress.accuracy` is an estimate from the images so far.
 * @param {Explore} app
 */
export async function measureCut(app) {
  const { plan, canMeasure, epoch } = app.fresh();
  if (!plan || !canMeasure) return;
  /** @type {Work} */
  const own = { status: "busy", plan, epoch, progress: null };
  app.measure = own;
  app.dirty();
  const still = () => app.measure === own;
  const post = () => app.source.ofRun("/evaluate", { method: "POST", body: { plan } });
  try {
    let answer = await post();
    if (!answer.evaluation && still()) {
      /** @param {?Progress} progress */
      const tell = (progress) => {
        own.progress = progress;
        app.dirty();
      };
      if ((await jobResult(app.source, answer.job, tell)) && still()) answer = await post();
    }
    if (answer.evaluation) app.source.remember(answer.evaluation);
    if (still()) app.measure = { status: "idle" };
  } catch (error) {
    if (error.name !== "AbortError" && still()) app.measure = { status: "failed", plan, error };
  }
  app.dirty();
}

const WITH_INT8 = ["safetensors", "pt2", "onnx", "int8"];

/**
 * Cut, write, reload and verify the present cut; ends with links to its files.
 * @param {Explore} app @param {boolean} int8 Whether an INT8 file is written too.
 */
export async function pruneCut(app, int8 = false) {
  const { plan, canCut, selection, epoch } = app.fresh();
  if (!plan || !canCut || app.prune.status === "busy") return;
  /** @type {Work} */
  const own = { status: "busy", plan, epoch, removed: selection.removed, ratio: selection.ratio };
  app.prune = own;
  app.dirty();
  try {
    const body = int8 ? { plan, formats: WITH_INT8 } : { plan };
    const answer = await app.source.ofRun("/prune", { method: "POST", body });
    own.job = answer.job;
    const done = await jobResult(app.source, answer.job, (progress) => {
      own.progress = progress;
      app.dirty();
    });
    if (!done) app.prune = { status: "idle" };
    else {
      const checkpoint = await app.source.ask(`/checkpoints/${done.checkpoint_id}`);
      app.prune = { ...own, status: "done", result: done, checkpoint };
    }
  } catch (error) {
    if (error.name !== "AbortError") app.prune = { ...own, status: "failed", error };
  }
  app.dirty();
}

/**
 * Target for an accuracy curve, {epoch, scope, criterion, bias}; `exact` on the whole split.
 * @param {Explore} app @param {CurvePlace} place
 */
export async function measureCurve(app, place, exact = false) {
  try {
    const { job } = await app.source.ofRun("/curve", { method: "POST", body: { ...place, exact } });
    const curve = curveOf(app.source, place);
    if (curve) curve.job = job;
  } catch (error) {
    if (error.name !== "AbortError") app.source.error = error;
  }
  app.dirty();
  app.source.schedule();
}
