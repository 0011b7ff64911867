/** Undo and redo, as buttons and as keys. */

import { h, icon, named, setAttributes } from "../../lib/elements.js";

/** @import { Explore } from "../types.js" */

/** The two buttons; Ctrl or Cmd with Z, with Shift or Y to do it again. */
export class UndoButtons {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.buttons = ["undo", "redo"].map((name) => h("button", {
      ...named(`${name}-button`), type: "button", class: "rx-button rx-square rx-ghost",
      onclick: () => app.undo[name](),
    }, icon(name)));
    this.node = h("div", { class: "rx-pair" }, this.buttons);
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
  }

  destroy() {
    document.removeEventListener("keydown", this.onKey);
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || this.app.root.offsetParent === null) return;
    const key = event.key.toLowerCase();
    const name = key === "z" ? (event.shiftKey ? "redo" : "undo") : key === "y" && !event.shiftKey ? "redo" : null;
    if (!name || document.querySelector("dialog[open], [role=dialog]")) return;
    // In a field of text the browser's own undo is meant; our numbers are choices of the cut.
    if (event.target.closest?.("textarea, [contenteditable], input:not([type=range], [type=checkbox], .rx-field)")) return;
    event.preventDefault();
    if (event.target.matches?.(".rx-field")) delete event.target.dataset.typed;
    this.app.undo[name]();
  }

  render() {
    const { next } = this.app.undo;
    ["undo", "redo"].forEach((name, i) => {
      const verb = i ? "Redo" : "Undo";
      const keys = i ? "Shift+Ctrl+Z" : "Ctrl+Z";
      setAttributes(this.buttons[i], {
        disabled: !next[name], title: next[name] ? `${verb}: ${next[name]} (${keys})` : `Nothing to ${name}`,
        "aria-label": next[name] ? `${verb}: ${next[name]}` : `Nothing to ${name}`,
      });
    });
  }
}
