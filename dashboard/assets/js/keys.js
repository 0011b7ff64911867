/* Keyboard keys of all pages; they rest while a person types or a dialog is open. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const TABS = { 1: "training", 2: "explore", 3: "files" };
  let afterG = 0;

  /** @param {EventTarget|null} target */
  function isTyping(target) {
    return target instanceof Element && !!target.closest("input, textarea, select, [contenteditable]");
  }

  function dialogIsOpen() {
    return !!document.querySelector('[role="dialog"]');
  }

  /** @param {string} key @returns {boolean} whether the key was ours */
  function press(key) {
    if (afterG && Date.now() - afterG < 1200) {
      afterG = 0;
      if (key === "r") return recede.go("/"), true;
      if (key === "s") return recede.go("/settings"), true;
    }
    if (key === "g") return (afterG = Date.now()), true;
    if (key === "?") return recede.open("keys-dialog"), true;
    if (key === "n") return recede.open("run-drawer"), true;
    if (key === "/" && document.getElementById("runs-search")) {
      document.getElementById("runs-search").focus();
      return true;
    }
    if (TABS[key]) return recede.put("run-tabs", { value: TABS[key] });
    return false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.closest?.("#run-form input[type=text], #run-form input:not([type])")) {
      if (event.ctrlKey || event.metaKey) document.getElementById("submit-run")?.click();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || dialogIsOpen()) return;
    if (press(event.key)) event.preventDefault();
  });

  /** List the keys that Explore declares (assets/explore-keys.js). */
  function listExplore() {
    const { el } = recede;
    const section = document.getElementById("keys-explore");
    if (!section || !recede.keys) return;
    const rows = recede.keys.map(({ keys, what }) =>
      el("div", "keys-row", el("dt", "", ...keys.map((key) => el("kbd", "key", key))), el("dd", "", what)),
    );
    section.replaceChildren(el("h3", "", "Explore"), el("dl", "", ...rows));
  }

  /** Open a dialog or drawer of the shell. @param {string} id */
  recede.open = (id) => {
    window.dash_clientside.set_props(id, { opened: true });
    if (id === "keys-dialog") window.setTimeout(listExplore, 50);
  };
})();
