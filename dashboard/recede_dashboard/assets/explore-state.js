/** What a person has chosen in Explore, and how the address of the page keeps it. */
(function (scope) {
  "use strict";
  scope.recede = scope.recede || {};
  const explore = (scope.recede.explore = scope.recede.explore || {});

  const CHOICES = {
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
  const ASKS = {
    macs: "macs", params: "params", size: "bytes", accuracy: "accuracy", drop: "drop", latency: "latency",
  };
  const COSTS = ["macs", "params", "bytes"];
  const OURS = [
    "epoch", "t", "r", "layer", "lock", "override", "criterion", "round", "min", "batch", "plan",
    ...Object.keys(ASKS), ...Object.keys(CHOICES),
  ];

  /**
   * @typedef {{kind: "macs"|"params"|"bytes"|"accuracy"|"drop"|"latency", value: number,
   *   relative?: boolean, batch?: number}} Ask  what is asked for instead of a ratio
   * @typedef {object} State
   * @property {?number} epoch  null: the default one (latest, or best of a finished run)
   * @property {"ratio"|"threshold"} by  which of the two makes the cut; the other one follows
   * @property {number} ratio  with an `ask` the one that it led to
   * @property {?number} threshold
   * @property {?Ask} ask
   * @property {string} scope  @property {string[]} locks  @property {Object<string, number>} overrides
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
  const initial = () => ({
    epoch: null, by: "ratio", ratio: 0.5, threshold: null, ask: null, scope: "global", locks: [],
    overrides: {}, criterion: "importance", roundTo: 1, minChannels: null, bias: "drop", plan: null,
    layer: null, axis: "logit", y: "sqrt", x: "ratio",
    view: "curve", big: "no", heat: "receded", front: "macs", speed: "1",
  });

  const number = (text) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN);
  const isRatio = (value) => value >= 0 && value < 1;

  /** An ask by its name and value; null where it is none. */
  function askOf(name, value, batch) {
    const kind = ASKS[name];
    if (COSTS.includes(kind)) return value > 0 && value < 1e18 ? { kind, value, relative: value <= 1 } : null;
    if (kind === "latency") return value > 0 && value < 1e7 ? { kind, value, batch } : null;
    return value >= 0 && value <= 1 ? { kind, value } : null;
  }

  function readAsk(params, refused) {
    let found = null;
    for (const name of Object.keys(ASKS)) {
      if (!params.has(name)) continue;
      const text = params.get(name);
      const ask = askOf(name, number(text), params.get("batch") === "64" ? 64 : 1);
      if (!ask) refused.push(`${name}=${text} (wanted: ${COSTS.includes(ASKS[name]) ? "a share of the uncut one up to 1, or a number" : name === "latency" ? "milliseconds above 0" : "a share from 0 to 1"})`);
      else if (found) refused.push(`${name}=${text} (beside another aim; one is held)`);
      else found = ask;
    }
    return found;
  }

  function readCut(params, patch, refused) {
    const ask = readAsk(params, refused);
    if (params.has("t") && !ask) {
      const value = number(params.get("t"));
      if (value >= 0 && Number.isFinite(value)) {
        return Object.assign(patch, { by: "threshold", threshold: value, scope: "global" });
      }
      refused.push(`threshold t=${params.get("t")} (wanted: a number from 0 on)`);
    }
    if (params.has("r")) {
      const value = number(params.get("r"));
      if (isRatio(value)) Object.assign(patch, { by: "ratio", ratio: value });
      else refused.push(`ratio r=${params.get("r")} (wanted: 0 or more, under 1)`);
    }
    if (ask) Object.assign(patch, { by: "ratio", ask });
    return patch;
  }

  /** "name:0.3,other:0.5" → ratios of single layers; a name may hold colons. */
  function readOverrides(text, refused) {
    const found = {};
    for (const part of text.split(",").filter(Boolean)) {
      const at = part.lastIndexOf(":");
      const value = at > 0 ? number(part.slice(at + 1)) : NaN;
      if (isRatio(value)) found[part.slice(0, at)] = value;
      else refused.push(`override=${part} (wanted: layer:ratio, the ratio from 0 to under 1)`);
    }
    return found;
  }

  const WHOLE = {
    epoch: { name: "epoch", least: 0, most: 999_999, wanted: "a whole number" },
    round: { name: "roundTo", least: 1, most: 1024, wanted: "a whole number from 1 to 1024" },
    min: { name: "minChannels", least: 1, most: 65_536, wanted: "a whole number from 1 to 65,536" },
    plan: { name: "plan", least: 1, most: 2 ** 31 - 1, wanted: "the number of a saved plan" },
  };

  function readWhole(params, patch, refused) {
    for (const [name, rule] of Object.entries(WHOLE)) {
      if (!params.has(name)) continue;
      const text = params.get(name);
      const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
      if (value >= rule.least && value <= rule.most) patch[rule.name] = value;
      else refused.push(`${name}=${text} (wanted: ${rule.wanted})`);
    }
  }

  /** The choices in an address, and words for the values that could not be used. */
  function fromUrl(search) {
    const params = new URLSearchParams(search);
    const [patch, refused] = [{}, []];
    readWhole(params, patch, refused);
    for (const [name, known] of Object.entries(CHOICES)) {
      if (!params.has(name)) continue;
      if (known.includes(params.get(name))) patch[name] = params.get(name);
      else refused.push(`${name}=${params.get(name)} (wanted: ${known.join(" or ")})`);
    }
    if (params.get("layer")) patch.layer = params.get("layer");
    if (params.get("criterion")) patch.criterion = params.get("criterion");
    if (params.get("lock")) patch.locks = [...new Set(params.get("lock").split(",").filter(Boolean))];
    if (params.get("override")) patch.overrides = readOverrides(params.get("override"), refused);
    for (const name of patch.locks || []) {
      if (!patch.overrides || !Object.hasOwn(patch.overrides, name)) continue;
      refused.push(`override=${name}:${patch.overrides[name]} (that layer is locked as well)`);
      delete patch.overrides[name];
    }
    readCut(params, patch, refused);
    return { patch, refused };
  }

  const short = (value) => Number(value.toPrecision(12));

  /** The one choice that makes the cut, as it was asked for. */
  function writeCut(params, state) {
    const { ask } = state;
    if (ask) {
      params.set(Object.keys(ASKS).find((name) => ASKS[name] === ask.kind), short(ask.value));
      if (ask.kind !== "latency") return;
      if (ask.batch && ask.batch !== 1) params.set("batch", ask.batch);
    }
    if (state.by === "threshold") params.set("t", state.threshold);
    else params.set("r", Number(state.ratio.toFixed(6)));
  }

  /** The address with our choices in it; what belongs to others stays as it is. */
  function toUrl(search, state) {
    const params = new URLSearchParams(search);
    OURS.forEach((name) => params.delete(name));
    const plain = initial();
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

  explore.state = { initial, fromUrl, toUrl, CHOICES, ASKS, COSTS };
  if (typeof module !== "undefined" && module.exports) module.exports = { state: explore.state };
})(typeof window !== "undefined" ? window : globalThis);
