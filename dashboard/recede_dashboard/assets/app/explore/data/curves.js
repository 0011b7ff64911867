/** Accuracy curves of a run, by epoch, scope, criterion and bias: fetched when first looked at. */

/** @import { CurveOut } from "../../api/types.js" */
/** @import { CurvePlace, Source } from "../types.js" */

const MAX_CURVES = 6;
const REST_MS = 350; // an epoch that is only passed by is not asked for
const NAMES = ["epoch", "scope", "criterion", "bias"];
const PLAIN = { criterion: "importance", bias: "drop" };

/** @param {any} curve @param {any} place */
const matches = (curve, place) =>
  Boolean(curve) && NAMES.every((name) => (curve[name] ?? PLAIN[name]) === place[name]);

const keyOf = (/** @type {any} */ place) => `curve ${NAMES.map((name) => place[name]).join("|")}`;

/**
 * What is known of one curve, or null while it is fetched or where there is no epoch yet.
 * @param {Source} source @param {CurvePlace} place
 */
export function curveOf(source, place) {
  if (place.epoch === null || place.epoch === undefined) return null;
  if (matches(source.curve, place)) return source.curve;
  const known = source.curveMap.get(keyOf(place));
  if (!known && source.curve && !source.offline) {
    soon(source, place);
  }
  return known || null;
}

/**
 * Fetch a curve once its epoch is rested on: scrubbing asks for nothing.
 * @param {Source} source @param {CurvePlace} place
 */
function soon(source, place) {
  const waiting = source.curvesWaiting;
  for (const [key, other] of waiting) {
    if (other.epoch === place.epoch) continue;
    clearTimeout(other.timer);
    waiting.delete(key);
  }
  const key = keyOf(place);
  if (waiting.has(key)) return;
  const timer = setTimeout(() => {
    waiting.delete(key);
    load(source, place).then(() => source.changed(), () => {});
  }, REST_MS);
  waiting.set(key, { timer, epoch: place.epoch });
}

/** @param {Source} source @param {CurvePlace} place */
function load(source, place) {
  const key = keyOf(place);
  return source.once(key, async () => {
    const query = new URLSearchParams(/** @type {any} */ (place));
    const curve = await source.ofRun(`/curve?${query}`);
    source.curveMap.delete(key); // at the end of the order: the latest is dropped last
    source.curveMap.set(key, curve);
    if (source.curveMap.size > MAX_CURVES) source.curveMap.delete([...source.curveMap.keys()][0]);
    remember(source, curve);
  });
}

/** The run's own curve, and again those that were looked at. @param {Source} source */
export async function reloadCurves(source) {
  source.curve = await source.ofRun("/curve");
  remember(source, source.curve);
  const others = [...(source.curveMap.values())];
  await Promise.all(others.map((curve) =>
    load(source, /** @type {any} */ (Object.fromEntries(Object.entries(curve).filter(([name]) => NAMES.includes(name)))))));
}

/**
 * Whole measurements are found again by their kept channels.
 * @param {Source} source @param {CurveOut} curve
 */
function remember(source, curve) {
  for (const point of curve.points) {
    if (point.accuracy.kind === "measured") source.remember({ ...point, on_curve: true });
  }
  const { epoch, scope, criterion, bias } = curve;
  for (const { value, ...one } of curve.values) {
    const accuracy = { kind: /** @type {const} */ ("measured"), value, low: value, high: value, n: 0, n_split: 0, split_low: value, split_high: value };
    source.remember({ ...one, epoch, scope, criterion, bias, digest: `at ${one.ask}`, accuracy, on_curve: true });
  }
}

/**
 * Its points by ratio, each with `ask`, `ratio`, `accuracy` and `cost`.
 * @param {Source} source @param {CurvePlace} place
 */
export const pointsOfCurve = (source, place) => curveOf(source, place)?.points || [];

/** The one that is being measured, of those that are known. @param {Source} source @param {number} [jobId] */
export function curveAtWork(source, jobId) {
  const all = [source.curve, ...(source.curveMap.values())];
  return all.find((curve) => curve?.job && (jobId === undefined || curve.job.id === jobId)) || null;
}
