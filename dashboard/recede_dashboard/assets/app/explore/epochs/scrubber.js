/** The epoch scrubber: slider, play and pause, follow the latest; says whose weights are kept. */

import { dropdown } from "../../lib/controls.js";
import { h, named, setAttributes, setText } from "../../lib/elements.js";
import { Player } from "./motion.js";

/** @import { Explore } from "../types.js" */

const SPEEDS = [["0.25", "¼×"], ["0.5", "½×"], ["1", "1×"], ["2", "2×"], ["4", "4×"]];

export class Scrub {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.label = app.els.find("#epoch-label");
    this.note = app.els.find("#epoch-note");
    this.play = app.els.find("#epoch-play");
    this.follow = app.els.find("#epoch-follow");
    this.range = h("input", {
      ...named("epoch-slider"), type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "Epoch",
      oninput: () => this.pick(this.app.source.epochs[Number(this.range.value)]),
    });
    this.marks = h("div", { class: "rx-marks", "aria-hidden": "true" });
    app.els.find("#epoch-slot").append(this.range, this.marks);
    this.range.addEventListener("keydown", (event) => this.key(event));
    this.play.addEventListener("click", () => this.toggle());
    this.follow.addEventListener("click", () => this.toggleFollow());
    this.player = new Player(app);
    this.speed = dropdown({
      id: "play-speed", label: "Playback speed", options: SPEEDS, pick: (speed) => app.set({ speed }),
    });
    this.play.after(this.speed.node);
  }

  destroy() {
    this.player.stop();
  }

  key(event) {
    if (event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    this.toggle();
  }

  /** @param {number} epoch */
  pick(epoch) {
    this.stop();
    this.app.chooseEpoch(epoch);
  }

  /** One epoch on or back. */
  step(by) {
    const { epochs } = this.app.source;
    const at = epochs.indexOf(this.app.fresh().epoch) + by;
    if (epochs[at] !== undefined) this.pick(epochs[at]);
  }

  get playing() {
    return this.player.playing;
  }

  toggle() {
    if (this.playing) this.stop();
    else this.player.start();
    this.app.dirty();
  }

  stop() {
    this.player.stop();
  }

  toggleFollow() {
    this.stop();
    const { state, now } = this.app;
    this.app.set({ epoch: state.epoch === null && !now.finished ? now.epoch : null });
  }

  render() {
    const { app } = this;
    const { source, now, state } = app;
    const at = source.epochs.indexOf(now.epoch);
    setAttributes(this.range, { max: Math.max(0, source.epochs.length - 1), disabled: source.epochs.length < 2 });
    if (at >= 0) this.range.value = String(at);
    const words = this.words();
    setAttributes(this.range, { "aria-valuetext": `${words.title}, ${words.note}`, "data-value": now.epoch });
    this.range.style.setProperty("--rx-fill", source.epochs.length > 1 ? at / (source.epochs.length - 1) : 1);
    setText(this.label, words.title);
    setText(this.note, words.note);
    setAttributes(this.note, { title: now.hasWeights ? "The weights of this epoch are kept, so it can be measured and cut" : words.note });
    setAttributes(this.label, {
      "data-value": now.epoch, "data-latest": now.latest, "data-best": now.isBest, "data-weights": now.hasWeights,
    });
    this.speed.show(state.speed);
    const following = state.epoch === null && !now.finished;
    setAttributes(this.follow, { "aria-pressed": String(following), hidden: now.finished });
    setAttributes(this.play, {
      "aria-pressed": String(this.playing), "aria-label": this.playing ? "Pause" : "Play all epochs",
      title: this.playing ? "Pause (space)" : "Play all epochs (space)", "data-playing": this.playing,
      disabled: source.epochs.length < 2,
    });
    this.renderMarks();
  }

  /** Which epoch, which it is, and whether its weights can be cut. */
  words() {
    const { source, now } = this.app;
    if (now.epoch === null) return { title: "No epoch yet", note: "" };
    const total = source.run && !now.finished ? source.run.spec.epochs : now.latest;
    const notes = [];
    if (now.epoch === 0) notes.push(source.run?.spec.init ? "as given" : "untrained");
    if (now.isBest) notes.push(now.finished ? (source.run?.recording ? "best" : "best on validation") : "best so far");
    else if (now.epoch === now.latest && now.epoch > 0) notes.push("latest");
    if (!source.run?.recording) notes.push(now.hasWeights ? (now.isBest ? "kept" : "weights kept") : "view only");
    return { title: `Epoch ${now.epoch} of ${total}`, note: notes.join(" · ") };
  }

  /** A tick under the slider for each epoch whose weights are kept. */
  renderMarks() {
    const { source } = this.app;
    const key = `${source.weights} ${source.epochs.length} ${source.bestEpoch}`;
    if (this.marksKey === key) return;
    this.marksKey = key;
    const last = Math.max(1, source.epochs.length - 1);
    this.marks.replaceChildren(...source.weights.map((epoch) => h("i", {
      style: `left: calc(8px + ${source.epochs.indexOf(epoch) / last} * (100% - 16px))`,
      class: epoch === source.bestEpoch ? "rx-mark rx-mark-best" : "rx-mark",
    })));
  }
}
