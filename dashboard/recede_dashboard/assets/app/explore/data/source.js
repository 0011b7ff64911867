/** What Explore knows of a run from the API: fetched once, refreshed when the run goes on. */

import { histogram } from "../../pruning/cost.js";
import { prepare } from "../../pruning/selection.js";
import { readArray } from "../../api/arrays.js";
import { ApiError, request } from "../../api/client.js";
import { curveAtWork, reloadCurves } from "./curves.js";
import { BINS, IMPORTANCE, Scores } from "./scores.js";

/** @import { Criterion, CurveOut, Epoch, EpochPolarisation, Known, Run } from "../../api/types.js" */
/** @import { Plan, Ranking, Shape } from "../../pruning/selection.js" */
/** @import { Histogram } from "../types.js" */

const POLL_MS = 4000; // safety net beside the live events
const RETRY_MS = [1000, 2000, 4000, 8000];
const PREFETCH_BYTES = 6e6; // all snapshots at once up to here, otherwise on demand
const RANKING_BYTES = 5e7; // of sorted snapshots that are kept
const BYTES_A_NEURON = 24;
const BUSY_MS = 500; // a page that is busy for longer still gets on with what it fetches ahead
const REST_MS = 120; // a scrub passes many epochs and asks for the one it comes to rest on

/** Wait until the page has nothing better to do. @returns {Promise<any>} */
const idle = () => new Promise((done) => (
  window.requestIdleCallback ? requestIdleCallback(done, { timeout: BUSY_MS }) : setTimeout(done)
));

export class Source {
  /** @type {?Run} */ run = null;
  /** @type {?Shape} */ network = null;
  /** The network with scores that rank as plain |score|. @type {?Shape} */ asPlain = null;
  /** Stored epochs, and those whose weights are kept. @type {number[]} */ epochs = [];
  /** @type {number[]} */ weights = [];
  /** @type {?number} */ bestEpoch = null;
  /** By epoch. @type {Map<number, Epoch>} */ metrics = new Map();
  /** By epoch. @type {Map<number, EpochPolarisation>} */ polarisation = new Map();
  /** Fields of a polarisation, in words. @type {Record<string, string>} */ definitions = {};
  /** By "axis|layer". @type {Map<string, Histogram>} */ histograms = new Map();
  /** By epoch. @type {Map<number, Ranking>} */ rankings = new Map();
  /** Epoch → why its snapshot cannot be used. @type {Map<number, string>} */ broken = new Map();
  /** The curve of the run itself. @type {?CurveOut} */ curve = null;
  /** Other curves, and those whose epoch is not rested on yet. @type {Map<string, CurveOut>} */ curveMap = new Map();
  /** @type {Map<string, {timer: number, epoch: ?number}>} */ curvesWaiting = new Map();
  /** By "epoch:digest". @type {Map<string, Known>} */ evaluations = new Map();
  /** The same by a metric that counts no images. @type {Map<string, Known>} */ values = new Map();
  /** The catalog's ways to rank, once they were asked for. @type {?Criterion[]} */ criteria = null;
  /** @type {any} */ error = null;
  /** Requests under way. @type {Map<string, Promise<any>>} */ pending = new Map();
  /** @type {?number} */ resting = null;
  /** @type {number|undefined} */ restTimer;
  /** @type {number|undefined} */ timer;

  /** @param {string} runId @param {() => void} changed */
  constructor(runId, changed) {
    this.runId = runId;
    this.changed = changed;
    this.criterion = IMPORTANCE; // what ranks the neurons now
    this.scores = new Scores(this);
    this.offline = false;
    this.loaded = false;
    this.stopped = new AbortController();
    this.failures = 0;
    this.nudged = 0;
  }

  /**
   * One request; raises ApiError. `read` says how: "json", "arrayBuffer" or "response".
   * @param {string} path
   * @param {{method?: string, body?: object, read?: "json"|"arrayBuffer"|"text"|"response"}} [options]
   * @returns {Promise<any>}
   */
  async ask(path, { method, body, read = "json" } = {}) {
    try {
      const answer = await request(path, { method, body, signal: this.stopped.signal });
      return read === "response" ? answer : await answer[read]();
    } catch (error) {
      if (error.name === "AbortError" || error.status > 0) throw error;
      this.lost();
      throw error instanceof ApiError ? error : new ApiError({ message: "The server does not answer." }, 0);
    }
  }

  /** The network; the scores of a criterion of their own rank as plain |score|. */
  get shape() {
    return this.criterion === IMPORTANCE ? this.network : this.scored;
  }

  get scored() {
    if (!this.asPlain && this.network) this.asPlain = { ...this.network, scale: /** @type {const} */ ("plain") };
    return this.asPlain || null;
  }

  /** A request about this run. @param {string} path @param {{method?: string, body?: object, read?: "json"|"arrayBuffer"|"text"|"response"}} [options] */
  ofRun(path, options) {
    return this.ask(`/runs/${encodeURIComponent(this.runId)}${path}`, options);
  }

  /**
   * Several callers, one request: while one is under way, the same is not asked again.
   * @param {string} key @param {() => Promise<any>} ask
   */
  once(key, ask) {
    if (!this.pending.has(key)) {
      this.pending.set(key, ask().finally(() => this.pending.delete(key)));
    }
    return this.pending.get(key);
  }

  /** Fetch what is new; never rejects: what is wrong is kept in `offline` and `error`. */
  refresh() {
    return this.once("refresh", async () => {
      try {
        await this.load();
        [this.failures, this.error] = [0, null];
        if (this.offline) {
          this.offline = false;
          this.scores.again();
        }
      } catch (error) {
        if (error.name === "AbortError") return;
        if (error.status !== 0) this.error = error;
      }
      this.loaded = true;
      this.changed();
      this.schedule();
    });
  }

  async load() {
    const [run, stored] = await Promise.all([this.ofRun(""), this.ofRun("/snapshots")]);
    const grown = stored.epochs.length !== this.epochs.length || !this.histograms.size;
    this.run = run;
    this.weights = stored.weights;
    this.bestEpoch = stored.best_epoch;
    // A queued run has no network yet; the first snapshot comes after it.
    /** @type {Promise<any>[]} */
    const parts = [this.loadCurve()];
    if (run.recording) parts.push(this.loadEvaluations());
    if (stored.epochs.length && !this.network) parts.push(this.loadNetwork());
    if (stored.epochs.length && grown) {
      parts.push(this.loadMetrics(), this.loadPolarisation(), this.loadHistograms());
    }
    await Promise.all(parts);
    this.epochs = stored.epochs; // last: whoever sees an epoch has its histogram
  }

  async loadNetwork() {
    this.network = await this.ofRun("/network");
  }

  async loadMetrics() {
    const after = Math.max(-1, ...this.metrics.keys());
    const { items } = await this.ofRun(`/epochs?after=${after}`);
    for (const item of items) this.metrics.set(item.epoch, item);
  }

  async loadPolarisation() {
    const { items, definitions } = await this.ofRun("/polarisation?layers=true");
    for (const item of items) this.polarisation.set(item.epoch, item);
    this.definitions = definitions;
  }

  loadHistograms() {
    const wanted = new Set(["logit|", "sigma|", ...this.histograms.keys()]);
    return Promise.all([...wanted].map((key) => this.fetchHistogram(key.split("|")[0], key.split("|")[1])));
  }

  /** @param {string} axis @param {string} layer "" for all */
  async fetchHistogram(axis, layer) {
    const query = `bins=${BINS}&axis=${axis}${layer ? `&layer=${encodeURIComponent(layer)}` : ""}`;
    const counted = await readArray(Uint32Array)(await this.ofRun(`/histograms?${query}`, { read: "response" }));
    const { values, shape: [, bins], epochs, low, high } = counted;
    this.histograms.set(`${axis}|${layer}`, histogram(values, { bins, low, high, epochs }));
  }

  /** The histogram, or null while it is fetched. @param {string} axis @param {?string} layer */
  histogram(axis, layer) {
    if (this.criterion !== IMPORTANCE) return this.scores.histogram(axis, layer);
    const key = `${axis}|${layer || ""}`;
    const known = this.histograms.get(key);
    if (!known && this.shape && this.epochs.length && !this.offline) {
      this.once(key, () => this.fetchHistogram(axis, layer || ""))
        .then(() => this.changed(), () => {});
    }
    return known || null;
  }

  /** The sorted snapshot of an epoch, or null while it is fetched. @param {?number} epoch */
  ranking(epoch) {
    if (this.criterion !== IMPORTANCE) return epoch === null ? null : this.scores.ranking(epoch);
    const known = this.rankings.get(epoch);
    if (known) return known;
    if (epoch !== null && this.shape && !this.broken.has(epoch) && !this.offline) this.rest(epoch);
    return null;
  }

  /** The sorted scores of an epoch if they are here. @param {number} epoch */
  known(epoch) {
    if (this.criterion === IMPORTANCE) return this.rankings.get(epoch) || null;
    return this.scores.rankings.get(this.scores.key(epoch)) || null;
  }

  /**
   * Fetch the snapshot of an epoch that is still wanted in a moment; the very first at once.
   * @param {number} epoch
   */
  rest(epoch) {
    if (this.resting === epoch) return;
    clearTimeout(this.restTimer);
    this.resting = epoch;
    this.restTimer = setTimeout(() => {
      this.resting = null;
      if (!this.stopped.signal.aborted) this.fetchSnapshot(epoch).then(() => this.changed(), () => {});
    }, this.rankings.size ? REST_MS : 0);
  }

  /**
   * The sorted scores that a plan ranks by, fetched or computed first where need be.
   * @param {Plan} plan @param {number} epoch
   */
  async rankingOf({ criterion = IMPORTANCE }, epoch) {
    if (criterion !== IMPORTANCE) {
      await this.scores.fetch(epoch, criterion);
      return this.scores.rankings.get(this.scores.key(epoch, criterion)) || null;
    }
    if (!this.rankings.has(epoch)) await this.fetchSnapshot(epoch);
    return this.rankings.get(epoch) || null;
  }

  /** @param {number} epoch */
  fetchSnapshot(epoch) {
    return this.once(`snapshot ${epoch}`, async () => {
      if (this.rankings.has(epoch)) return; // it came while this was waited for
      const blob = await this.ofRun(`/snapshots/${epoch}`, { read: "arrayBuffer" });
      try {
        this.rankings.set(epoch, prepare(/** @type {Shape} */ (this.network), new Float32Array(blob)));
      } catch (error) {
        this.broken.set(epoch, error.message);
      }
      if (this.rankings.size > this.mostRankings) this.rankings.delete([...this.rankings.keys()][0]);
    });
  }

  get neurons() {
    return this.network?.groups.reduce((sum, group) => sum + group.size, 0) || 0;
  }

  get mostRankings() {
    return Math.max(8, Math.floor(RANKING_BYTES / (BYTES_A_NEURON * this.neurons)));
  }

  /**
   * Fetch the small snapshots of all epochs, one after the other, nearest to `epoch` first.
   * @param {number} epoch
   */
  async prefetch(epoch) {
    const size = 4 * this.neurons;
    if (!size || this.offline || size * this.epochs.length > PREFETCH_BYTES) return;
    const near = [...this.epochs].sort((a, b) => Math.abs(a - epoch) - Math.abs(b - epoch));
    for (const one of near.slice(0, this.mostRankings)) {
      if (this.rankings.has(one) || this.broken.has(one)) continue;
      await idle();
      if (this.stopped.signal.aborted) return;
      await this.fetchSnapshot(one);
    }
  }

  /** Cuts that were measured elsewhere, whoever asked for them: there they cannot be asked for at any time. */
  async loadEvaluations() {
    let after = "";
    do {
      const page = await this.ofRun(`/evaluations?limit=200${after}`);
      for (const one of page.items) this.remember(one);
      after = page.next ? `&cursor=${encodeURIComponent(page.next)}` : "";
    } while (after);
  }

  loadCurve() {
    return reloadCurves(this);
  }

  /** Keep what was measured, to be found again by its kept channels. @param {Known} evaluation */
  remember(evaluation) {
    const known = evaluation.accuracy.n ? this.evaluations : this.values;
    known.set(`${evaluation.epoch}:${evaluation.digest}`, evaluation);
  }

  /** Something is still going on that can change what is shown. */
  get active() {
    return !this.run || ["queued", "running"].includes(this.run.state) || Boolean(curveAtWork(this));
  }

  lost() {
    if (!this.offline) {
      this.offline = true;
      this.changed();
    }
    this.schedule();
  }

  schedule() {
    clearTimeout(this.timer);
    if (this.stopped.signal.aborted || !(this.offline || this.active)) return;
    const wait = this.offline ? RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)] : POLL_MS;
    this.timer = setTimeout(() => this.refresh(), wait);
  }

  /** Refresh soon: many events in a row cost one refresh, and none is missed. */
  nudge() {
    if (this.nudged) return;
    this.nudged = setTimeout(async () => {
      await this.pending.get("refresh");
      this.nudged = 0;
      this.refresh();
    }, 120);
  }

  stop() {
    this.stopped.abort();
    for (const timer of [this.timer, this.nudged, this.restTimer]) clearTimeout(timer);
  }
}
