/** The page of one run, kept live: state, tiles, activity, tabs in the address. */

import "../charts/plotly_saving.js";
import "./times.js";
import { go, putProps, registerCallbacks, setProps } from "../lib/dash.js";
import { h } from "../lib/elements.js";
import { errorWords } from "../lib/errors.js";
import { complain, notify } from "../lib/page/notices.js";
import { showTitle } from "../lib/page/title.js";
import { throttle } from "../lib/throttle.js";
import * as format from "../format/numbers.js";
import { bestMetric, runState, shareDone, significant } from "../format/runs.js";
import { api } from "../api/client.js";
import { deleting } from "../api/deletions.js";
import { onEvent } from "../api/live.js";
import { extendCharts } from "./epoch_charts.js";
import { listJobs, logTail, newestTrainingJob } from "./log.js";
import { showNotices } from "./notices.js";

const STAGES = { measuring: "Measuring", cutting: "Cutting", writing: "Writing", verifying: "Verifying", loading: "Loading", quantising: "Quantising" };
const FINAL = ["succeeded", "failed", "cancelled"];
/** The run that is shown. @type {any} */
let run = null;
/** When a run that stalls was last heard of, by this browser's clock. */
let heardAt = 0;

const here = () => document.getElementById("run-root")?.dataset.runId || null;

/** What the server says of the run now. @param {any} answer */
function take(answer) {
  run = answer;
  heardAt = Date.now() / 1000 - (answer.stalled_s ?? 0);
}

const stalls = () => run.state === "running" && run.stalled_s !== null && run.stalled_s !== undefined;

/** @param {string} name @param {string} value @param {string} [note] */
function tile(name, value, note) {
  putProps(`tile-${name}`, { children: value });
  if (note !== undefined) putProps(`tile-${name}-note`, { children: note });
}

function showState() {
  const { key, text, more } = runState(run);
  putProps("run-state", { children: more ? `${text}, ${more}` : text, "data-state": key });
  const active = !FINAL.includes(run.state);
  const here = !run.recording; // only its own process can stop or resume a training elsewhere
  putProps("cancel-run", { hidden: !here || !active || !!run.cancel_requested_at });
  putProps("resume-run", { hidden: !here || !["failed", "cancelled"].includes(run.state) });
  putProps("delete-run", { hidden: here && active });
  putProps("live-strip", { hidden: !here || run.state !== "running" });
  putProps("result-strip", { hidden: here && active });
  if (run.state === "queued") waiting();
}

function waiting() {
  const n = run.queue_position || 0;
  const before = n ? `${format.plural(n, "run")} ahead` : "Next in line";
  putProps("run-activity", { hidden: false, children: `${before}. You can close this page.` });
}

/** @param {any} accuracy */
function accuracyNote(accuracy) {
  if (!accuracy) return "";
  const [low, high] = [accuracy.low, accuracy.high].map((x) => (100 * x).toFixed(format.decimals(accuracy.n)));
  return `n = ${format.integer(accuracy.n)}, ${low}–${high} %`;
}

/** @param {string} name @param {any} accuracy */
function accuracyTile(name, accuracy) {
  tile(name, accuracy ? format.percent(accuracy.value, accuracy.n) : "–", accuracyNote(accuracy));
}

function showRecorded() {
  const { metric } = run.recording;
  const of = FINAL.includes(run.state) ? run.epochs_done : `${run.epochs_done} / ${run.spec.epochs}`;
  tile("epochs", String(of), "recorded elsewhere");
  tile("best", run.best_epoch === null ? "–" : String(run.best_epoch), metric ? `by ${metric.name}` : "the latest: no metric chosen");
  tile("metric", bestMetric(run), metric && !metric.n ? "no interval: images were not counted" : metric ? accuracyNote(run.val_accuracy) : "");
  const took = run.started_at && run.finished_at ? run.finished_at - run.started_at : null;
  tile("took", took === null ? "–" : format.duration(took), "");
}

function showResult() {
  if (run.recording) return showRecorded();
  const trains = run.spec.epochs > 0;
  tile("epochs", trains ? `${run.epochs_done} / ${run.spec.epochs}` : "None", trains ? "" : "not trained here");
  tile("best", run.best_epoch === null ? "–" : String(run.best_epoch), "by validation");
  accuracyTile("test", run.test_accuracy);
  accuracyTile("validation", run.val_accuracy);
  const ratio = run.lossless_ratio;
  tile("lossless", ratio === null ? "–" : `${(100 * ratio).toFixed(0)} %`, ratio === null ? "measured after training" : "of the neurons");
  const took = run.started_at && run.finished_at ? run.finished_at - run.started_at : null;
  tile("took", took === null ? "–" : format.duration(took), "");
}

function showLive() {
  if (run.recording) return;
  const p = run.progress || {};
  const epoch = Math.max(p.epoch || 0, run.epochs_done, 1);
  tile("epoch", run.spec.epochs ? `${epoch} / ${run.spec.epochs}` : "None");
  bar("epoch", shareDone(run));
  if (p.stage && p.stage !== "training") {
    tile("batch", format.integer(p.done || 0), `${p.stage}: ${p.message || p.unit || ""}`);
  } else if (p.batches) {
    tile("batch", `${format.integer(p.batch)} / ${format.integer(p.batches)}`);
    bar("batch", p.batch / p.batches);
  }
  tile("loss", significant(p.loss));
  tile("accuracy", p.accuracy === undefined || p.accuracy === null ? "–" : `${(100 * p.accuracy).toFixed(1)} %`);
  tile("penalty", significant(p.penalty));
  const still = stalls();
  const eta = still ? null : (p.eta_s ?? run.eta_s);
  tile("speed", p.images_per_s && !still ? format.integer(p.images_per_s) : "–", still ? "stalled" : "");
  tile("eta", eta === null || eta === undefined ? "–" : format.duration(eta), still ? "stalled" : "");
}

/** A thin bar under a tile; React leaves that element to us. @param {string} name @param {number} share */
function bar(name, share) {
  const node = document.getElementById(`tile-${name}-bar`);
  if (!node) return;
  if (!node.firstChild) {
    node.append(h("span", { class: "meter", "data-live": "true" }, h("span", {})));
  }
  /** @type {HTMLElement} */ (node.firstChild.firstChild).style.width = `${100 * Math.min(1, share)}%`;
}

async function showProblem() {
  const node = document.getElementById("run-problem");
  if (!node) return;
  if (run.state !== "failed" || !run.error) return node.replaceChildren();
  const { message, hint } = run.error;
  const box = h("div", { class: "alert alert-bad" }, h("strong", {}, "This run failed. "), message);
  if (hint) box.append(h("div", { class: "alert-hint" }, hint));
  node.replaceChildren(box);
  if (run.recording) return; // it has no log here
  const tail = await logTail(run.id, 6);
  if (tail.length && node.contains(box)) box.append(h("pre", { class: "code" }, tail.join("\n")));
}

export function refresh() {
  if (!run || here() !== run.id) return;
  showState();
  showLive();
  showResult();
  showNotices(run);
  showReport();
  showTitle();
}

/** The report on the data set's files comes while the run goes on: ask for it once. */
function showReport() {
  const place = document.getElementById("report-slot");
  if (!run.data_report || !place || place.childElementCount || place.dataset.asked) return;
  place.dataset.asked = "true";
  setProps("report-tick", { data: run.id });
}

const reread = throttle(async () => {
  const id = here();
  if (!id) return;
  try {
    const before = run?.state;
    take(await api("GET", `/runs/${id}`));
    refresh();
    if (run.state !== before) {
      if (before === "queued") putProps("run-activity", { hidden: true });
      showProblem();
      listJobs(id);
    }
  } catch (error) {
    if (error.status === 404) gone();
  }
}, 250);

/** Somebody deleted it; a deletion in this tab shows its own notice. */
function gone() {
  const id = run?.id;
  run = null;
  if (id && here() === id && !deleting.has(id)) {
    notify("Deleted", "This run was deleted.", "info");
    go("/");
  }
}

/** What else is done for this run: measuring, cutting. @param {any} event */
function activity(event) {
  const of = event.total ? `${format.integer(event.done)} of ${format.integer(event.total)} ${event.unit || ""}` : "";
  const words = [event.message, of].filter(Boolean).join(", ");
  putProps("run-activity", { hidden: false, children: `${STAGES[event.stage] || "Working"}: ${words}` });
}

function refreshFiles() {
  setProps("files-tick", { data: Date.now() });
  if ((!run?.spec.init?.plan && !run?.recording) || !document.getElementById("comparison-slot")) return;
  setProps("comparison-tick", { data: Date.now() });
}

const HANDLERS = {
  progress(event) {
    if (event.stage === "training" || event.job_id === newestTrainingJob()) {
      run = { ...run, progress: event, eta_s: event.eta_s, stalled_s: null };
      showState();
      showLive();
    } else {
      activity(event);
    }
  },
  epoch(event) {
    reread();
    extendCharts(event.run_id);
  },
  run() {
    reread();
    refreshFiles(); // the test set is measured after the last checkpoint was written
  },
  job(event) {
    if (FINAL.includes(event.state)) putProps("run-activity", { hidden: true });
    if (event.kind !== "train" && event.state === "failed" && event.error) {
      notify("Failed", errorWords(event.error), "bad");
    }
    reread();
    listJobs(event.run_id);
  },
  checkpoint: () => refreshFiles(),
  bench: () => refreshFiles(),
  evaluation: reread,
  notice: reread,
  run_deleted: () => gone(),
};

onEvent((event) => {
  const id = here();
  if (!id || !run || event.run_id !== id) return;
  HANDLERS[event.type]?.(event);
});
for (const name of ["recede:changed", "recede:online"]) document.addEventListener(name, reread);
document.addEventListener("recede:deleted", (event) => {
  if (/** @type {CustomEvent} */ (event).detail.run_id === here()) go("/");
});
window.setInterval(() => {
  if (!run || here() !== run.id || !stalls()) return;
  run = { ...run, stalled_s: Date.now() / 1000 - heardAt };
  showState();
}, 1000);
// A run that stalls sends no event: look after it while it is on the screen.
window.setInterval(() => run && here() === run.id && run.state === "running" && !document.hidden && reread(), 10000);

/** @param {string} name */
async function rename(name) {
  const trimmed = name.trim();
  if (!run || here() !== run.id || !trimmed || trimmed === run.name) return;
  try {
    take(await api("PATCH", `/runs/${run.id}`, { name: trimmed }));
    showTitle();
  } catch (error) {
    complain(error, "The name was not changed");
    putProps("run-name", { value: run.name });
  }
}

registerCallbacks({
  /** @param {any} data the run as the server gave it with the page */
  attachRun(data) {
    take(data);
    // The page's nodes are in the document after this tick.
    window.setTimeout(() => {
      refresh();
      showProblem();
      listJobs(run.id);
    }, 0);
  },

  /** Put the tab into the address, beside what else is there. @param {string} tab */
  showTab(tab) {
    if (!tab) return;
    const url = new URL(window.location.href);
    if (url.searchParams.get("tab") === tab) return;
    url.searchParams.set("tab", tab);
    window.history.replaceState(window.history.state, "", url);
    window.dispatchEvent(new Event("resize"));
  },

  /** A tab's content has come from the server: fill it. @param {string[]} _tabs */
  showFilled(_tabs) {
    window.setTimeout(() => {
      refresh();
      if (run) listJobs(run.id);
    }, 0);
  },

  /** @param {string} name */
  renameRun(name) {
    rename(name || "");
  },
});
