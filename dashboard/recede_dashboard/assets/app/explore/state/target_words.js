/** Targets of a cut in words. */

import * as format from "../../format/numbers.js";

/** @import { Target } from "../types.js" */

export const TARGET_NAMES = {
  macs: "MACs", params: "parameters", bytes: "file size", accuracy: "accuracy", drop: "drop", latency: "latency",
};
export const TARGET_LABELS = { ...TARGET_NAMES, params: "Parameters", bytes: "File size", accuracy: "Accuracy", drop: "Drop", latency: "Latency" };
const ATLEAST = ["accuracy"];

/** 0.005 → "0.5 points"; digits as they were given. @param {number} value */
export const plainNumber = (value) => String(Number(value.toPrecision(12)));

/** @param {number} value */
const points = (value) => `${plainNumber(100 * value)} ${plainNumber(100 * value) === "1" ? "point" : "points"}`;

/** A value of a kind with its unit. @param {Target} target */
export function targetAmount({ kind, value, relative, batch }) {
  const { compact, bytes, THIN } = format;
  if (kind === "latency") return `${plainNumber(value)}${THIN}ms at batch ${batch || 1}`;
  if (kind === "drop") return points(value);
  if (kind === "accuracy" || relative) return `${plainNumber(100 * value)}${THIN}%`;
  return kind === "bytes" ? bytes(value) : compact(value);
}

/** "MACs ≤ 40 %". @param {Target} target */
export const targetWords = (target) => `${TARGET_NAMES[target.kind]} ${ATLEAST.includes(target.kind) ? "≥" : "≤"} ${targetAmount(target)}`;

