/** The threshold as a line that is dragged in the chart or moved with the keyboard. */

import { setAttributes, setText } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { countUpTo, layerKeys, thresholdKey } from "../../pruning/selection.js";
import { epochAt } from "./ridges.js";
import { linePlace } from "../epochs/motion.js";

/** @import { Explore, Now } from "../types.js" */

const FINE = 1 / 400; // of the visible axis for one key press; with shift ten times that
const LABEL_PX = 92; // room that a label beside the handle needs

export class Line {
  /** @param {Explore} app */
  constructor(app, distribution) {
    this.app = app;
    this.distribution = distribution;
    this.node = app.els.line;
    this.wrapper = app.els.plot;
    this.left = this.node.querySelector(".rx-line-left");
    this.right = this.node.querySelector(".rx-line-right");
    this.handle = this.node.querySelector(".rx-handle");
    this.note = this.wrapper.querySelector(".rx-plot-note");
    this.wrapper.addEventListener("pointerdown", (event) => this.press(event));
    this.node.addEventListener("keydown", (event) => this.key(event));
  }

  /** False where every layer has a threshold of its own. */
  get movable() {
    const { state, now } = this.app;
    return Boolean(now.ranking) && (state.scope === "global" || state.by === "threshold" || now.layer >= 0);
  }

  press(event) {
    const { plot } = this.distribution;
    if (!plot || event.button !== 0) return;
    const box = this.wrapper.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    if (plot.ridges.height > 0 && y < plot.ridges.bottom + 6) {
      if (x > 0) this.app.chooseEpoch(epochAt(this.distribution.rows, y));
      return;
    }
    if (y > plot.bottom + 20 || x < plot.left - 20 || !this.movable) return;
    event.preventDefault();
    this.node.focus({ preventScroll: true });
    // Gripping the handle beside its middle must not make the line jump.
    const { line } = this.app.now;
    const here = line === null || line === undefined ? x : plot.x(plot.axis.place(line));
    const grip = event.target.closest(".rx-line") ? x - here : 0;
    /** @param {PointerEvent} e */
    const move = (e) => this.moveTo(plot.at(e.clientX - box.left - grip));
    this.drag(event.pointerId, move);
    if (!grip) move(event);
  }

  drag(pointer, move) {
    this.wrapper.setPointerCapture(pointer);
    this.wrapper.classList.add("rx-dragging");
    const end = () => {
      this.wrapper.removeEventListener("pointermove", move);
      this.wrapper.classList.remove("rx-dragging");
      this.app.released();
    };
    this.wrapper.addEventListener("pointermove", move);
    this.wrapper.addEventListener("lostpointercapture", end, { once: true });
  }

  /** Put the threshold at a place of the axis; of one layer under the local scope its ratio. */
  moveTo(at) {
    const { app } = this;
    const { axis } = this.distribution.plot;
    const value = axis.valueAt(Math.min(axis.high, Math.max(axis.low, at)));
    if (app.state.by === "ratio" && app.state.scope === "local") {
      const keys = layerKeys(app.now.ranking, app.now.layer);
      const key = thresholdKey(value, app.source.shape.scale);
      const ratio = countUpTo(keys, key, true) / keys.length;
      app.choose({ by: "ratio", ratio: Math.min(ratio, 0.9999) });
    } else app.choose({ by: "threshold", threshold: value });
  }

  key(event) {
    this.app.fresh();
    const { plot } = this.distribution;
    if (!plot || !this.movable || event.altKey || event.ctrlKey || event.metaKey) return;
    const span = plot.axis.high - plot.axis.low;
    const step = span * FINE * (event.shiftKey ? 10 : 1);
    const line = (this.app.state.by === "threshold" ? this.app.state.threshold : this.app.now.line) ?? 0;
    const here = Math.min(plot.axis.high, Math.max(plot.axis.low, plot.axis.place(line)));
    const to = {
      ArrowLeft: here - step, ArrowDown: here - step, ArrowRight: here + step, ArrowUp: here + step,
      PageDown: here - span * FINE * 20, PageUp: here + span * FINE * 20,
      Home: plot.axis.low, End: plot.axis.high,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.moveTo(to);
    this.app.releasedSoon();
  }

  /** Between two epochs the line moves with the picture. */
  move() {
    this.render();
  }

  render() {
    const { plot } = this.distribution;
    const { now, state } = this.app;
    const shown = Boolean(plot) && now.selection && now.line !== null && now.line !== undefined;
    this.node.hidden = !shown;
    this.sayWhy(plot);
    if (!shown) return;
    const x = plot.x(linePlace(this.app, plot.axis));
    const [gone, kept] = this.counts(now);
    this.node.style.transform = `translateX(${x.toFixed(1)}px)`;
    this.node.style.setProperty("--rx-line-top", `${plot.top - 20}px`);
    this.node.style.setProperty("--rx-line-height", `${plot.bottom - plot.top + 20}px`);
    const text = format.threshold(now.line);
    setText(this.handle, text);
    this.node.style.setProperty("--rx-half", `${Math.max(17, 3.7 * text.length + 8)}px`);
    setText(this.left, `${format.integer(gone)} removed`);
    setText(this.right, `${format.integer(kept)} kept`);
    setAttributes(this.left, { "data-tight": x - plot.left < LABEL_PX });
    setAttributes(this.right, { "data-tight": plot.right - x < LABEL_PX });
    const top = this.app.source.shape.scale === "plain" ? plot.axis.valueAt(plot.axis.high) : 1;
    setAttributes(this.node, {
      "aria-valuemin": 0, "aria-valuemax": top, "aria-valuenow": now.line, "data-value": now.line,
      "aria-disabled": this.movable ? null : "true", "data-by": state.by,
      "aria-valuetext": `threshold ${format.threshold(now.line)}: ${format.integer(gone)} of `
        + `${format.integer(gone + kept)} neurons removed (${format.share(gone / (gone + kept))})`,
    });
  }

  /** Neurons removed and kept of what the chart shows. @param {Now} now */
  counts(now) {
    if (now.layer >= 0) return [now.selection.gone[now.layer], now.selection.kept[now.layer]];
    const size = now.selection.kept.reduce((sum, kept) => sum + kept, 0) + now.selection.removed;
    return [now.selection.removed, size - now.selection.removed];
  }

  /** Words in the chart where there is no line, or no chart. */
  sayWhy(plot) {
    const { now, source, state } = this.app;
    let words = "";
    const why = source.broken.get(now.epoch);
    if (why) words = why;
    else if (plot && now.selection && now.line === null) {
      words = `Local scope: each layer has its own threshold. Select a layer to see and drag its line.`;
    } else if (!plot && source.shape && source.epochs.length) {
      words = source.offline ? "Waiting for the server…" : `Loading ${state.layer || "the distribution"}…`;
    }
    this.note.hidden = !words;
    setText(this.note, words);
  }
}
