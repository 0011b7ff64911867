/** The webhook on the Settings page: its address, what came of the last notice, a test. */

import { putProps, registerCallbacks } from "../lib/dash.js";
import { showNoticeSwitch } from "../lib/page/desktop_notices.js";
import { errorWords } from "../lib/errors.js";
import { api } from "../api/client.js";
import { onEvent } from "../api/live.js";

let busy = false;

/** @param {number|null} at seconds since 1970 */
function clock(at) {
  if (at === null) return "–";
  const when = new Date(1000 * at);
  const today = when.toDateString() === new Date().toDateString();
  const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return today ? time : `${when.toLocaleDateString()} ${time}`;
}

/** @param {any} last the delivery that was tried last */
function outcome(last) {
  if (!last) return "Nothing has been sent yet.";
  const what = last.event === "test" ? "test" : `a run that ${last.event === "stalled" ? "stalled" : last.event}`;
  if (last.state === "sent") return `Last sent ${clock(last.tried_at)} (${what}): answer ${last.status}.`;
  const failed = `Failed ${clock(last.tried_at)} (${what}): ${last.error}`;
  if (last.next_try_at !== null) return `${failed}; retrying at ${clock(last.next_try_at)}.`;
  return `${failed}; ${last.attempts > 1 ? `gave up after ${last.attempts} attempts` : "no retry"}.`;
}

/** @param {any} hook as the API tells it @param {boolean} [fill] put its address into the field */
function show(hook, fill = false) {
  const fixed = hook.set_by === "environment";
  if (fill) putProps("webhook-url", { value: hook.url || "", error: null, disabled: fixed });
  putProps("webhook-save", { hidden: fixed });
  putProps("webhook-test", { hidden: !hook.url });
  putProps("webhook-off", { hidden: !hook.url || fixed });
  const waiting = hook.waiting ? ` ${hook.waiting} waiting.` : "";
  const words = hook.url || hook.last ? outcome(hook.last) + waiting : "Off: nothing is sent.";
  const by = fixed ? "Set by RECEDE_WEBHOOK in the environment of the service. " : "";
  putProps("webhook-words", { children: by + words, "data-state": hook.last?.state || "none" });
}

/** @param {string} method @param {string} path @param {object} [body] */
async function ask(method, path, body) {
  if (busy) return;
  busy = true;
  putProps("webhook-words", { children: method === "POST" ? "Sending a test…" : "Saving…" });
  try {
    show(await api(method, path, body), true);
  } catch (error) {
    putProps("webhook-url", { error: errorWords(error) });
    putProps("webhook-words", { children: "Nothing changed." });
  } finally {
    busy = false;
  }
}

function save() {
  const url = /** @type {HTMLInputElement} */ (document.getElementById("webhook-url")).value.trim();
  if (url) ask("PUT", "/webhook", { url });
  else ask("DELETE", "/webhook");
}

/** @param {boolean} fill */
async function load(fill) {
  if (!document.getElementById("webhook-words")) return;
  try {
    show(await api("GET", "/webhook"), fill);
  } catch (error) {
    putProps("webhook-words", { children: error.message });
  }
}

document.addEventListener("submit", (event) => {
  if (/** @type {Element} */ (event.target).id !== "webhook-form") return;
  event.preventDefault();
  save();
});
document.addEventListener("click", (event) => {
  const asked = event.target.closest?.("[data-webhook]")?.dataset.webhook;
  if (asked === "test") ask("POST", "/webhook/test");
  if (asked === "off") ask("DELETE", "/webhook");
});
onEvent((event) => {
  if (event.type === "webhook" && !busy) load(false);
});
registerCallbacks({
  /** The Settings page has appeared: fill its notices once its nodes are there. */
  attachNotices() {
    window.setTimeout(() => {
      showNoticeSwitch();
      load(true);
    }, 0);
    return Date.now();
  },
});
