/** What a run does, in words: its state, its progress, how long ago and how much longer. */

import * as format from "./numbers.js";

/** How an accuracy was measured. @param {{low: number, high: number, n: number, split: string}|null} accuracy */
export function accuracyTitle(accuracy) {
  if (!accuracy) return "";
  const { low, high, n } = accuracy;
  const split = accuracy.split === "test" ? "test" : "validation";
  return `Measured on ${format.integer(n)} ${split} images; 95 % interval ${format.interval(low, high, n)}`;
}

/**
 * The metric of a training elsewhere at its best epoch: "0.913", "31.2 dB"; nothing if it has none.
 * @param {any} run
 */
export function bestMetric(run) {
  const { metric, best_value: value } = run.recording;
  return !metric || value === null ? format.NOTHING : metricValue(value, metric);
}

/** A value of such a metric: "0.913", "31.2 dB". @param {number} value @param {{unit: string}} metric */
export function metricValue(value, metric) {
  return [value.toPrecision(4), metric.unit].filter(Boolean).join(format.THIN);
}

/** A rough time to go, that does not change with every batch. @param {number} seconds */
export function remaining(seconds) {
  if (seconds < 10) return "seconds left";
  if (seconds < 90) return `${Math.round(seconds / 5) * 5}${format.THIN}s left`;
  if (seconds < 5400) return `${Math.round(seconds / 60)}${format.THIN}min left`;
  return `${(seconds / 3600).toFixed(1)}${format.THIN}h left`;
}

/** How long ago a moment was. @param {number} at seconds since 1970 */
export function age(at) {
  const seconds = Date.now() / 1000 - at;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))}${format.THIN}min`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)}${format.THIN}h`;
  return `${Math.round(seconds / 86400)}${format.THIN}d`;
}

/** A number with three significant digits. @param {number|null|undefined} value */
export function significant(value) {
  if (value === null || value === undefined) return format.NOTHING;
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return format.integer(value);
  return size > 0 && size < 1e-3 ? value.toExponential(1) : value.toPrecision(3);
}

/**
 * What a run does just now: a key for its icon and the words for it.
 * @param {any} run
 * @returns {{key: string, text: string, more?: string}}
 */
export function runState(run) {
  if (run.cancel_requested_at && ["queued", "running"].includes(run.state)) {
    return { key: "cancelling", text: "Cancelling…" };
  }
  if (run.state === "running" && run.stalled_s !== null && run.stalled_s !== undefined) {
    const last = `last epoch ${run.epochs_done}`;
    return { key: "stalled", text: `Stalled ${format.duration(run.stalled_s)}`, more: last };
  }
  if (run.state === "queued") {
    const place = run.queue_position;
    const text = Number.isInteger(place) ? `${format.ordinal(place)} in queue` : "Queued";
    return { key: "queued", text };
  }
  /** @type {Record<string, string>} */
  const words = { running: "Running", succeeded: "Finished", failed: "Failed", cancelled: "Cancelled" };
  return { key: run.state, text: words[run.state] || run.state };
}

/** Share done in [0, 1], from epochs and the batch of the present one. @param {any} run */
export function shareDone(run) {
  const { progress } = run;
  if (!run.spec.epochs) return run.state === "succeeded" ? 1 : 0;
  const within = run.state === "running" && progress?.batches && progress.epoch > run.epochs_done;
  const part = within ? progress.batch / progress.batches : 0;
  return Math.min(1, (run.epochs_done + part) / run.spec.epochs);
}
