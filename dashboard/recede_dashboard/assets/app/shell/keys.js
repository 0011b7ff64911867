/** Keyboard shortcuts of all pages; inactive while somebody types or a dialog is open. */

import { go, putProps } from "../lib/dash.js";
import { h } from "../lib/elements.js";
import { dialogIsOpen, fillWhenOpened, openDialog, takeBack } from "../lib/page/dialogs.js";
import { EXPLORE_KEYS } from "./shortcuts.js";

const TABS = { 1: "training", 2: "explore", 3: "files" };
let afterG = 0;
/** @param {EventTarget|null} target */
function isTyping(target) {
  return target instanceof Element && !!target.closest("input, textarea, select, [contenteditable]");
}

/** @param {string} key @returns {boolean} whether the key was ours */
function press(key) {
  if (afterG && Date.now() - afterG < 1200) {
    afterG = 0;
    if (key === "r") return go("/"), true;
    if (key === "s") return go("/settings"), true;
  }
  if (key === "g") afterG = Date.now(); // not ours alone: in Explore it has a meaning of its own
  if (key === "?") return openDialog("keys-dialog"), true;
  if (key === "n") return openDialog("run-drawer"), true;
  if (key === "/" && document.getElementById("runs-search")) {
    document.getElementById("runs-search").focus();
    return true;
  }
  if (TABS[key]) return putProps("run-tabs", { value: TABS[key] });
  return false;
}

document.addEventListener("keydown", (event) => {
  takeBack(event.key);
  if (event.key === "Enter" && event.target.closest?.("#run-form input[type=text], #run-form input:not([type])")) {
    if (event.ctrlKey || event.metaKey) document.getElementById("submit-run")?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || dialogIsOpen()) return;
  if (press(event.key)) event.preventDefault();
});

/** List the keys of Explore in the dialog of keys. @param {Element} section */
function listExplore(section) {
  const rows = EXPLORE_KEYS.map(({ keys, what }) =>
    h("div", { class: "keys-row" }, h("dt", {}, ...keys.map((key) => h("kbd", { class: "key" }, key))), h("dd", {}, what)),
  );
  section.replaceChildren(h("h3", {}, "Explore"), h("dl", {}, ...rows));
}

fillWhenOpened("keys-dialog", "keys-explore", listExplore);
