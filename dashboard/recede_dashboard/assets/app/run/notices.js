/** Notices of a run as calm banners at the top of its page: what was noticed, when, what to do. */

import { h } from "../lib/elements.js";

/** @param {{code: string, message: string, hint: string|null, epoch: number|null}} notice */
function banner({ code, message, hint, epoch }) {
  const words = h("div", { class: "run-notice-words" }, h("strong", {}, message));
  if (hint) words.append(h("span", { class: "run-notice-hint" }, hint));
  const node = h("div", { class: "run-notice" }, h("span", { class: "i i-alert", "aria-hidden": "true" }), words);
  node.dataset.code = code;
  node.dataset.testid = "run-notice";
  if (epoch !== null && epoch !== undefined) node.append(h("span", { class: "run-notice-epoch" }, `epoch ${epoch}`));
  return node;
}

/** Show the notices of a run; unchanged ones are left alone. @param {any} run */
export function showNotices(run) {
  const place = document.getElementById("run-notices");
  if (!place) return;
  const notices = run.notices || [];
  const key = `${run.id} ${JSON.stringify(notices)}`;
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren(...notices.map(banner));
}
