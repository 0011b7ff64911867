/** Below the selected layer's row: why it keeps what it keeps, a ratio of its own, and protection. */

import { h, icon, named, setAttributes, setText } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";
import { showFault } from "../feedback/fault.js";
import { showToast } from "../feedback/toast.js";

/** @import { Explore } from "../types.js" */

/** @param {string} name */
const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));

/**
 * Give one layer a ratio of its own; null takes it back. A lock would contradict it.
 * @param {Explore} app @param {string} name @param {number} ratio
 */
function setOwn(app, name, ratio) {
  const { overrides, locks } = app.state;
  if (ratio === null) app.choose({ overrides: without(overrides, name) });
  else app.choose({ overrides: { ...overrides, [name]: ratio }, ...(locks.includes(name) ? { locks: locks.filter((one) => one !== name) } : {}) });
}

/**
 * Lock or unlock one layer; its own ratio would contradict the lock.
 * @param {Explore} app @param {string} name
 */
export function toggleLock(app, name) {
  if ((app.source.run?.protected || []).includes(name)) return;
  const { locks, overrides } = app.state;
  const on = !locks.includes(name);
  app.choose({
    locks: on ? [...locks, name] : locks.filter((one) => one !== name),
    ...(on && Object.hasOwn(overrides, name) ? { overrides: without(overrides, name) } : {}),
  });
  app.released();
}

/**
 * Every plan of the run leaves it whole, from now on or no more: kept by the server.
 * @param {Explore} app @param {string} name @param {boolean} on
 */
async function protect(app, name, on) {
  const { source } = app;
  const before = source.run.protected || [];
  const next = on ? [...new Set([...before, name])] : before.filter((one) => one !== name);
  try {
    source.run = await source.ofRun("", { method: "PATCH", body: { protected: next } });
    if (on && Object.hasOwn(app.state.overrides, name)) setOwn(app, name, null);
    app.released();
  } catch (error) {
    if (error.name !== "AbortError") showToast(app, errorWords(error));
  }
  app.dirty();
}

export class OwnRatio {
  /** @param {Explore} app @param {string} name */
  constructor(app, name) {
    this.app = app;
    this.name = name;
    this.field = h("input", {
      ...named("own-ratio"), type: "number", class: "rx-field rx-short", min: 0, max: 99.99, step: "any",
      "aria-label": `Ratio of ${name} in percent`, oninput: () => this.typed(), onchange: () => app.released(),
      onblur: () => {
        showFault(this.field);
        app.dirty();
      },
    });
    this.clear = h("button", {
      ...named("own-clear"), type: "button", class: "rx-tool", title: "Follow the plan", "aria-label": `Let ${name} follow the plan`,
      onclick: () => {
        delete this.field.dataset.typed;
        setOwn(app, name, null);
        app.released();
        this.field.focus();
      },
    }, icon("close"));
    this.shield = h("input", { ...named("protect"), type: "checkbox", onchange: () => this.protect() });
    /** What was chosen, until the server has answered. @type {?boolean} */
    this.asked = null;
    this.why = h("p", { ...named("layer-why"), class: "rx-own-why" });
    this.node = h("div", { class: "rx-own" }, this.why,
      h("label", { class: "rx-own-ratio" }, "This layer’s ratio ", h("span", { class: "rx-with-unit" }, this.field, h("span", { class: "rx-unit", text: "%" }))), this.clear,
      h("label", { class: "rx-check", title: "No plan of this run cuts this layer; stored with the run" }, this.shield, "always keep"));
  }

  async protect() {
    this.asked = this.shield.checked;
    await protect(this.app, this.name, this.asked);
    this.asked = null;
    this.app.dirty();
  }

  typed() {
    const text = this.field.value.trim();
    const ratio = text === "" ? null : Number((Number(text) / 100).toFixed(8));
    const good = !this.field.validity.badInput && (ratio === null || (ratio >= 0 && ratio <= 0.9999));
    showFault(this.field, good ? "" : "a layer's ratio is a percentage from 0 to 99.99");
    if (good) setOwn(this.app, this.name, ratio);
  }

  render(row) {
    const { own, shielded, kept, size, why } = row;
    setText(this.why, why);
    setAttributes(this.why, { hidden: why === "" });
    setAttributes(this.field, { disabled: shielded, placeholder: Number((100 * (1 - kept / size)).toFixed(1)) });
    setAttributes(this.clear, { hidden: own === undefined });
    this.shield.checked = this.asked ?? shielded;
    this.shield.disabled = this.app.source.offline;
    if (document.activeElement === this.field && this.field.dataset.typed) return;
    const text = own === undefined ? "" : String(Number((100 * own).toFixed(2)));
    if (this.field.value !== text) this.field.value = text;
  }
}
