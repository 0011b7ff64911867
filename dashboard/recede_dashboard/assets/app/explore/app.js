/** Explore of one run: its choices and data, its panels, one frame at a time. */

import { ratioFor } from "../pruning/selection.js";
import { palette } from "../charts/palette.js";
import { Curve } from "./curve/panel.js";
import { Actions } from "./cut/actions.js";
import { mountCopyMenu } from "./cut/copy_menu.js";
import { FineTune } from "./cut/fine_tune.js";
import { Cut } from "./cut/panel.js";
import { curveAtWork } from "./data/curves.js";
import { Source } from "./data/source.js";
import { Line } from "./distribution/line.js";
import { Distribution } from "./distribution/panel.js";
import { Polarisation } from "./distribution/polarisation.js";
import { mountTools } from "./distribution/scale_switches.js";
import { Scrub } from "./epochs/scrubber.js";
import { listenToKeys } from "./frame/keys.js";
import { buildLayout } from "./frame/layout.js";
import { Messages } from "./frame/messages.js";
import { Layers } from "./layers/list.js";
import { Plans } from "./plans/menu.js";
import { checkChoices, chooseFirstCut } from "./state/check.js";
import { initialState, stateFromUrl, urlOfState } from "./state/choices.js";
import { shownEpoch } from "./state/epoch.js";
import { derive } from "./state/model.js";
import { selectablePlan, stateOfPlan } from "./state/plan.js";
import { Undo } from "./state/undo.js";
import { Views } from "./frame/view_tabs.js";

/** @import { LiveEvent } from "../api/types.js" */
/** @import { Cost } from "../pruning/selection.js" */
/** @import { Blobs } from "./data/blobs.js" */
/** @import { Colours, EpochPlan, Now, Panel, State, Work } from "./types.js" */

const ADDRESS_MS = 180;
const RELEASE_MS = 500; // keys pressed in a row count as one drag
const OF_THE_RUN = ["run", "epoch", "evaluation", "checkpoint", "job", "notice", "curve"];

export class Explore {
  /** @type {Panel[]} */ panels;
  /** @type {Plans} */ plans;
  /** @type {Actions} */ actions;
  /** @type {Distribution} */ distribution;
  /** @type {Scrub} */ scrub;
  /** @type {Blobs} */ blobs;
  /** @type {Views} */ views;
  /** Times of the two waits. @type {number|undefined} */ soon;
  /** @type {number|undefined} */ addressTimer;
  /** The frame that is due, 0 for none. */
  frame = 0;
  /** Counts the colour schemes there were. */
  scheme = 0;
  /** @type {?Colours} */ known = null;
  /** The epoch on its way to the one shown. @type {?{from: number, f: number, line: ?number}} */ motion = null;
  /** @type {?Cost} */ denseCost = null;
  /** Whether the address was compared with the run, and its criterion with the catalog. */
  checked = false;
  checkedCriterion = false;
  /** The checkpoint whose curve gave the first cut. @type {?string} */ defaulted = null;
  gone = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.runId = root.dataset.run ?? "";
    this.path = location.pathname;
    const { patch, refused } = stateFromUrl(location.search);
    /** @type {State} */
    this.state = { ...initialState(), ...patch };
    /** Choices that somebody made. @type {Set<string>} */
    this.given = new Set(Object.keys(patch));
    this.refused = refused;
    /** @type {Work} */
    this.measure = { status: "idle" };
    /** @type {Work} */
    this.prune = { status: "idle" };
    /** @type {?Work} */
    this.latency = null;
    this.now = /** @type {Now} */ ({}); // of no use before the first frame
    this.undo = new Undo(this);
    this.stats = { frames: 0, lastMs: 0, maxMs: 0, modelMs: 0 };
    this.source = new Source(this.runId, () => this.changed());
    this.els = buildLayout(root.querySelector("#explore-mount") || root);
    this.makePanels();
    mountCopyMenu(this);
    mountTools(this);
    this.stops = [listenToKeys(this), this.listen()];
    this.render(); // at once: what needs data cannot be used before it is there
    this.source.refresh();
  }

  makePanels() {
    this.distribution = new Distribution(this);
    this.scrub = new Scrub(this);
    this.actions = new Actions(this);
    this.panels = [
      this.scrub, this.distribution, new Line(this, this.distribution), new Cut(this),
      this.actions, new Curve(this), new Layers(this), (this.plans = new Plans(this)),
      new Polarisation(this), new FineTune(this), new Messages(this),
      new Views(this),
    ];
  }

  /** Live events, colour scheme, the connection; returns how to stop. */
  listen() {
    const stop = new AbortController();
    const options = { signal: stop.signal, capture: true };
    window.addEventListener("recede:event", (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      if (!detail || detail.run_id !== this.runId) return;
      if (detail.type === "progress") this.onProgress(detail);
      else if (detail.type === "plan") this.plans.load();
      else if (OF_THE_RUN.includes(detail.type)) this.source.nudge();
    }, options);
    for (const back of ["recede:online", "online"]) {
      window.addEventListener(back, () => {
        this.source.nudge();
        this.plans.load();
      }, options);
    }
    const scheme = new MutationObserver(() => this.forgetColours());
    scheme.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
    window.matchMedia("(prefers-color-scheme: dark)")
      .addEventListener("change", () => this.forgetColours(), { signal: stop.signal });
    window.addEventListener("resize", () => this.dirty(), options);
    document.fonts?.ready.then(() => this.forgetColours());
    return () => {
      stop.abort();
      scheme.disconnect();
    };
  }

  /** @param {LiveEvent} detail */
  onProgress(detail) {
    const job = curveAtWork(this.source, detail.job_id)?.job;
    if (job) {
      job.progress = detail;
      this.source.nudge();
      this.dirty();
    }
  }

  forgetColours() {
    this.known = null;
    this.scheme = this.scheme + 1;
    this.dirty();
  }

  colours() {
    this.known = this.known || palette(this.els.frame);
    return this.known;
  }

  // ---- choosing ----------------------------------------------------------------------

  /**
   * A choice; of those that make the cut the undo stack keeps what they replace.
   * @param {Partial<State>} patch @param {string} [label]
   */
  set(patch, label) {
    this.undo.note(this.state, patch, label);
    this.assign(patch);
  }

  /** @param {Partial<State>} patch */
  assign(patch) {
    Object.assign(this.state, patch);
    this.address();
    this.dirty();
  }

  /**
   * A choice about the cut; from now on no default replaces it, and a target stays only if it is one.
   * @param {Partial<State>} patch @param {string} [label]
   */
  choose(patch, label) {
    this.given.add("cut");
    const cuts = ["by", "ratio", "threshold"].some((name) => name in patch);
    this.set(cuts && !("target" in patch) ? { ...patch, target: null } : patch, label);
  }

  /** @param {number} epoch */
  chooseEpoch(epoch) {
    if (epoch !== undefined && epoch !== this.state.epoch) this.set({ epoch });
  }

  /** Take a plan over whole, as one step. @param {EpochPlan} plan @param {string} [label] */
  applyPlan(plan, label) {
    this.choose(stateOfPlan(plan), label);
    this.released();
  }

  /** What `core.select` takes for the present choices, with some of them changed. */
  planFor(change) {
    return selectablePlan(this.state, this.source, this.now.epoch, change);
  }

  toGap() {
    const { gap, ranking } = this.now;
    if (gap === null || gap === undefined || !ranking) return;
    if (this.state.scope === "local" && this.state.by === "ratio") {
      this.choose({ ratio: Math.min(0.9999, ratioFor(ranking, this.planFor({}), gap)) });
    } else this.choose({ by: "threshold", threshold: gap });
    this.released();
  }

  toLossless() {
    if (!this.now.lossless) return;
    this.choose({ by: "ratio", ratio: this.now.lossless.ask });
    this.released();
  }

  /** A drag has ended: the next frame is exact, then it may be measured by itself. */
  released() {
    this.undo.close();
    requestAnimationFrame(() => requestAnimationFrame(() => !this.gone && this.actions.released()));
  }

  releasedSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.released(), RELEASE_MS);
  }

  // ---- data --------------------------------------------------------------------------

  changed() {
    checkChoices(this);
    if (this.checked) chooseFirstCut(this);
    this.dirty();
    const epoch = shownEpoch(this.state, this.source);
    if (epoch !== null && this.prefetched !== this.source.epochs.length) {
      this.prefetched = this.source.epochs.length;
      this.source.prefetch(epoch).catch(() => {});
    }
  }

  // ---- drawing -----------------------------------------------------------------------

  dirty() {
    if (!this.frame && !this.gone) this.frame = requestAnimationFrame(() => this.render());
  }

  render() {
    this.frame = 0;
    if (this.gone || !this.root.isConnected) return;
    const from = performance.now();
    this.now = /** @type {Now} */ (derive(this));
    this.stats.modelMs = performance.now() - from;
    if (this.now.solved) this.state.ratio = this.now.plan.ratio; // what was asked for led to it
    for (const panel of this.panels) panel.render();
    this.stats.lastMs = performance.now() - from;
    this.stats.maxMs = Math.max(this.stats.maxMs, this.stats.lastMs);
    this.stats.frames++;
  }

  /** What is shown, with a frame that is still due drawn at once: an action means the newest. */
  fresh() {
    if (this.frame) {
      cancelAnimationFrame(this.frame);
      this.render();
    }
    return this.now;
  }

  /** Write the choices into the address, soon, and only while this page is shown. */
  address() {
    clearTimeout(this.addressTimer);
    this.addressTimer = setTimeout(() => {
      if (this.gone || !this.root.isConnected || location.pathname !== this.path) return;
      const search = urlOfState(location.search, this.state);
      if (search !== location.search) history.replaceState(history.state, "", search + location.hash);
    }, ADDRESS_MS);
  }

  destroy() {
    this.gone = true;
    cancelAnimationFrame(this.frame);
    clearTimeout(this.addressTimer);
    clearTimeout(this.soon);
    this.source.stop();
    this.undo.destroy();
    this.stops.forEach((stop) => stop());
    this.panels.forEach((panel) => panel.destroy?.());
  }
}

