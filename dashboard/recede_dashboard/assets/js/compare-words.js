/** The signs of Compare's figures in words: a short list under each, the same in what is saved. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const compare = (recede.compare = recede.compare || {});
  const svg = (...args) => recede.explore.dom.svg(...args);
  const NONE = { "data-series": "none" }; // the sign of no series in particular

  /** Each about (0, 0), 24 wide and 12 high. */
  const KEYS = {
    dot: () => [compare.chart.sign(0, { class: "cmp-sign cmp-dot", ...NONE })],
    single: () => [compare.chart.sign(0, { class: "cmp-sign cmp-single", ...NONE, transform: "scale(0.7)" })],
    front: () => [svg("path", { class: "cmp-front", d: "M-11 4H0V-3H11" })],
    band: () => [svg("path", { class: "cmp-band", ...NONE, d: "M-11 -5H11V5H-11Z" }), KEYS.line()[0]],
    line: () => [compare.chart.line([[-11, 0], [11, 0]], 0, NONE)],
    out: () => [svg("text", { class: "cmp-arrow", x: 0, y: 4, "text-anchor": "middle", text: "↓ ↑" })],
    beside: () => [svg("text", { class: "cmp-arrow", x: 0, y: 4, "text-anchor": "middle", text: "← →" })],
  };

  /** @param {HTMLElement} list @param {[keyof KEYS, string][]} signs */
  function show(list, signs) {
    const { h } = recede.explore.dom;
    list.hidden = !signs.length;
    list.replaceChildren(...signs.map(([key, text]) => h("li", {},
      svg("svg", { width: 24, height: 14, viewBox: "-12 -7 24 14", "aria-hidden": "true" }, KEYS[key]()), text)));
  }

  compare.words = { KEYS, show };
})();
