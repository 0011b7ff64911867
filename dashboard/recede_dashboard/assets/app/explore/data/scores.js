/** Other ways to rank the neurons: their scores are computed by the server, once, on demand. */

import { histogram } from "../../pruning/cost.js";
import { prepare } from "../../pruning/selection.js";
import { jobResult } from "./jobs.js";

/** @import { Histogram, Source, Work } from "../types.js" */
/** @import { Ranking, Shape } from "../../pruning/selection.js" */

export const IMPORTANCE = "importance"; // what every run has: the snapshots themselves
const SETTLE_MS = 300; // scrubbing past an epoch does not queue a job for it
export const BINS = 128;
const MAX_RANKINGS = 32;
const DECADES = 8;

export class Scores {
  /** What was ranked, by "criterion|epoch". @type {Map<string, Ranking>} */ rankings;
  /** @type {Map<string, Work>} */ work;
  /** @type {Map<string, Histogram>} */ binned;
  /** @type {?string} */ wanted = null;

  /** @param {Source} source  the run's data; its `criterion` says which scores are wanted */
  constructor(source) {
    this.source = source;
    this.rankings = new Map();
    this.work = new Map();
    this.binned = new Map();
    this.timer = 0;
  }

  /** @param {number} epoch */
  key(epoch, criterion = this.source.criterion) {
    return `${criterion}|${epoch}`;
  }

  /** The sorted scores of an epoch, or null while they are fetched or computed. @param {number} epoch */
  ranking(epoch) {
    const key = this.key(epoch);
    const known = this.rankings.get(key);
    if (!known && this.wanted !== key) {
      this.wanted = key;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.settled(key, epoch), SETTLE_MS);
    }
    return known || null;
  }

  /** Why there are none yet: {status: "busy"|"failed", progress, error}, or null. @param {number} epoch */
  progress(epoch) {
    return this.work.get(this.key(epoch)) || null;
  }

  /**
   * Still wanted, and a criterion that exists: then it is worth a job.
   * @param {string} key @param {number} epoch
   */
  settled(key, epoch) {
    if (this.wanted !== key || this.key(epoch) !== key) return;
    const known = knownCriteria(this.source);
    if (!known) this.wanted = null;
    else if (known.some((one) => one.name === this.source.criterion)) this.fetch(epoch);
  }

  /** @param {number} epoch */
  async fetch(epoch, criterion = this.source.criterion) {
    const { source } = this;
    const key = this.key(epoch, criterion);
    if (source.offline || this.rankings.has(key) || this.work.get(key)?.status === "busy") return;
    /** @type {Work} */
    const own = { status: "busy", progress: null };
    this.work.set(key, own);
    source.changed();
    try {
      const { job } = await source.ofRun("/scores", { method: "POST", body: { epoch, criterion } });
      if (job) {
        await jobResult(source, job, (progress) => {
          own.progress = progress;
          source.changed();
        });
      }
      const path = `/scores/${epoch}?criterion=${encodeURIComponent(criterion)}`;
      const blob = await source.ofRun(path, { read: "arrayBuffer" });
      this.keep(key, prepare(/** @type {Shape} */ (source.network), new Float32Array(blob), "plain"));
      this.work.delete(key);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.work.set(key, { status: "failed", error });
    }
    source.changed();
  }

  /** After the server came back: what failed for want of an answer is tried again. */
  again() {
    for (const [key, { status, error }] of this.work) {
      if (status === "failed" && error?.status === 0) this.work.delete(key);
    }
    this.wanted = null;
  }

  /** @param {string} key @param {Ranking} ranking */
  keep(key, ranking) {
    this.rankings.set(key, ranking);
    this.binned.clear();
    if (this.rankings.size > MAX_RANKINGS) this.rankings.delete([...this.rankings.keys()][0]);
  }

  /**
   * The scores in bins, over the epochs that are known; null while none is.
   * @param {string} axis @param {?string} layer
   * @returns {?Histogram}
   */
  histogram(axis, layer) {
    const { source } = this;
    const name = `${source.criterion}|${axis}|${layer || ""}`;
    if (!this.binned.has(name)) {
      const own = source.epochs.filter((epoch) => this.rankings.has(this.key(epoch)));
      if (!own.length) return null;
      this.binned.set(name, bin(own.map((epoch) => [epoch, /** @type {Ranking} */ (this.rankings.get(this.key(epoch)))]), axis, layer, source));
    }
    return this.binned.get(name) ?? null;
  }
}

/**
 * Counts on one range over all given epochs: |score| itself, or its decimal logarithm.
 * @param {[number, Ranking][]} ranked @param {string} axis @param {?string} layer @param {Source} source
 * @returns {Histogram}
 */
function bin(ranked, axis, layer, source) {
  const bins = BINS;
  const place = axis === "logit" ? Math.log10 : (value) => value;
  const of = layer ? (source.scored?.groups ?? []).findIndex((group) => group.name === layer) : -1;
  let [least, largest] = [Infinity, 0];
  for (const [, { keys }] of ranked) {
    for (const key of keys) {
      if (key > largest) largest = key;
      if (key > 0 && key < least) least = key;
    }
  }
  const high = axis === "logit" ? Math.ceil(place(largest || 1)) : largest || 1;
  const low = axis === "logit" ? Math.max(high - DECADES, Math.min(high - 1, Math.floor(place(Math.min(least, 1e30))))) : 0;
  const counts = new Uint32Array(ranked.length * bins);
  ranked.forEach(([, { keys, layerOf }], row) => {
    for (let i = 0; i < keys.length; i++) {
      if (of >= 0 && layerOf[i] !== of) continue;
      const at = (Math.min(high, Math.max(low, place(keys[i]))) - low) / (high - low);
      counts[row * bins + Math.min(bins - 1, Math.floor(at * bins))]++;
    }
  });
  const epochs = ranked.map(([epoch]) => epoch);
  return { ...histogram(counts, { bins, low, high, epochs }), label: criterionLabel(source) };
}

/**
 * The catalog's criteria, fetched once for the page; null while they are on their way.
 * @param {Source} source
 */
export function knownCriteria(source) {
  if (!source.criteria && !source.offline) {
    source.once("criteria", async () => {
      const { criteria } = await source.ask("/catalog");
      source.criteria = criteria?.length ? criteria : [{ name: IMPORTANCE, label: "Importance", help: "" }];
    }).then(() => source.changed(), () => {});
  }
  return source.criteria || null;
}

/** Its label. @param {Source} source */
export const criterionLabel = (source) =>
  source.criteria?.find((one) => one.name === source.criterion)?.label || source.criterion;
