/** Notifications of the browser, for users who look elsewhere: off until they are switched on.
 *
 * A tab in sight holds a shared lock, so that no notice is shown while any tab of Recede is
 * looked at; the tab that shows an event holds a lock of that event and remembers it for all tabs,
 * so that each event is shown once.
 */

import { go, putProps, registerCallbacks } from "../dash.js";
import { notify } from "./notices.js";

const WANTED = "recede:notices";
const SHOWN = "recede:notice-shown ";
const IN_SIGHT = "recede:in-sight";
const REMEMBERED = 50;
const HELD_MS = 10000; // what one tab writes down reaches the others a little later, a lock at once
/** Ends this tab's hold of the lock. @type {(() => void)|null} */
let release = null;

/** @returns {boolean} */
function wanted() {
  try {
    return localStorage.getItem(WANTED) === "on";
  } catch {
    return false;
  }
}

/** Why this browser shows none, in words; "" if it can. */
function refusal() {
  if (!window.isSecureContext || !("Notification" in window) || !navigator.locks) {
    return "This browser shows notifications only for pages on localhost or 127.0.0.1, or over HTTPS.";
  }
  if (Notification.permission === "denied") {
    return "This browser blocks notifications from this address. Allow them in the site settings, then turn this on.";
  }
  return "";
}

function isOn() {
  return wanted() && !refusal() && Notification.permission === "granted";
}

function holdWhileInSight() {
  if (document.hidden) {
    release?.();
    release = null;
  } else if (!release) {
    navigator.locks?.request(IN_SIGHT, { mode: "shared" }, () =>
      document.hidden ? undefined : new Promise((done) => (release = () => done(undefined))),
    );
  }
}

/** Whether this event is new to all tabs; it is not any more afterwards. @param {string} key */
function isNew(key) {
  if (localStorage.getItem(SHOWN + key)) return false;
  localStorage.setItem(SHOWN + key, String(Date.now()));
  const known = Object.keys(localStorage).filter((name) => name.startsWith(SHOWN));
  known.sort((one, other) => Number(localStorage[one]) - Number(localStorage[other]));
  for (const name of known.slice(0, -REMEMBERED)) localStorage.removeItem(name);
  return true;
}

/**
 * Show what happened to a run, if it is wanted and nobody sees the page.
 * @param {{id: number, created_at: number, run_id: string}} event @param {string} title @param {string} body
 */
export async function showDesktopNotice(event, title, body) {
  if (!document.hidden || !isOn()) return;
  const { held } = await navigator.locks.query();
  if (held?.some((lock) => lock.name === IN_SIGHT)) return;
  const key = `${event.id} ${event.created_at}`;
  await navigator.locks.request(SHOWN + key, { ifAvailable: true }, async (lock) => {
    if (!lock || !isNew(key)) return;
    const notice = new Notification(title, { body, tag: `recede-${event.id}` });
    notice.onclick = () => {
      window.focus();
      notice.close();
      go(`/runs/${event.run_id}`);
    };
    await new Promise((done) => setTimeout(done, HELD_MS));
  });
}

export function showNoticeSwitch() {
  const no = refusal();
  const on = isOn();
  putProps("notices-switch", { checked: on, disabled: Boolean(no) });
  const yes = on
    ? "On: you are notified when a run finishes, fails or stalls while no Recede tab is visible. Keep one tab open."
    : "Off in this browser.";
  putProps("notices-words", { children: no || yes });
}

/** @param {boolean} on */
async function choose(on) {
  if (on === isOn()) return;
  try {
    localStorage.setItem(WANTED, on ? "on" : "off");
  } catch {
    notify("Not saved", "This browser stores no data for this site, so the setting cannot be remembered.", "bad");
  }
  if (on && !refusal()) await Notification.requestPermission();
  showNoticeSwitch();
}

document.addEventListener("visibilitychange", holdWhileInSight);
holdWhileInSight();
registerCallbacks({
  /** @param {boolean|undefined} checked */
  switchNotices(checked) {
    if (checked !== undefined) choose(checked);
  },
});
