/** The ratio that meets a target; all but the latency is solved in the browser. */

import { solve } from "../../pruning/targets.js";
import { curvePoints } from "./accuracy.js";
import { selectablePlan } from "./plan.js";

/** @import { Source, State } from "../types.js" */
/** @import { Ranking } from "../../pruning/selection.js" */

/**
 * Points of the curve as `core.solve` takes them.
 * @param {Source} source @param {number} epoch @param {State} state
 */
const pointsOf = (source, epoch, state) =>
  curvePoints(source, epoch, state.scope, state.criterion, state.bias)
    .map((point) => ({ ratio: point.ratio, accuracy: point.accuracy.value }));

/**
 * The ratio that meets what is asked, with what it reaches; null where nothing is asked or only
 * the server can tell. `why` says in words why there is no answer.
 * @param {State} state @param {Source} source @param {Ranking} ranking @param {number} epoch
 */
export function solveTarget(state, source, ranking, epoch) {
  const { target } = state;
  if (!target || target.kind === "latency") return null;
  const plan = selectablePlan(state, source, epoch, { ratio: 0, threshold: null });
  const points = ["accuracy", "drop"].includes(target.kind) ? pointsOf(source, epoch, state) : [];
  const key = JSON.stringify([plan, target, points]);
  if (ranking.solved?.key === key) return ranking.solved.answer;
  let answer;
  try {
    const { kind, value, relative } = target;
    const found = solve(ranking, plan, { kind, value, relative: Boolean(relative) }, points);
    answer = { ratio: found.plan.ratio, reached: found.reached, value: found.value, bound: found.bound };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    answer = { ratio: state.ratio, reached: false, why: error.message };
  }
  ranking.solved = { key, answer };
  return answer;
}

