/** Keyboard keys of Explore; the shell's dialog lists recede.keys. */

import { dialogIsOpen } from "../../lib/page/dialogs.js";
import { measureCut } from "../data/jobs.js";
import { showToast } from "../feedback/toast.js";
import { toggleLock } from "../layers/own_ratio.js";

/** @import { Explore } from "../types.js" */

const PREFIX_MS = 350; // "g" also begins the shell's "g r" and "g s": wait whether one follows

/** Text is typed there, or the key already means something there. */
function isTaken(event) {
  const { target, key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  if (dialogIsOpen()) return true;
  if (!(target instanceof Element)) return false;
  if (target.closest("textarea, select, [contenteditable]")) return true;
  if (target.closest("input") && !target.matches("[type=range], [type=checkbox]")) return true;
  return key === " " && Boolean(target.closest("button, a, summary, input, [role=radio]"));
}

/**
 * The layer before or after the selected one; between last and first lie all together.
 * @param {Explore} app
 */
function stepLayer(app, by) {
  const names = [null, ...app.source.shape.groups.map((group) => group.name)];
  const at = names.indexOf(app.state.layer);
  app.set({ layer: names[(at + by + names.length) % names.length] });
}

/** Put the cursor into a field; what it holds is replaced by what is typed next. */
function into(field) {
  field.focus();
  field.select();
}

/** The field lies below the selected layer's row; without a layer, below the first. @param {Explore} app */
function ownRatio(app) {
  if (!app.state.layer) stepLayer(app, 1);
  app.fresh();
  const field = app.els.find("#own-ratio");
  if (field && !field.disabled) into(field);
  else showToast(app, `${app.state.layer} is always kept in this run, so it has no ratio of its own.`);
}

/** Listen while this view is on the page and visible; returns how to stop. @param {Explore} app */
export function listenToKeys(app) {
  let waiting = 0;
  const actions = {
    "[": () => app.scrub.step(-1),
    "]": () => app.scrub.step(1),
    " ": () => app.scrub.toggle(),
    v: () => app.views.step(1),
    V: () => app.views.step(-1),
    b: () => app.views.toggleBig(),
    l: () => app.toLossless(),
    m: () => measureCut(app),
    p: () => app.plans.turn(),
    a: () => into(app.els.find("#target-input")),
    ",": () => stepLayer(app, -1),
    ".": () => stepLayer(app, 1),
    k: () => app.state.layer && toggleLock(app, app.state.layer),
    o: () => ownRatio(app),
    g: () => {
      waiting = setTimeout(() => app.toGap(), PREFIX_MS);
    },
  };
  const onKey = (event) => {
    clearTimeout(waiting); // by the shell's keys, too
    if (app.root.offsetParent === null || isTaken(event)) return;
    const action = actions[event.key];
    if (!action || !app.now?.selection) return;
    if (event.key !== "g") event.preventDefault();
    app.fresh(); // keys may follow each other faster than frames
    action();
  };
  document.addEventListener("keydown", onKey);
  return () => {
    clearTimeout(waiting);
    document.removeEventListener("keydown", onKey);
  };
}
