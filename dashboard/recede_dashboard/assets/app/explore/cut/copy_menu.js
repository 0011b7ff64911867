/** The menu that copies an action on the present cut as a command, as curl or as Python. */

import { copyText } from "../../lib/clipboard.js";
import { h, named, setAttributes } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";

const FORMS = [["Command line", "copy-cli", "command"], ["curl", "copy-curl", "curl"], ["Python", "copy-python", "python"]];

/** What the server is asked to write out: the cut, what it was solved for, and its own address. */
function bodyOf({ state, now }) {
  const { target } = state;
  const { kind, value, relative, batch } = target || {};
  return {
    plan: now.plan,
    target: target && { kind, value, ...(relative ? { relative } : {}), ...(batch ? { batch } : {}) },
    origin: location.origin,
  };
}

class CopyMenu {
  constructor(app) {
    this.app = app;
    this.menu = app.els.find("#copy-menu");
    this.body = this.menu.querySelector(".rx-menu-body");
    this.items = [];
    this.pick = h("select", {
      ...named("copy-action"), class: "rx-select rx-select-wide", "aria-label": "What to copy",
      onchange: () => this.show(),
    });
    this.texts = h("div", { "aria-live": "polite" });
    this.body.replaceChildren(
      h("label", { class: "rx-row rx-copy-pick" }, h("span", { class: "rx-unit", text: "Copy" }), this.pick),
      this.texts,
    );
    this.menu.addEventListener("toggle", () => this.menu.open && this.open());
  }

  /** The cut as it is now, written out by the server. */
  async open() {
    const { app } = this;
    if (!app.fresh().plan) return;
    const number = (this.asked = (this.asked || 0) + 1);
    setAttributes(this.texts, { "aria-busy": "true" });
    this.place();
    try {
      const { items } = await app.source.ofRun("/snippets", { method: "POST", body: bodyOf(app) });
      if (number !== this.asked) return;
      this.items = items;
      this.offer();
      this.show();
    } catch (error) {
      if (error.name === "AbortError" || number !== this.asked) return;
      this.texts.replaceChildren(h("p", { class: "rx-said", role: "alert", text: errorWords(error) }));
    }
    setAttributes(this.texts, { "aria-busy": null });
    this.place();
  }

  /** The actions that make sense now; the one that was chosen stays chosen. */
  offer() {
    const before = this.pick.value;
    this.pick.replaceChildren(...this.items.map(({ action, label }) => h("option", { value: action, text: label })));
    if (this.items.some(({ action }) => action === before)) this.pick.value = before;
  }

  show() {
    const item = this.items.find(({ action }) => action === this.pick.value);
    if (!item) return;
    this.texts.replaceChildren(...FORMS.map(([label, id, form]) => h("div", { class: "rx-snippet" },
      h("div", { class: "rx-row" }, h("b", { text: label }), h("button", {
        type: "button", class: "rx-link", text: "Copy", "aria-label": `Copy as ${label}`,
        onclick: (event) => copyText(item[form], event.target),
      })),
      h("pre", { ...named(id), text: item[form] }))));
  }

  /** Fixed over its button, so that the column's own scrolling does not clip it. */
  place() {
    const button = this.menu.getBoundingClientRect();
    Object.assign(this.body.style, {
      right: `${Math.max(8, document.documentElement.clientWidth - button.right)}px`,
      bottom: `${window.innerHeight - button.top + 6}px`,
      maxHeight: `${button.top - 16}px`,
    });
  }
}

/** @param {any} app */
export const mountCopyMenu = (app) => new CopyMenu(app);
