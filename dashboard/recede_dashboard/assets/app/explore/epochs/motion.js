/** Playing the epochs: between two of them the picture moves at the rate of the screen. */

/** @import { Explore, Histogram } from "../types.js" */

const PLAY_MS = 6000; // for all epochs at speed 1, but
const EPOCH_MS = [30, 700]; // one epoch is shown no shorter and no longer than this
const STILL_MS = 1000; // an epoch, where reduced motion is preferred

const reduced = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/**
 * Plays from the epoch that is shown. While it runs, `app.motion` is {from, f, line}: the picture
 * is on its way from epoch `from` to the shown one, `f` of the way (0 to 1); `line` is where the
 * threshold stood at `from`.
 */
export class Player {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.frame = 0;
  }

  get playing() {
    return this.frame !== 0;
  }

  start() {
    const { app } = this;
    const { epochs } = app.source;
    if (this.playing || epochs.length < 2) return;
    const at = epochs.indexOf(app.fresh().epoch);
    this.place = at < 0 || at === epochs.length - 1 ? 0 : at;
    if (this.place !== at) app.set({ epoch: epochs[0] });
    this.last = null;
    this.frame = requestAnimationFrame((time) => this.tick(time));
  }

  tick(time) {
    const { app } = this;
    const { epochs } = app.source;
    const passed = this.last === null ? 0 : Math.min(100, time - this.last);
    this.last = time;
    const still = reduced();
    const pace = still ? STILL_MS : Math.min(EPOCH_MS[1], Math.max(EPOCH_MS[0], PLAY_MS / epochs.length));
    this.place += (passed * Number(app.state.speed)) / pace;
    if (this.place >= epochs.length - 1) return this.end();
    this.frame = requestAnimationFrame((next) => this.tick(next));
    const index = still ? Math.floor(this.place) : Math.floor(this.place) + 1;
    this.show(epochs[index], still ? null : epochs[index - 1]);
    return undefined;
  }

  /** @param {number} epoch */
  show(epoch, from) {
    const { app } = this;
    const moved = epoch !== app.state.epoch;
    if (from === null) app.motion = null;
    else if (!app.motion || app.motion.from !== from) app.motion = { from, f: 0, line: app.now.line ?? null };
    if (app.motion) app.motion.f = this.place - Math.floor(this.place);
    if (moved) app.assign({ epoch });
    else if (from !== null && !app.frame) app.panels.forEach((panel) => panel.move?.());
  }

  /** At the last epoch; of a run that goes on, the newest is followed from here. */
  end() {
    const { app } = this;
    this.stop();
    app.assign({ epoch: app.now.finished ? app.source.epochs[app.source.epochs.length - 1] : null });
  }

  stop() {
    if (!this.playing) return;
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.app.motion = null;
    this.app.dirty();
  }
}

/**
 * Counts of the shown epoch, or what lies between it and the one before while it is played.
 * @param {Explore} app @param {Histogram} histogram
 */
export function movingRow(app, histogram) {
  const { motion, now } = app;
  const to = histogram.row.get(now.epoch);
  const from = motion && motion.f < 1 ? histogram.row.get(motion.from) : null;
  if (!from || !to) return to;
  return Float32Array.from(to, (count, i) => from[i] + (count - from[i]) * motion.f);
}

/**
 * A place on the axis on its way between two; where one of them is unknown, the other.
 * @param {Explore} app
 */
export function movingPlace(app, axis, from, to) {
  if (to === null || to === undefined) return null;
  const end = axis.place(to);
  if (!app.motion || from === null || from === undefined) return end;
  const clip = (at) => Math.min(axis.high, Math.max(axis.low, at));
  return clip(axis.place(from)) + (clip(end) - clip(axis.place(from))) * app.motion.f;
}

/** Where the threshold stands in the picture, as a place on the axis, or null. @param {Explore} app */
export const linePlace = (app, axis) => movingPlace(app, axis, app.motion?.line, app.now.line);
