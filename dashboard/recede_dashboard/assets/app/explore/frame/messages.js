/** Words over the view: what of the address was ignored, a lost server, and what to expect. */

import { h, setAttributes } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";

/** @import { Explore } from "../types.js" */

export class Messages {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.message = app.els.message;
    this.empty = app.els.empty;
    this.observer = new ResizeObserver(() => this.size());
    for (const node of [document.body, app.els.frame]) this.observer.observe(node);
  }

  destroy() {
    this.observer.disconnect();
  }

  /**
   * The view fills the window below where it begins, so that the whole loop is in sight. Only
   * called when something has changed its size: asking in each frame would lay the page out anew.
   */
  size() {
    const { frame } = this.app.els;
    const top = Math.round(frame.getBoundingClientRect().top + window.scrollY);
    if (top !== this.top && frame.offsetParent !== null) {
      this.top = top;
      frame.style.setProperty("--rx-top", `${top}px`);
    }
  }

  render() {
    const { source, now, els, refused } = this.app;
    const [title, words] = this.nothingYet();
    setAttributes(els.frame, {
      "data-state": title ? "empty" : now.selection || source.broken.size ? "ready" : "loading",
      "data-offline": source.offline,
    });
    this.empty.hidden = !title;
    this.fill(this.empty, title ? [["h3", title], ["p", words]] : []);
    const notes = [];
    if (refused.length) notes.push(`Ignored in the URL: ${refused.join("; ")}.`);
    if (source.offline && !title && !document.getElementById("offline-banner")) notes.push("The server does not answer. You can keep working with what is loaded. Reconnecting automatically.");
    if (source.error && !source.offline && !title) notes.push(errorWords(source.error));
    this.message.hidden = !notes.length;
    this.fill(this.message, notes.map((note) => ["span", note]));
    if (notes.length && refused.length && !this.message.querySelector("button")) {
      this.message.append(h("button", {
        type: "button", class: "rx-link", text: "Dismiss", onclick: () => {
          refused.length = 0;
          this.app.address();
          this.app.dirty();
        },
      }));
    }
  }

  /** Title and words while there is nothing to explore, else empty. */
  nothingYet() {
    const { source } = this.app;
    if (!source.loaded || (source.shape && source.epochs.length)) return ["", ""];
    if (source.offline) return ["The server does not answer", "Reconnecting automatically."];
    if (source.error) return ["The run could not be loaded", errorWords(source.error)];
    const state = source.run?.state;
    if (source.run?.recording) {
      return ["No importances were recorded", "Nothing of this network can be pruned, or its script could not find what can; its log says why. Its metrics are under Training."];
    }
    if (state === "failed" || state === "cancelled") {
      return [`The run was ${state} before its first epoch`, "There are no importances to explore."];
    }
    const place = source.run?.queue_position;
    if (state === "queued") {
      const where = Number.isInteger(place) ? (place === 0 ? " Next in line." : place === 1 ? " 1 run ahead." : ` ${place} runs ahead.`) : "";
      return ["Waiting in the queue", `Once training starts, the untrained importances appear here as epoch 0, followed by every epoch.${where}`];
    }
    return ["Training is starting", "The untrained importances appear here first, as epoch 0."];
  }

  fill(node, parts) {
    const key = JSON.stringify(parts);
    if (node.dataset.key === key) return;
    node.dataset.key = key;
    node.replaceChildren(...parts.map(([tag, text]) => h(tag, { text })));
  }
}

