/** Terms explain themselves: labels that the glossary knows are marked wherever they appear, and a
   card with meaning, formula and source stands beside the one pointed at or focused with Tab. */

import { h } from "../../lib/elements.js";
import { refreshTerm } from "../../lib/page/terms.js";
import { throttle } from "../../lib/throttle.js";
import { api } from "../../api/client.js";
import { findTerm, glossary } from "./glossary.js";

const LABELS = [
  "dt", "th", "label", "legend", ".label", ".rx-label", ".rx-entry-label", ".rx-kind", ".rx-band", ".rx-seg", ".rx-epoch", ".rx-polar dt",
  ".ag-header-cell-text", ".chart-head h3", "#gap-button", "#lossless-button", "#curve-note", ".proof span", ".rx-proof", "[data-term]",
].join();
const USABLE = "button, select, input, a, [role=radio]"; // has a tab stop of its own
const REGION = "[role=tabpanel], [role=dialog], dialog, main, body";
const SCAN_MS = 250;
const POINT_MS = 280;
const LEAVE_MS = 160; // time to move onto the card, to select its text

/** The label's own words, without those of what stands inside it. @param {Element} node */
const ownWords = (node) =>
  [...node.childNodes].filter((one) => one instanceof Text).map((one) => one.data).join("").trim();

// ---- marking the labels ----------------------------------------------------------------

/** Mark one label as a term, or no more; its title becomes a line of the card. @param {HTMLElement} node */
function mark(node) {
  if (node.dataset.term && !node.dataset.marked) return true; // somebody else said so
  const name = findTerm(ownWords(node));
  if (!name) {
    if (node.dataset.marked) for (const key of ["term", "marked"]) delete node.dataset[key];
    return false;
  }
  if (node.dataset.term !== name) Object.assign(node.dataset, { term: name, marked: "" });
  return true;
}

/** Each term has one tab stop in each region of the page; pointed at, all of them explain. */
export function scanTerms() {
  const seen = new Map();
  for (const node of document.querySelectorAll(LABELS)) {
    const known = mark(node);
    if (node.matches(USABLE) || node.closest(".ag-header")) continue;
    const region = node.closest(REGION);
    if (!seen.has(region)) seen.set(region, new Set());
    const stop = known && !seen.get(region).has(node.dataset.term) && !node.closest("[hidden]");
    if (stop) {
      seen.get(region).add(node.dataset.term);
      if (!node.hasAttribute("tabindex")) node.tabIndex = 0;
    } else if (node.hasAttribute("tabindex") && document.activeElement !== node) node.removeAttribute("tabindex");
  }
}

const scanSoon = throttle(() => window.requestIdleCallback(scanTerms, { timeout: 500 }), SCAN_MS);

// ---- the card --------------------------------------------------------------------------

/** @type {HTMLElement|null} */
let card = null;
/** @type {HTMLElement|null} */
let shownFor = null;
let soon = 0;
/** @type {Promise<any>|null} */
let catalog = null;

function theCard() {
  if (card?.isConnected) return card;
  card = h("div", { class: "term-card" });
  Object.assign(card, { id: "term-card", hidden: true, popover: "manual" }); // over open dialogs too
  card.setAttribute("role", "tooltip");
  card.dataset.testid = "term-card";
  card.addEventListener("pointerenter", () => clearTimeout(soon));
  card.addEventListener("pointerleave", () => hide());
  document.body.append(card);
  return card;
}

/** Entries of the catalog that the label's row names: the method of this run, the chosen criterion. */
async function chosen(node, from) {
  catalog = catalog || api("GET", "/catalog").catch(() => ((catalog = null), {}));
  const all = (await catalog)[from] || [];
  const row = node.closest(".chip, .fact, tr") || node.parentElement;
  const field = row.querySelector("select")?.value;
  const words = [...row.querySelectorAll("*")].map(ownWords).join(" ");
  const named = ({ name, label }) => words.includes(label) || words.split(/\W+/).includes(name);
  return all.filter((one) => (field ? one.name === field : named(one)));
}

/** @param {HTMLElement} node */
function show(node) {
  refreshTerm(node);
  const { title, text, formula, source, from } = glossary[node.dataset.term];
  const place = theCard();
  if (node.title) [node.dataset.note, node.title] = [node.title, ""]; // one explanation, not two
  const note = node.dataset.note ? [h("p", { class: "term-note" }, node.dataset.note)] : [];
  place.replaceChildren(...note, h("b", {}, title), h("span", {}, text), h("code", {}, formula), h("small", {}, source));
  place.hidden = false;
  if (!place.matches(":popover-open")) place.showPopover();
  shownFor = node;
  node.setAttribute("aria-describedby", place.id);
  put(place, node);
  if (from) {
    chosen(node, from).then((entries) => {
      if (shownFor !== node) return;
      place.append(...entries.map(({ label, help }) => h("span", { class: "term-entry" }, h("b", {}, label), help)));
      put(place, node);
    });
  }
}

/** Above the label if there is room, else below; always whole in the window. */
function put(place, node) {
  const box = node.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = place;
  const above = box.top - height - 8;
  Object.assign(place.style, {
    left: `${Math.max(8, Math.min(innerWidth - width - 8, box.left + Math.min(box.width, 160) / 2 - width / 2))}px`,
    top: `${Math.max(8, above >= 8 ? above : Math.min(box.bottom + 8, innerHeight - height - 8))}px`,
  });
}

function hide() {
  clearTimeout(soon);
  if (!shownFor) return;
  if (theCard().matches(":popover-open")) card.hidePopover();
  card.hidden = true;
  shownFor.removeAttribute("aria-describedby");
  shownFor = null;
}

/** The term that an event is about; in the table of runs the cell of the header has the focus. */
function termOf(target, focused) {
  if (!(target instanceof Element)) return null;
  const cell = focused && target.matches(".ag-header-cell") ? target.querySelector("[data-term]") : null;
  const node = cell || target.closest(LABELS); // its words may have changed since the last scan
  return node && mark(node) ? node : null;
}

document.addEventListener("pointerover", ({ target }) => {
  const node = termOf(target, false);
  if (!node) return;
  clearTimeout(soon);
  if (node !== shownFor) soon = setTimeout(() => show(node), POINT_MS);
});
document.addEventListener("pointerout", ({ target, relatedTarget }) => {
  const node = termOf(target, false);
  if (!node || node.contains(/** @type {Node} */ (relatedTarget))) return;
  clearTimeout(soon);
  if (shownFor === node) soon = setTimeout(hide, LEAVE_MS);
});
document.addEventListener("focusin", ({ target }) => {
  const node = target instanceof Element && target.matches(":focus-visible") ? termOf(target, true) : null;
  if (node && (node === target || /** @type {Element} */ (target).contains(node))) show(node);
  else hide();
});
document.addEventListener("focusout", hide);
document.addEventListener("pointerdown", ({ target }) => card?.contains(/** @type {Node} */ (target)) || hide());
document.addEventListener("scroll", ({ target }) => {
  if (target === card || !shownFor) return;
  if (shownFor === document.activeElement) put(card, shownFor); // Tab has brought it into sight
  else hide();
}, true);
document.addEventListener("keydown", (event) => {
  if (!shownFor) return;
  if (event.key !== "Escape") { // whoever begins to use a control wants to see what is around it
    if (event.key !== "Tab" && event.key !== "Shift" && shownFor.matches(USABLE)) hide();
    return;
  }
  event.stopPropagation(); // takes the card away, not what stands below it
  hide();
}, true);

function start() {
  new MutationObserver(scanSoon).observe(document.body, { childList: true, subtree: true });
  document.addEventListener("keydown", ({ key }) => key === "Tab" && scanTerms(), true); // before the focus moves
  scanSoon();
}
start();
