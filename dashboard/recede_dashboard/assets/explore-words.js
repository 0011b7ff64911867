/** The sign “?” of a view: what its word means, from the glossary of all pages. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});

  /**
   * A sign that can be reached with Tab.
   * @param {string|(() => string)} given  name of the term, or what says it when it is shown
   */
  function sign(given) {
    const node = explore.dom.h("button", { type: "button", class: "rx-term-sign", "aria-label": "What is this?", text: "?" });
    window.recede.terms.give(node, typeof given === "function" ? given : () => given);
    return node;
  }

  explore.words = { sign };
})();
