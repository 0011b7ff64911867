/** The frame of all pages: the worker's state, the banner, notices, the title, start-up. */

import "./actions.js";
import "./copy_buttons.js";
import "./keys.js";
import "./terms/card.js";
import { go, noUpdate, putProps, registerCallbacks } from "../lib/dash.js";
import { showDesktopNotice } from "../lib/page/desktop_notices.js";
import { notify } from "../lib/page/notices.js";
import { showTitle } from "../lib/page/title.js";
import { currentScheme, markScheme } from "../lib/scheme.js";
import * as format from "../format/numbers.js";
import { api } from "../api/client.js";
import { isOnline, onEvent } from "../api/live.js";

const WORKERS_EVERY_MS = 15000;
const BANNER_AFTER_MS = 2500;
let bannerTimer = 0;

async function showWorkers() {
  let key = "bad";
  let text = "Recede does not answer";
  try {
    const alive = (await api("GET", "/workers")).items.filter((worker) => worker.alive);
    if (alive.length) {
      const devices = alive.flatMap((worker) => worker.devices.map((device) => device.name));
      key = "good";
      text = `${alive.length === 1 ? "Worker ready" : `${alive.length} workers ready`} · ${devices.join(", ")}`;
    } else if ((await api("GET", "/healthz")).worker_starting) {
      key = "wait";
      text = "The worker is starting";
    } else {
      text = "No worker is running. Start one with: recede worker";
    }
  } catch {
    /* said by the text above and by the banner */
  }
  putProps("worker-status", { children: text, "data-state": key });
}

document.addEventListener("recede:offline", () => {
  bannerTimer = bannerTimer || window.setTimeout(() => banner(true), BANNER_AFTER_MS);
});
document.addEventListener("recede:online", () => {
  window.clearTimeout(bannerTimer);
  bannerTimer = 0;
  banner(false);
  showWorkers();
});

/** @param {boolean} shown */
function banner(shown) {
  putProps("offline-banner", { hidden: !shown });
  if (shown) showWorkers();
}

const ENDS = {
  succeeded: ["Finished", "good"],
  failed: ["Failed", "bad"],
  cancelled: ["Cancelled", "info"],
};
const STALL = ["Stalled", "bad"];

/** @param {any} run */
function accuracy({ state, test_accuracy: a }) {
  return state === "succeeded" && a ? `${format.percent(a.value, a.n)} of ${format.integer(a.n)} test images.` : "";
}

onEvent(async (event) => {
  if (event.type === "worker") return showWorkers();
  const outcome = event.stalled ? STALL : ENDS[event.state];
  if (event.type !== "run" || !outcome) return;
  if (Date.now() / 1000 - event.created_at > 3600) return; // replayed from long ago
  try {
    const run = await api("GET", `/runs/${event.run_id}`);
    const [title, kind] = outcome;
    const last = event.stalled ? ` Its last finished epoch is ${run.epochs_done}.` : "";
    const why = run.error ? ` ${run.error.message}` : last;
    notify(title, `${run.name}.${why}`, kind);
    if (event.state !== "cancelled") await showDesktopNotice(event, `${title}: ${run.name}`, (accuracy(run) + why).trim());
  } catch {
    /* deleted meanwhile: nothing to tell */
  }
});

/** Called with the path whenever another page is shown. @type {(path: string) => void} */
let pageShown = () => {};

/** @param {(path: string) => void} listener */
export function onPageShown(listener) {
  pageShown = listener;
}

registerCallbacks({
  boot() {
    showWorkers();
    window.setInterval(() => document.hidden || showWorkers(), WORKERS_EVERY_MS);
    markScheme();
    if (isOnline() === false) banner(true);
    return currentScheme();
  },

  /** @param {string} path */
  navigated(path) {
    pageShown(path);
    for (const link of document.querySelectorAll(".nav-link")) {
      const own = link.id === "nav-runs" ? path === "/" || path.startsWith("/runs") || path.startsWith("/groups") : path === link.getAttribute("href");
      if (own) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    window.setTimeout(showTitle, 300);
  },

  /** @param {string} address of a page of ours */
  goTo(address) {
    if (address) go(address);
  },

  /** What a switch unfolds is hidden while it is off. @param {boolean} on */
  isOff(on) {
    return !on;
  },

  /** @param {number} clicks @param {string} value */
  takeAdvice(clicks, value) {
    return clicks ? value : noUpdate();
  },
});
