/** What is wrong with a value, in words at its field, for as long as it stands there. */

import { h, named, setAttributes, setText } from "../../lib/elements.js";

/** @type {HTMLElement|null} */
let bubble = null;
/** @type {HTMLElement|null} */
let about = null;

function theBubble() {
  if (bubble?.isConnected) return bubble;
  bubble = h("p", { ...named("field-fault"), class: "rx-fault", role: "alert", hidden: true });
  bubble.popover = "manual"; // over everything, so that no column clips it
  document.body.append(bubble);
  return bubble;
}

function hide() {
  if (!about) return;
  about.removeAttribute("aria-describedby");
  about = null;
  if (bubble.matches(":popover-open")) bubble.hidePopover();
  bubble.hidden = true;
}

/** @param {string} words */
function show(field, words) {
  const node = theBubble();
  about = field;
  setText(node, words);
  node.hidden = false;
  if (!node.matches(":popover-open")) node.showPopover();
  field.setAttribute("aria-describedby", node.id);
  const box = field.getBoundingClientRect();
  Object.assign(node.style, {
    left: `${Math.max(8, Math.min(innerWidth - node.offsetWidth - 8, box.right - node.offsetWidth))}px`,
    top: `${box.bottom + 5}px`,
  });
}

/**
 * Say what is wrong with what a field holds, or that nothing is.
 * @param {HTMLInputElement} field
 * @param {string} [words]  what was wanted; none: the value can be used
 */
export function showFault(field, words) {
  setAttributes(field, { "aria-invalid": words ? "true" : null });
  if (words) show(field, `${field.value.trim() || "Nothing"} was entered; ${words}.`);
  else if (about === field) hide();
}

for (const type of ["scroll", "resize"]) window.addEventListener(type, hide, true);
