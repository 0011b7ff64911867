/** One stack for all choices of the cut: what was changed, in words, taken back and done again. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});

  const MOST = 200;
  const PAUSE_MS = 800; // changes of the same kind closer together than this are one step
  const CUT = ["by", "ratio", "threshold", "ask"];

  const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const group = (names) => [...new Set(names.map((name) => (CUT.includes(name) ? "cut" : name)))].sort().join();
  const pick = (state, names) => structuredClone(Object.fromEntries(names.map((name) => [name, state[name]])));

  class Undo {
    constructor(app) {
      Object.assign(this, { app, done: [], undone: [], open: null, timer: 0, held: false });
      this.stopped = new AbortController();
      const options = { signal: this.stopped.signal, capture: true };
      window.addEventListener("pointerdown", () => (this.held = true), options);
      for (const type of ["pointerup", "pointercancel", "blur"]) {
        window.addEventListener(type, () => {
          if (!this.held) return;
          this.held = false;
          this.closeSoon();
        }, options);
      }
    }

    destroy() {
      this.stopped.abort();
      clearTimeout(this.timer);
    }

    /** Before a change: remember what it replaces. A drag, or keys in a row, are one step. */
    note(state, patch, label) {
      const names = explore.plan.KEYS.filter((name) => name in patch && !equal(patch[name], state[name]));
      if (!names.length) return;
      const kind = group(names);
      const led = names.includes("ask") ? [...names, "ratio"] : names; // an aim moves the ratio by itself
      const { open } = this;
      if (open && open.kind === kind && !label) {
        for (const name of led) if (!(name in open.before)) open.before[name] = pick(state, [name])[name];
        Object.assign(open.after, pick(patch, names));
      } else {
        this.open = { kind, label, before: pick(state, led), after: pick(patch, names) };
        this.done.push(this.open);
        if (this.done.length > MOST) this.done.shift();
      }
      this.undone = [];
      this.closeSoon();
    }

    closeSoon() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => !this.held && this.close(), PAUSE_MS);
    }

    /** What follows is another step; one that led back to where it began is none. */
    close() {
      clearTimeout(this.timer);
      const { open } = this;
      this.open = null;
      if (!open || !equal(open.before, pick(open.after, Object.keys(open.before)))) return;
      this.done = this.done.filter((step) => step !== open);
      this.app.dirty();
    }

    undo() {
      this.close();
      this.move(this.done, this.undone, "before");
    }

    redo() {
      this.close();
      this.move(this.undone, this.done, "after");
    }

    move(from, to, side) {
      const step = from.pop();
      if (!step) return;
      to.push(step);
      this.app.given.add("cut");
      this.app.assign(structuredClone(step[side]));
      this.app.released();
    }

    /** The step that would be taken back and the one that would be done again, in words. */
    get next() {
      const words = (step) => step && (step.label || wordsOf(step));
      return { undo: words(this.done.at(-1)) || null, redo: words(this.undone.at(-1)) || null };
    }
  }

  /** What a step did. */
  function wordsOf({ before, after, kind }) {
    const { share, threshold } = window.recede.core.format;
    const parts = kind.split(",");
    if (parts.includes("cut")) {
      if (after.ask) return explore.ask.words(after.ask);
      if (after.threshold !== undefined && after.by !== "ratio" && after.threshold !== null) return `threshold ${threshold(after.threshold)}`;
      return after.ratio === undefined ? "the ratio that was reached" : `ratio ${share(after.ratio)}`;
    }
    const words = {
      epoch: () => (after.epoch === null ? "the default epoch" : `epoch ${after.epoch}`),
      scope: () => `${after.scope} scope`,
      overrides: () => ownWords(before.overrides, after.overrides), // it may have ended a lock
      locks: () => lockWords(before.locks, after.locks),
      criterion: () => `criterion ${after.criterion}`,
      roundTo: () => (after.roundTo === 1 ? "no rounding" : `multiples of ${after.roundTo}`),
      minChannels: () => (after.minChannels === null ? "each layer's own minimum" : `at least ${after.minChannels} channels`),
      bias: () => (after.bias === "fold" ? "bias folded" : "bias dropped"),
    };
    const first = Object.keys(words).find((name) => parts.includes(name));
    return words[first]?.() || "a choice";
  }

  function lockWords(before, after) {
    const added = after.filter((name) => !before.includes(name));
    const gone = before.filter((name) => !after.includes(name));
    if (added.length + gone.length !== 1) return "locks";
    return added.length ? `lock of ${added[0]}` : `unlocking ${gone[0]}`;
  }

  function ownWords(before, after) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    const changed = names.filter((name) => before[name] !== after[name]);
    if (changed.length !== 1) return "ratios of single layers";
    const ratio = after[changed[0]];
    return ratio === undefined ? `no own ratio for ${changed[0]}` : `${changed[0]} at ${window.recede.core.format.share(ratio)}`;
  }

  /** The two buttons; Ctrl or Cmd with Z, with Shift or Y to do it again. */
  class UndoButtons {
    constructor(app) {
      const { h, icon, named } = explore.dom;
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
        explore.dom.mark(this.buttons[i], {
          disabled: !next[name], title: next[name] ? `${verb}: ${next[name]} (${keys})` : `Nothing to ${name}`,
          "aria-label": next[name] ? `${verb}: ${next[name]}` : `Nothing to ${name}`,
        });
      });
    }
  }

  Object.assign(explore, { Undo, UndoButtons });
})();
