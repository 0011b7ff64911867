/** What a person has chosen in Explore, and how the address of the page keeps it. */
(function (scope) {
  "use strict";
  scope.recede = scope.recede || {};
  const explore = (scope.recede.explore = scope.recede.explore || {});

  const OURS = ["epoch", "t", "r", "scope", "axis", "y", "layer", "lock", "x"];
  const CHOICES = {
    scope: ["global", "local"],
    axis: ["logit", "sigma"],
    y: ["sqrt", "linear", "log"],
    x: ["ratio", "macs", "params"],
  };

  /**
   * @typedef {object} State
   * @property {?number} epoch  null: the default one (latest, or best of a finished run)
   * @property {"ratio"|"threshold"} by  which of the two was chosen; the other one follows
   * @property {string} scope  @property {string[]} locks  @property {?string} layer
   * @property {string} axis  @property {string} y  @property {string} x
   * @returns {State}
   */
  const initial = () => ({
    epoch: null, by: "ratio", ratio: 0.5, threshold: null, scope: "global", locks: [],
    layer: null, axis: "logit", y: "sqrt", x: "ratio",
  });

  const number = (text) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN);

  function readCut(params, patch, refused) {
    if (params.has("t")) {
      const value = number(params.get("t"));
      if (value >= 0 && Number.isFinite(value)) {
        return Object.assign(patch, { by: "threshold", threshold: value, scope: "global" });
      }
      refused.push(`threshold t=${params.get("t")} (wanted: a number from 0 on)`);
    }
    if (params.has("r")) {
      const value = number(params.get("r"));
      if (value >= 0 && value < 1) return Object.assign(patch, { by: "ratio", ratio: value });
      refused.push(`ratio r=${params.get("r")} (wanted: 0 or more, under 1)`);
    }
    return patch;
  }

  /** The choices in an address, and words for the values that could not be used. */
  function fromUrl(search) {
    const params = new URLSearchParams(search);
    const [patch, refused] = [{}, []];
    if (params.has("epoch")) {
      const text = params.get("epoch");
      if (/^\d{1,6}$/.test(text)) patch.epoch = Number(text);
      else refused.push(`epoch=${text} (wanted: a whole number)`);
    }
    for (const [name, known] of Object.entries(CHOICES)) {
      if (!params.has(name)) continue;
      if (known.includes(params.get(name))) patch[name] = params.get(name);
      else refused.push(`${name}=${params.get(name)} (wanted: ${known.join(" or ")})`);
    }
    if (params.get("layer")) patch.layer = params.get("layer");
    if (params.get("lock")) patch.locks = params.get("lock").split(",").filter(Boolean);
    readCut(params, patch, refused);
    return { patch, refused };
  }

  /** The address with our choices in it; what belongs to others stays as it is. */
  function toUrl(search, state) {
    const params = new URLSearchParams(search);
    OURS.forEach((name) => params.delete(name));
    const plain = initial();
    if (state.epoch !== null) params.set("epoch", state.epoch);
    if (state.by === "threshold") params.set("t", state.threshold);
    else params.set("r", Number(state.ratio.toFixed(6)));
    for (const name of Object.keys(CHOICES)) {
      if (state[name] !== plain[name]) params.set(name, state[name]);
    }
    if (state.layer) params.set("layer", state.layer);
    if (state.locks.length) params.set("lock", state.locks.join(","));
    // Commas and colons may stand in a query as they are; escaped they make a link unreadable.
    return `?${params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":")}`;
  }

  explore.state = { initial, fromUrl, toUrl };
  if (typeof module !== "undefined" && module.exports) module.exports = { state: explore.state };
})(typeof window !== "undefined" ? window : globalThis);
