/** What the address asked for but the run does not have, and the cut that nobody chose. */

import { IMPORTANCE, knownCriteria } from "../data/scores.js";
import { losslessOf } from "./accuracy.js";
import { shownEpoch } from "./epoch.js";

/** @import { Explore, Source, State } from "../types.js" */

/**
 * Once the run is known: refuse in words what it does not have, and go on without it.
 * @param {Explore} app
 */
export function checkChoices(app) {
  const { source, state, refused } = app;
  if (!app.checked && source.loaded && source.epochs.length && source.network) {
    app.checked = true;
    checkEpoch(source, state, refused);
    checkLayers(source, state, refused);
    checkBias(source, state, refused);
  }
  if (app.checked && !app.checkedCriterion) checkCriterion(app);
}

/** @param {Source} source @param {State} state @param {string[]} refused */
function checkEpoch({ epochs }, state, refused) {
  if (state.epoch === null || epochs.includes(state.epoch)) return;
  refused.push(`epoch=${state.epoch} (available: ${epochs[0]} to ${epochs[epochs.length - 1]})`);
  state.epoch = null;
}

/** @param {Source} source @param {State} state @param {string[]} refused */
function checkLayers({ network, run }, state, refused) {
  const names = network.groups.map((group) => group.name);
  const shield = run.protected || [];
  if (state.layer && !names.includes(state.layer)) {
    refused.push(`layer=${state.layer} (no such layer)`);
    state.layer = null;
  }
  const unknown = state.locks.filter((name) => !names.includes(name));
  if (unknown.length) refused.push(`lock=${unknown.join(",")} (no such layer)`);
  state.locks = state.locks.filter((name) => names.includes(name));
  for (const [name, ratio] of Object.entries(state.overrides)) {
    const why = !names.includes(name) ? "no such layer" : shield.includes(name) ? "that layer is always kept in this run" : "";
    if (!why) continue;
    refused.push(`override=${name}:${ratio} (${why})`);
    const { [name]: _gone, ...rest } = state.overrides;
    state.overrides = rest;
  }
}

/** @param {Source} source @param {State} state @param {string[]} refused */
function checkBias({ network }, state, refused) {
  if (state.bias !== "fold" || network.scale === "plain") return;
  refused.push("bias=fold (removed channels of this run output nothing)");
  state.bias = "drop";
}

/** Needs the catalog, which is only asked for where an address names a criterion. @param {Explore} app */
function checkCriterion(app) {
  const { source, state, refused } = app;
  if (state.criterion === IMPORTANCE) {
    app.checkedCriterion = true;
    return;
  }
  const known = knownCriteria(source);
  if (!known) return;
  app.checkedCriterion = true;
  const names = known.map((one) => one.name);
  if (names.includes(state.criterion)) return;
  refused.push(`criterion=${state.criterion} (wanted: ${names.join(" or ")})`);
  state.criterion = IMPORTANCE;
}

/** As long as nobody has chosen a cut: the curve's scope, and its lossless cut. @param {Explore} app */
export function chooseFirstCut(app) {
  const { source, state, given } = app;
  if (!app.checkedCriterion) return; // the address may name one that does not exist
  const { curve } = source;
  const scope = curve?.scope || curve?.points.find((point) => point.ratio > 0)?.plan?.scope;
  if (!scope || !curve.points.length || curve.job || app.defaulted === curve.checkpoint_id) return;
  app.defaulted = curve.checkpoint_id;
  if (["ratio", "threshold", "target", "plan", "cut"].some((name) => given.has(name))) return;
  if (!given.has("scope")) state.scope = scope;
  const epoch = shownEpoch(state, source);
  const found = losslessOf(source, epoch, state.scope, state.criterion, state.bias);
  if (found?.ratio) state.ratio = found.ask;
}
