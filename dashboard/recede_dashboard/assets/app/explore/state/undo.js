/** One stack for all choices of the cut: what was changed, in words, taken back and done again. */

import * as format from "../../format/numbers.js";
import { CUT_KEYS } from "./plan.js";
import { targetWords } from "./target_words.js";

/** @import { Explore, State } from "../types.js" */

const MOST = 200;
const PAUSE_MS = 800; // changes of the same kind closer together than this are one step
const CUT = ["by", "ratio", "threshold", "target"];

const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);
/** @param {string[]} names */
const group = (names) => [...new Set(names.map((name) => (CUT.includes(name) ? "cut" : name)))].sort().join();
/** @param {Partial<State>} state @param {string[]} names */
const pick = (state, names) => structuredClone(Object.fromEntries(names.map((name) => [name, state[name]])));

export class Undo {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.done = [];
    this.undone = [];
    this.open = null;
    this.timer = 0;
    this.held = false;
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

  /**
   * Before a change: remember what it replaces. A drag, or keys in a row, are one step.
   * @param {State} state @param {Partial<State>} patch @param {string} label
   */
  note(state, patch, label) {
    const names = CUT_KEYS.filter((name) => name in patch && !equal(patch[name], state[name]));
    if (!names.length) return;
    const kind = group(names);
    const led = names.includes("target") ? [...names, "ratio"] : names; // a target moves the ratio by itself
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
  const { share, threshold } = format;
  const parts = kind.split(",");
  if (parts.includes("cut")) {
    if (after.target) return targetWords(after.target);
    if (after.threshold !== undefined && after.by !== "ratio" && after.threshold !== null) return `threshold ${threshold(after.threshold)}`;
    return after.ratio === undefined ? "previous ratio" : `ratio ${share(after.ratio)}`;
  }
  const words = {
    epoch: () => (after.epoch === null ? "default epoch" : `epoch ${after.epoch}`),
    scope: () => `${after.scope} scope`,
    overrides: () => ownWords(before.overrides, after.overrides), // it may have ended a lock
    locks: () => lockWords(before.locks, after.locks),
    criterion: () => `criterion ${after.criterion}`,
    roundTo: () => (after.roundTo === 1 ? "no rounding" : `multiples of ${after.roundTo}`),
    minChannels: () => (after.minChannels === null ? "default minimum" : `at least ${after.minChannels} channels`),
    bias: () => (after.bias === "fold" ? "constant output absorbed" : "constant output discarded"),
  };
  const first = Object.keys(words).find((name) => parts.includes(name));
  return words[first]?.() || "a change";
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
  if (changed.length !== 1) return "layer ratios";
  const ratio = after[changed[0]];
  return ratio === undefined ? `${changed[0]} follows the plan` : `${changed[0]} at ${format.share(ratio)}`;
}

