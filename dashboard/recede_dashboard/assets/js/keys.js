/* Keyboard keys of all pages; they rest while a person types or a dialog is open. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const TABS = { 1: "training", 2: "explore", 3: "files" };
  const OPENS_MS = 3000; // a dialog that is not there by then will not come
  let afterG = 0;
  /** The dialog that was asked for and is not drawn yet. @type {{id: string, at: number}|null} */
  let opening = null;

  /** @param {EventTarget|null} target */
  function isTyping(target) {
    return target instanceof Element && !!target.closest("input, textarea, select, [contenteditable]");
  }

  /** Keys rest while a dialog is open, and from the moment on in which one was asked for. */
  function dialogIsOpen() {
    const there = Boolean(document.querySelector('[role="dialog"]'));
    if (there || (opening && Date.now() - opening.at > OPENS_MS)) opening = null;
    return there || opening !== null;
  }

  /** Escape before the dialog is drawn takes it back. @param {string} key */
  function takeBack(key) {
    if (key !== "Escape" || !opening || document.querySelector('[role="dialog"]')) return;
    window.dash_clientside.set_props(opening.id, { opened: false });
    opening = null;
  }

  /** @param {string} key @returns {boolean} whether the key was ours */
  function press(key) {
    if (afterG && Date.now() - afterG < 1200) {
      afterG = 0;
      if (key === "r") return recede.go("/"), true;
      if (key === "s") return recede.go("/settings"), true;
    }
    if (key === "g") afterG = Date.now(); // not ours alone: in Explore it has a meaning of its own
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
    takeBack(event.key);
    if (event.key === "Enter" && event.target.closest?.("#run-form input[type=text], #run-form input:not([type])")) {
      if (event.ctrlKey || event.metaKey) document.getElementById("submit-run")?.click();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || dialogIsOpen()) return;
    if (press(event.key)) event.preventDefault();
  });

  /** List the keys that Explore declares (assets/explore-keys.js). */
  function listExplore(section) {
    const { el } = recede;
    if (!recede.keys) return;
    const rows = recede.keys.map(({ keys, what }) =>
      el("div", "keys-row", el("dt", "", ...keys.map((key) => el("kbd", "key", key))), el("dd", "", what)),
    );
    section.replaceChildren(el("h3", "", "Explore"), el("dl", "", ...rows));
  }

  /** Call once with an element, as soon as it is drawn. @param {string} id @param {(node: Element) => void} then */
  function whenDrawn(id, then) {
    const found = document.getElementById(id);
    if (found) return then(found);
    const observer = new MutationObserver(() => {
      const node = document.getElementById(id);
      if (!node) return;
      observer.disconnect();
      then(node);
    });
    observer.observe(document.body, { childList: true, subtree: true });
  }

  /** Open a dialog or drawer of the shell. @param {string} id */
  recede.open = (id) => {
    opening = { id, at: Date.now() };
    window.dash_clientside.set_props(id, { opened: true });
    if (id === "keys-dialog") whenDrawn("keys-explore", listExplore);
  };
  recede.dialogIsOpen = dialogIsOpen;
})();
