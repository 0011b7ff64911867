/** What is chosen in Explore, and how the URL of the page stores it. */

/** @type {Record<string, string[]>} */
export const CHOICES = {
  scope: ["global", "local"],
  axis: ["logit", "sigma"],
  y: ["sqrt", "linear", "log"],
  x: ["ratio", "macs", "params"],
  view: ["curve", "heat", "neurons", "map", "pareto"],
  big: ["no", "yes"],
  heat: ["receded", "median", "bimodality", "kept"],
  front: ["macs", "params", "bytes", "latency"],
  speed: ["1", "0.25", "0.5", "2", "4"],
  bias: ["drop", "fold"],
};
/** Name in the address → what is asked for; a cost of at most 1 is a share of the uncut one. */
/** @type {Record<string, Target["kind"]>} */
export const TARGETS = {
  macs: "macs", params: "params", size: "bytes", accuracy: "accuracy", drop: "drop", latency: "latency",
};
/** @type {string[]} */
export const COSTS = ["macs", "params", "bytes"];
const OURS = [
  "epoch", "t", "r", "layer", "lock", "override", "criterion", "round", "min", "batch", "plan",
  ...Object.keys(TARGETS), ...Object.keys(CHOICES),
];

/**
 * @typedef {{kind: "macs"|"params"|"bytes"|"accuracy"|"drop"|"latency", value: number,
 *   relative?: boolean, batch?: number}} Target  what is asked for instead of a ratio
 * @typedef {object} State
 * @property {?number} epoch  null: the default one (latest, or best of a finished run)
 * @property {"ratio"|"threshold"} by  which of the two makes the cut; the other one follows
 * @property {number} ratio  with a `target` the one that it led to
 * @property {?number} threshold
 * @property {?Target} target
 * @property {"global"|"local"} scope
 * @property {string[]} locks  @property {Object<string, number>} overrides
 * @property {string} criterion  @property {number} roundTo  @property {?number} minChannels
 * @property {"drop"|"fold"} bias
 * @property {?number} plan  id of the saved plan that this is
 * @property {?string} layer
 * @property {string} axis  @property {string} y  @property {string} x
 * @property {string} view  which view is below the distribution  @property {string} big
 * @property {string} heat  measure of the heatmap  @property {string} front  cost axis of the Pareto front
 * @property {string} speed  of playing the epochs
 * @returns {State}
 */
export const initialState = () => ({
  epoch: null, by: "ratio", ratio: 0.5, threshold: null, target: null, scope: "global", locks: [],
  overrides: {}, criterion: "importance", roundTo: 1, minChannels: null, bias: "drop", plan: null,
  layer: null, axis: "logit", y: "sqrt", x: "ratio",
  view: "curve", big: "no", heat: "receded", front: "macs", speed: "1",
});

/** @param {string} text */
const number = (text) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN);
/** @param {number} value */
const isRatio = (value) => value >= 0 && value < 1;

/** A target by its name and value; null where it is none. @param {string} name @param {number} value @param {number} batch @returns {?Target} */
function targetOf(name, value, batch) {
  const kind = TARGETS[name];
  if (COSTS.includes(kind)) return value > 0 && value < 1e18 ? { kind, value, relative: value <= 1 } : null;
  if (kind === "latency") return value > 0 && value < 1e7 ? { kind, value, batch } : null;
  return value >= 0 && value <= 1 ? { kind, value } : null;
}

/** @param {URLSearchParams} params @param {string[]} refused */
function readTarget(params, refused) {
  let found = null;
  for (const name of Object.keys(TARGETS)) {
    const text = params.get(name);
    if (text === null) continue;
    const target = targetOf(name, number(text), params.get("batch") === "64" ? 64 : 1);
    if (!target) refused.push(`${name}=${text} (wanted: ${COSTS.includes(TARGETS[name]) ? "a share of the uncut network up to 1, or a number" : name === "latency" ? "milliseconds above 0" : "a share from 0 to 1"})`);
    else if (found) refused.push(`${name}=${text} (another target is already set)`);
    else found = target;
  }
  return found;
}

/** @param {URLSearchParams} params @param {Partial<State>} patch @param {string[]} refused */
function readCut(params, patch, refused) {
  const target = readTarget(params, refused);
  if (params.has("t") && !target) {
    const value = number(params.get("t") ?? "");
    if (value >= 0 && Number.isFinite(value)) {
      return Object.assign(patch, { by: "threshold", threshold: value, scope: "global" });
    }
    refused.push(`threshold t=${params.get("t")} (wanted: 0 or more)`);
  }
  if (params.has("r")) {
    const value = number(params.get("r") ?? "");
    if (isRatio(value)) Object.assign(patch, { by: "ratio", ratio: value });
    else refused.push(`ratio r=${params.get("r")} (wanted: 0 or more, below 1)`);
  }
  if (target) Object.assign(patch, { by: "ratio", target });
  return patch;
}

/**
 * "name:0.3,other:0.5" → ratios of single layers; a name may hold colons.
 * @param {string} text @param {string[]} refused
 */
function readOverrides(text, refused) {
  /** @type {Record<string, number>} */
  const found = {};
  for (const part of text.split(",").filter(Boolean)) {
    const at = part.lastIndexOf(":");
    const value = at > 0 ? number(part.slice(at + 1)) : NaN;
    if (isRatio(value)) found[part.slice(0, at)] = value;
    else refused.push(`override=${part} (wanted: layer:ratio, a ratio of 0 or more, below 1)`);
  }
  return found;
}

/** @type {Record<string, {name: "epoch"|"roundTo"|"minChannels"|"plan", least: number, most: number, wanted: string}>} */
const WHOLE = {
  epoch: { name: "epoch", least: 0, most: 999_999, wanted: "a whole number" },
  round: { name: "roundTo", least: 1, most: 1024, wanted: "a whole number from 1 to 1024" },
  min: { name: "minChannels", least: 1, most: 65_536, wanted: "a whole number from 1 to 65,536" },
  plan: { name: "plan", least: 1, most: 2 ** 31 - 1, wanted: "the id of a saved plan" },
};

/** @param {URLSearchParams} params @param {Partial<State>} patch @param {string[]} refused */
function readWhole(params, patch, refused) {
  for (const [name, rule] of Object.entries(WHOLE)) {
    const text = params.get(name);
    if (text === null) continue;
    const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
    if (value >= rule.least && value <= rule.most) patch[rule.name] = value;
    else refused.push(`${name}=${text} (wanted: ${rule.wanted})`);
  }
}

/** The choices in an address, and words for the values that could not be used. @param {string} search */
export function stateFromUrl(search) {
  const params = new URLSearchParams(search);
  /** @type {Partial<State>} */
  const patch = {};
  /** @type {string[]} */
  const refused = [];
  readWhole(params, patch, refused);
  for (const [name, known] of Object.entries(CHOICES)) {
    const text = params.get(name);
    if (text === null) continue;
    if (known.includes(text)) Object.assign(patch, { [name]: text });
    else refused.push(`${name}=${text} (wanted: ${known.join(" or ")})`);
  }
  if (params.get("layer")) patch.layer = params.get("layer");
  if (params.get("criterion")) patch.criterion = params.get("criterion");
  if (params.get("lock")) patch.locks = [...new Set(params.get("lock").split(",").filter(Boolean))];
  if (params.get("override")) patch.overrides = readOverrides(params.get("override"), refused);
  for (const name of patch.locks || []) {
    if (!patch.overrides || !Object.hasOwn(patch.overrides, name)) continue;
    refused.push(`override=${name}:${patch.overrides[name]} (that layer is also locked)`);
    delete patch.overrides[name];
  }
  readCut(params, patch, refused);
  return { patch, refused };
}

/** @param {number} value */
const short = (value) => Number(value.toPrecision(12));

/**
 * The one choice that makes the cut, as it was asked for.
 * @param {URLSearchParams} params @param {State} state
 */
function writeCut(params, state) {
  const { target } = state;
  if (target) {
    params.set(Object.keys(TARGETS).find((name) => TARGETS[name] === target.kind), short(target.value));
    if (target.kind !== "latency") return;
    if (target.batch && target.batch !== 1) params.set("batch", target.batch);
  }
  if (state.by === "threshold") params.set("t", state.threshold);
  else params.set("r", Number(state.ratio.toFixed(6)));
}

/**
 * The address with our choices in it; what belongs to others stays as it is.
 * @param {string} search @param {State} state
 */
export function urlOfState(search, state) {
  const params = new URLSearchParams(search);
  OURS.forEach((name) => params.delete(name));
  const plain = initialState();
  if (state.epoch !== null) params.set("epoch", state.epoch);
  writeCut(params, state);
  for (const name of Object.keys(CHOICES)) {
    if (state[name] !== plain[name]) params.set(name, state[name]);
  }
  if (state.criterion !== plain.criterion) params.set("criterion", state.criterion);
  if (state.roundTo !== 1) params.set("round", state.roundTo);
  if (state.minChannels !== null) params.set("min", state.minChannels);
  if (state.layer) params.set("layer", state.layer);
  if (state.locks.length) params.set("lock", state.locks.join(","));
  const own = Object.entries(state.overrides).map(([name, ratio]) => `${name}:${short(ratio)}`);
  if (own.length) params.set("override", own.join(","));
  if (state.plan !== null) params.set("plan", state.plan);
  // Commas and colons may stand in a query as they are; escaped they make a link unreadable.
  return `?${params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
}
