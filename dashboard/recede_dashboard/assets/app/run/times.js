/** Moments in words: how long ago, and the time of day; in full as a title. */

import { registerCallbacks } from "../lib/dash.js";
import { age } from "../format/runs.js";

const EVERY_MS = 30000;

/** @param {number} at seconds since 1970 */
function words(at) {
  const [then, now] = [new Date(at * 1000), new Date()];
  const clock = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const today = then.toDateString() === now.toDateString();
  const day = then.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  const ago = age(at);
  return `created ${today ? clock : `${day}, ${clock}`} (${ago}${ago === "just now" ? "" : " ago"})`;
}

function show() {
  for (const node of document.querySelectorAll("time[data-made]")) {
    const at = Number(node.dataset.made);
    node.textContent = words(at);
    node.title = new Date(at * 1000).toLocaleString("en-GB", { dateStyle: "full", timeStyle: "long" });
  }
}
window.setInterval(() => document.hidden || show(), EVERY_MS);

registerCallbacks({
  /** The nodes are in the document after this tick. @param {any} _children */
  showTimes(_children) {
    window.setTimeout(show, 0);
  },
});
