/** Choices of one among several: as a row of buttons or as a list. */

import { h, named, setAttributes } from "./elements.js";

/**
 * @typedef {{id: string, label: string, options: string[][], pick: (value: any) => void}} Choice
 *   options: value, text, explanation
 */

/**
 * A segmented switch (radio group with arrow keys).
 * @param {Choice} spec
 */
export function segmented({ id, label, options, pick }) {
  const buttons = options.map(([value, text, title]) =>
    h("button", {
      type: "button", role: "radio", class: "rx-seg", "data-value": value, title, text,
      onclick: () => pick(value),
    }));
  const node = h("div", { ...named(id), class: "rx-segs", role: "radiogroup", "aria-label": label }, buttons);
  node.addEventListener("keydown", (event) => {
    const step = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 })[event.key];
    if (!step) return;
    event.preventDefault();
    const at = buttons.findIndex((button) => button.getAttribute("aria-checked") === "true");
    const next = buttons[(at + step + buttons.length) % buttons.length];
    if (next.disabled) return;
    pick(next.dataset.value);
    next.focus();
  });
  /** @param {string} value */
  const show = (value) => {
    setAttributes(node, { "data-value": value });
    for (const button of buttons) {
      const on = button.dataset.value === value;
      setAttributes(button, { "aria-checked": String(on), tabindex: on ? 0 : -1 });
    }
  };
  return { node, show, buttons };
}

/**
 * A choice of one as a drop-down: the same spec as `segmented`, in less room.
 * Returns {node, show}.
 * @param {Choice} spec
 */
export function dropdown({ id, label, options, pick }) {
  const node = h("select", { ...named(id), class: "rx-pick", "aria-label": label, onchange: () => pick(node.value) },
    options.map(([value, text, title]) => h("option", { value, text, title })));
  /** @param {string} value */
  const show = (value) => {
    setAttributes(node, { "data-value": value });
    if (node.value !== value) node.value = value;
  };
  return { node, show };
}

