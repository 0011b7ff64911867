/** One stream of server-sent events for all tabs of this browser.
 *
 * Each event is dispatched on `document` as the CustomEvent "recede:event" with detail
 * {id, type, run_id, job_id, created_at, ...data}. The state of the connection is announced by
 * "recede:online" and "recede:offline". One tab holds the stream (a web lock) and passes
 * events on through a BroadcastChannel, because a browser opens only six connections to a
 * host. Every tab keeps the last id it saw; whoever opens the stream replays from there, or from
 * when the page was asked for.
 */

const URL_ = "/api/v1/events";
const KEY = "recede:last-event-id";
const TYPES = [
  "run", "run_deleted", "group", "job", "progress", "epoch", "evaluation", "curve", "checkpoint", "bench", "notice", "plan", "map", "reach", "worker", "webhook",
];
const RETRY_MS = 2000;
const MOST_S = 3600;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("recede") : null;
/** @type {EventSource|null} */
let source = null;
/** @type {boolean|null} */
let online = null;
let leading = false;

/** The last event that this tab has seen. @returns {{id: number, at: number}} */
function last() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null") || { id: 0, at: 0 };
  } catch {
    return { id: 0, at: 0 };
  }
}

/** @param {{id: number, at: number}} seen */
function remember(seen) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(seen));
  } catch {
    /* private mode without storage: the page is live all the same, only without replay */
  }
}

/** @param {{id: number, created_at: number, type: string}} detail */
function deliver(detail) {
  const seen = last();
  // Both, because ids start again when the data folder is replaced.
  if (detail.id <= seen.id && detail.created_at <= seen.at) return;
  remember({ id: detail.id, at: detail.created_at });
  document.dispatchEvent(new CustomEvent("recede:event", { detail }));
}

/** @param {boolean} state */
function setOnline(state) {
  if (online === state) return;
  const back = online === false && state;
  online = state;
  document.dispatchEvent(
    new CustomEvent(state ? "recede:online" : "recede:offline", { detail: { back } }),
  );
}

/** @param {MessageEvent} message */
function onMessage(message) {
  const detail = { ...JSON.parse(message.data), id: Number(message.lastEventId), type: message.type };
  deliver(detail);
  channel?.postMessage({ kind: "event", detail });
}

/** @param {boolean} state */
function tell(state) {
  setOnline(state);
  channel?.postMessage({ kind: "online", state });
}

function open() {
  const from = last().id;
  // What a page that has just been loaded shows may be older than the stream.
  const age = Math.min(MOST_S, performance.now() / 1000).toFixed(2);
  source = new EventSource(`${URL_}?${from ? `last_event_id=${from}` : `last_s=${age}`}`);
  for (const type of TYPES) source.addEventListener(type, onMessage);
  source.onopen = () => tell(true);
  source.onerror = () => {
    tell(false);
    // The browser's own retry repeats the URL of the first try; ours replays from now.
    source?.close();
    setTimeout(open, RETRY_MS);
  };
}

function lead() {
  leading = true;
  open();
  return new Promise(() => {}); // held until this tab closes
}

/** Open the stream, or listen to the tab that holds it. Call it once. */
export function connect() {
  if (channel) {
    channel.onmessage = ({ data }) => {
      if (data.kind === "event") {
        setOnline(true);
        deliver(data.detail);
      } else if (data.kind === "online") {
        setOnline(data.state);
      } else if (data.kind === "who" && leading && online !== null) {
        channel.postMessage({ kind: "online", state: online });
      }
    };
  }
  if (channel && navigator.locks) {
    channel.postMessage({ kind: "who" });
    navigator.locks.request("recede:events", lead);
  } else {
    lead();
  }
  window.addEventListener("pagehide", () => source?.close());
}

/** True or false once known, null before the first answer. */
export const isOnline = () => online;

/** Listen to live events. @param {(detail: any) => void} listener */
export function onEvent(listener) {
  document.addEventListener("recede:event", (event) => listener(/** @type {CustomEvent} */ (event).detail));
}
