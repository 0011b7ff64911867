/** The log of a job: its tail, a filter, pause, follow, the first error, a download. */

import { putProps, registerCallbacks, setProps } from "../lib/dash.js";
import { h } from "../lib/elements.js";
import * as format from "../format/numbers.js";
import { api } from "../api/client.js";

const EVERY_MS = 1500;
const MOST_LINES = 5000;
const ERROR = /\b(error|critical|traceback|exception|diverged|nan)\b/i;
const KINDS = { train: "Training", curve: "Curve", evaluate: "Measuring", prune: "Pruning" };
/** @type {{job: number|null, after: number, lines: string[], filter: string, paused: boolean, follow: boolean, complete: boolean}} */
const log = { job: null, after: 0, lines: [], filter: "", paused: false, follow: true, complete: false };
/** The newest training when a job was last offered. @type {number|null} */
let offered = null;
/** @type {number|null} */
let newestTraining = null;
/** How often jobs were asked for, and which of those questions was answered last. */
const listings = { asked: 0, answered: 0 };
let busy = false;

const box = () => document.getElementById("log-lines");

/** @param {string} text */
function lineNode(text) {
  const node = h("div", { class: ERROR.test(text) ? "log-line log-error" : "log-line" }, text || " ");
  node.hidden = !!log.filter && !text.toLowerCase().includes(log.filter);
  return node;
}

/** @param {string[]} lines */
function append(lines) {
  const node = box();
  if (!node) return;
  node.append(...lines.map(lineNode));
  while (node.childElementCount > MOST_LINES) node.firstElementChild.remove();
  tell();
  toTheEnd(node);
}

/** @param {HTMLElement} node */
function toTheEnd(node) {
  if (log.follow) node.scrollTop = node.scrollHeight;
}

// Lines wrap anew in another width, and a tab that was not shown had no height to scroll.
const resized = new ResizeObserver(([{ target }]) => toTheEnd(/** @type {HTMLElement} */ (target)));

function redraw() {
  const node = box();
  if (!node) return;
  const shown = log.lines.slice(-MOST_LINES);
  node.replaceChildren(...shown.map(lineNode));
  if (!shown.length) node.append(h("div", { class: "log-empty muted" }, "No output yet."));
  tell();
  toTheEnd(node);
}

function tell() {
  const all = log.lines.length;
  const matching = log.filter ? log.lines.filter((l) => l.toLowerCase().includes(log.filter)).length : all;
  const text = log.filter ? `${format.integer(matching)} of ${format.plural(all, "line")}` : format.plural(all, "line");
  putProps("log-count", { children: text });
  press("pause", log.paused);
  press("follow", log.follow);
  const error = /** @type {?HTMLButtonElement} */ (document.getElementById("log-error"));
  if (error) error.disabled = !log.lines.some((line) => ERROR.test(line));
}

/** @param {string} name @param {boolean} on */
function press(name, on) {
  document.getElementById(`log-${name}`)?.setAttribute("aria-pressed", String(on));
}

async function fetchMore() {
  if (busy || log.paused || log.job === null || log.complete || !box() || document.hidden) return;
  busy = true;
  const job = log.job;
  try {
    const answer = await api("GET", `/jobs/${job}/log?after=${log.after}`);
    if (job !== log.job) return;
    const first = !log.lines.length;
    log.after = answer.next;
    log.complete = answer.complete;
    log.lines.push(...answer.lines);
    if (first) redraw();
    else if (answer.lines.length) append(answer.lines);
    if (answer.lines.length && !answer.complete) window.setTimeout(fetchMore, 0); // a long log comes in parts
  } catch {
    /* asked again at the next tick; the banner says if the server is gone */
  } finally {
    busy = false;
  }
}
window.setInterval(fetchMore, EVERY_MS);

/** @param {number} job */
function choose(job) {
  Object.assign(log, { job, after: 0, lines: [], complete: false });
  redraw();
  fetchMore();
}

/**
 * Offer the jobs of a run: what was chosen, or the newest training when there is a new one
 * and the log follows.
 * @param {string} id
 */
export async function listJobs(id) {
  const asked = ++listings.asked;
  let items;
  try {
    items = (await api("GET", `/jobs?run_id=${id}`)).items;
  } catch {
    return;
  }
  if (asked < listings.answered) return; // a newer answer came before this one
  listings.answered = asked;
  const training = items.find((job) => job.kind === "train");
  newestTraining = training ? training.id : null;
  if (!document.getElementById("log-job")) return;
  const data = items.map((job) => ({ value: String(job.id), label: `${KINDS[job.kind] || job.kind} · ${job.id}` }));
  const another = log.follow && training && training.id !== offered;
  const known = !another && items.some((job) => job.id === log.job);
  const job = known ? log.job : ((training || items[0])?.id ?? null);
  offered = newestTraining;
  if (job !== null && job !== log.job) choose(job); // before Dash does: the next answer may come first
  setProps("log-job", { data, value: String(job ?? "") });
  if (log.complete && known) Object.assign(log, { complete: false });
}

/** The last lines of the newest training of a run. @param {string} id @param {number} n */
export async function logTail(id, n) {
  try {
    const { items } = await api("GET", `/jobs?run_id=${id}`);
    const job = items.find((item) => item.kind === "train");
    let after = 0;
    let lines = [];
    for (let part = 0; job && part < 40; part++) {
      const answer = await api("GET", `/jobs/${job.id}/log?after=${after}`);
      lines = [...lines, ...answer.lines].slice(-n);
      if (answer.complete || answer.next === after) break;
      after = answer.next;
    }
    return lines;
  } catch {
    return [];
  }
}

const BUTTONS = {
  "log-pause"() {
    log.paused = !log.paused;
    tell();
    fetchMore();
  },
  "log-follow"() {
    log.follow = !log.follow;
    tell();
    const node = box();
    if (node) toTheEnd(node);
  },
  "log-error"() {
    const line = box()?.querySelector(".log-error:not([hidden])");
    if (!line) return;
    log.follow = false;
    tell();
    line.scrollIntoView({ block: "center" });
    line.classList.add("log-found");
  },
};
document.addEventListener("click", (event) => {
  const action = event.target.closest?.("[data-action]")?.dataset.action;
  BUTTONS[action]?.();
});
document.addEventListener(
  "wheel",
  (event) => {
    if (event.deltaY < 0 && event.target.closest?.("#log-lines") && log.follow) BUTTONS["log-follow"]();
  },
  { passive: true },
);

registerCallbacks({
  /** @param {string} job @param {string} filter */
  attachLog(job, filter) {
    resized.disconnect();
    if (box()) resized.observe(box());
    log.filter = (filter || "").toLowerCase();
    if (job && (Number(job) !== log.job || !box()?.childElementCount)) choose(Number(job));
    else redraw();
    const link = /** @type {?HTMLAnchorElement} */ (document.getElementById("log-download"));
    if (link && job) link.href = `/api/v1/jobs/${job}/log.txt`;
  },
});

/** The newest training of the run whose jobs were listed last, or null. */
export const newestTrainingJob = () => newestTraining;
