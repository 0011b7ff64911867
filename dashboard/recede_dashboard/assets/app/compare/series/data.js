/** What Compare knows of its runs: fetched side by side, each with what is missing in words. */

import { prepare } from "../../pruning/selection.js";
import { api, request } from "../../api/client.js";

/** The answer, or null where there is none of it (yet). */
async function optional(ask) {
  try {
    return await ask;
  } catch (error) {
    if ([404, 409].includes(error.status)) return null;
    throw error;
  }
}

async function snapshot(id, epoch) {
  const answer = await optional(request(`/runs/${id}/snapshots/${epoch}`));
  return answer ? new Float32Array(await answer.arrayBuffer()) : null;
}

/** The points of a curve, ascending, with the ratio that each was asked for. */
function pointsOf(curve) {
  const points = (curve?.points || []).map((one) => ({ ...one, ask: one.ask ?? one.plan.ratio }));
  return points.sort((a, b) => a.ratio - b.ratio || a.ask - b.ask);
}

/** Cuts that were measured on the whole split, at the epoch of the curve. */
async function singlesOf(id, epoch) {
  if (epoch === null) return [];
  const page = await optional(api("GET", `/runs/${id}/evaluations?epoch=${epoch}`));
  return page ? page.items.filter((one) => one.accuracy.n) : [];
}

/** One run with its curve and the importances of the curve's epoch; raises ApiError. */
async function load(id) {
  const run = await api("GET", `/runs/${encodeURIComponent(id)}`);
  const [curve, shape, stored] = await Promise.all([
    optional(api("GET", `/runs/${id}/curve`)),
    optional(api("GET", `/runs/${id}/network`)),
    optional(api("GET", `/runs/${id}/snapshots`)),
  ]);
  const epochs = stored?.epochs || [];
  const epoch = curve?.epoch ?? stored?.best_epoch ?? epochs[epochs.length - 1] ?? null;
  const raw = shape && epoch !== null ? await snapshot(id, epoch) : null;
  return {
    run, shape, epoch, points: pointsOf(curve), measuring: Boolean(curve?.job),
    singles: await singlesOf(id, curve?.epoch ?? null),
    ranking: raw && raw.every(Number.isFinite) ? prepare(shape, raw) : null,
    scope: curve?.scope || curve?.points.find((one) => one.plan?.ratio > 0)?.plan.scope || "global",
  };
}

/** All that could be had, and for each of the others why not. */
export async function loadRuns(ids) {
  const settled = await Promise.allSettled(ids.map(load));
  const found = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const missing = settled.flatMap((one, i) =>
    (one.status === "rejected" ? [{ id: ids[i], message: one.reason.message }] : []));
  return { found, missing };
}
