/** Dialogs and drawers of the shell: opened by name; while one is open, keys rest. */

import { setProps } from "../dash.js";

const OPENS_MS = 3000; // a dialog that is not there by then will not come
/** The dialog that was asked for and is not drawn yet. @type {{id: string, at: number}|null} */
let opening = null;

/** What is filled in when a dialog opens. @type {Map<string, {part: string, fill: (node: Element) => void}>} */
const contents = new Map();

/** Keys rest while a dialog is open, and from the moment on in which one was asked for. */
export function dialogIsOpen() {
  const there = Boolean(document.querySelector('[role="dialog"]'));
  if (there || (opening && Date.now() - opening.at > OPENS_MS)) opening = null;
  return there || opening !== null;
}

/** Escape before the dialog is drawn takes it back. @param {string} key */
export function takeBack(key) {
  if (key !== "Escape" || !opening || document.querySelector('[role="dialog"]')) return;
  setProps(opening.id, { opened: false });
  opening = null;
}

/** Call once with an element, as soon as it is drawn. @param {string} id @param {(node: Element) => void} then */
function whenDrawn(id, then) {
  const found = document.getElementById(id);
  if (found) return then(found);
  const observer = new MutationObserver(() => {
    const node = document.getElementById(id);
    if (!node) return;
    observer.disconnect();
    then(node);
  });
  observer.observe(document.body, { childList: true, subtree: true });
}

/** Open a dialog or drawer of the shell. @param {string} id */
export function openDialog(id) {
  opening = { id, at: Date.now() };
  setProps(id, { opened: true });
  const filled = contents.get(id);
  if (filled) whenDrawn(filled.part, filled.fill);
}

/**
 * Fill a part of a dialog whenever it is opened.
 * @param {string} id @param {string} part id of the element @param {(node: Element) => void} fill
 */
export function fillWhenOpened(id, part, fill) {
  contents.set(id, { part, fill });
}
