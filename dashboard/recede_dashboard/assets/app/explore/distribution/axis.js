/** The importance axis (linear or logit) and the count axis of the distribution: scales and ticks. */

import { importance } from "../../pruning/selection.js";
import { niceStep } from "../../charts/arithmetic.js";

/** @import { Histogram } from "../types.js" */

const SUPERSCRIPT = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶" };
const LOGIT_TICKS = [1e-5, 1e-4, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999];
const SNAP = 3; // the visible part of ±12 grows in such steps, so that the axis stands still

const powerOfTen = (k) => `10${[...String(k)].map((c) => SUPERSCRIPT[c]).join("")}`;

/** First and last bin that any epoch uses, as values of the axis. @param {Histogram} histogram */
function used(histogram) {
  const { counts, bins, low, high } = histogram;
  let [first, last] = [bins, 0];
  counts.forEach((count, i) => {
    if (!count) return;
    first = Math.min(first, i % bins);
    last = Math.max(last, i % bins);
  });
  const at = (bin) => low + (bin / bins) * (high - low);
  return first > last ? [0, 0] : [at(first), at(last + 1)];
}

/**
 * The part that is drawn: fixed over all epochs, so that nothing jumps while scrubbing.
 * @param {Histogram} histogram @param {string} name
 */
function visible(histogram, name, scale) {
  const { low, high } = histogram;
  if (name === "sigma") return [low, high];
  const [first, last] = used(histogram);
  if (scale === "plain") {
    return [Math.max(low, Math.min(-3, Math.floor(first))), Math.min(high, Math.max(0, Math.ceil(last)))];
  }
  /** @param {number} value */
  const outward = (value, round) => SNAP * round(value / SNAP);
  return [
    Math.max(low, Math.min(-6, outward(first, Math.floor))),
    Math.min(high, Math.max(6, outward(last, Math.ceil))),
  ];
}

/** @param {string} name @param {number} low @param {number} high */
function ticksOf(name, scale, low, high) {
  if (name === "logit" && scale !== "plain") {
    return LOGIT_TICKS.map((value) => ({
      at: Math.log(value / (1 - value)),
      text: value < 0.001 ? powerOfTen(Math.round(Math.log10(value))) : String(value),
    })).filter((tick) => tick.at > low && tick.at < high);
  }
  if (name === "logit") {
    const first = Math.ceil(low);
    return Array.from({ length: Math.floor(high) - first + 1 }, (_, i) => first + i)
      .map((k) => ({ at: k, text: k < -2 ? powerOfTen(k) : String(10 ** k) }));
  }
  const step = niceStep(high - low, 6);
  const count = Math.floor((high - low) / step + 1e-9) + 1;
  return Array.from({ length: count }, (_, i) => low + i * step)
    .map((at) => ({ at, text: String(Number(at.toPrecision(6))) }));
}

/** The axis begins with a bin that gathers all that is smaller: its tick says so. @param {number} low */
function atLeast(ticks, low) {
  if (!ticks.length || ticks[0].at - low > 1) return;
  ticks[0] = { at: low, text: `≤ ${ticks[0].text}` };
}

/** @param {string} name @param {string} label */
function titleOf(name, scale, label) {
  const what = label ? `score: ${label}` : scale === "plain" ? "importance |γ|" : "importance σ(w)";
  if (name === "sigma") return `${what}, linear scale`;
  return `${what}, ${scale === "plain" ? "log" : "logit"} scale`;
}

/**
 * A number that could have been typed: three digits of it, or of what is missing to 1.
 * @param {number} value
 */
function tidy(value, scale) {
  if (scale === "plain" || value <= 0.5) return Number(value.toPrecision(3));
  return Number((1 - Number((1 - value).toPrecision(3))).toFixed(9));
}

/**
 * The horizontal axis.
 * @param {Histogram} histogram  of all layers: a layer is drawn on the same axis
 * @param {string} name  "sigma" or "logit"
 * @param {"bounded"|"plain"} scale
 */
export function importanceAxis(histogram, name, scale) {
  histogram.axis = histogram.axis || makeAxis(histogram, name, scale);
  return histogram.axis;
}

/** @param {Histogram} histogram @param {string} name */
function makeAxis(histogram, name, scale) {
  const [low, high] = visible(histogram, name, scale);
  const logit = name === "logit";
  /** Importance → place on the axis, not clipped. @param {number} value */
  function place(value) {
    if (!logit) return value;
    if (value <= 0) return -Infinity;
    if (scale === "plain") return Math.log10(value);
    return value >= 1 ? Infinity : Math.log(value / (1 - value));
  }
  /** Place on the axis → importance; the left end means 0, so that nothing is removed. */
  function valueAt(at) {
    if (at <= low) return 0;
    if (!logit) return tidy(at, scale);
    if (scale === "plain") return tidy(10 ** at, scale);
    return at >= high && high >= 12 ? 1 : tidy(importance(at, scale), scale);
  }
  /** Raw scale → bin of the histogram, as the server counts. */
  function binOf(raw) {
    const value = logit && scale !== "plain" ? raw : place(importance(raw, scale));
    const clipped = Math.min(histogram.high, Math.max(histogram.low, value));
    const share = (clipped - histogram.low) / (histogram.high - histogram.low);
    return Math.min(histogram.bins - 1, Math.floor(share * histogram.bins));
  }
  const ticks = ticksOf(name, scale, low, high);
  if (logit && low === histogram.low) atLeast(ticks, low);
  return { low, high, place, valueAt, binOf, ticks, title: titleOf(name, scale, histogram.label) };
}

const COUNT_SCALES = {
  sqrt: { f: Math.sqrt, title: "neurons per bin, square-root scale" },
  linear: { f: (count) => count, title: "neurons per bin, linear scale" },
  log: { f: Math.log1p, title: "neurons per bin, log(1 + n) scale" },
};

/**
 * The vertical axis up to `max`: share of the height for a count, and ticks that keep apart.
 * @param {string} name @param {number} height
 */
export function countAxis(name, max, height) {
  const { f, title } = COUNT_SCALES[name];
  const top = f(max) * 1.06;
  /** @param {number} count */
  const share = (count) => f(count) / top;
  const steps = [];
  for (let unit = 1; unit <= max; unit *= 10) steps.push(unit, 2 * unit, 5 * unit);
  const ticks = [0];
  for (const step of steps.filter((one) => one <= max).reverse()) {
    const apart = ticks.every((tick) => Math.abs(share(tick) - share(step)) * height >= 20);
    if (apart) ticks.push(step);
  }
  return { share, ticks, title };
}
