/** Keyboard keys of Explore; the shell's dialog lists window.recede.keys. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const explore = (recede.explore = recede.explore || {});

  const PREFIX_MS = 350; // "g" also begins the shell's "g r" and "g s": wait whether one follows

  const KEYS = [
    { keys: ["←", "→"], what: "Move the threshold finely (on the line); with Shift coarsely" },
    { keys: ["[", "]"], what: "Previous or next epoch" },
    { keys: ["Space"], what: "Play or pause the epochs" },
    { keys: ["v"], what: "Next view below the distribution; with Shift the one before" },
    { keys: ["b"], what: "More room for the views, or less" },
    { keys: ["l"], what: "Go to the lossless cut" },
    { keys: ["g"], what: "Go to the natural gap" },
    { keys: ["m"], what: "Measure this cut" },
    { keys: ["Ctrl", "Z"], what: "Undo the last choice of the cut; with Shift, or Ctrl Y, redo it" },
    { keys: ["p"], what: "Plans: save this one, or take one up" },
    { keys: ["a"], what: "Type what to hold: MACs, size, accuracy, latency" },
    { keys: [",", "."], what: "Select the layer before or after" },
    { keys: ["k"], what: "Lock or unlock the selected layer" },
    { keys: ["o"], what: "Type a ratio of its own for the selected layer, or the first" },
  ];

  /** Text is typed there, or the key already means something there. */
  function isTaken(event) {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
    if (recede.dialogIsOpen()) return true;
    if (!(target instanceof Element)) return false;
    if (target.closest("textarea, select, [contenteditable]")) return true;
    if (target.closest("input") && !target.matches("[type=range], [type=checkbox]")) return true;
    return key === " " && Boolean(target.closest("button, a, summary, input, [role=radio]"));
  }

  /** The layer before or after the selected one; between last and first lie all together. */
  function stepLayer(app, by) {
    const names = [null, ...app.source.shape.groups.map((group) => group.name)];
    const at = names.indexOf(app.state.layer);
    app.set({ layer: names[(at + by + names.length) % names.length] });
  }

  /** Put the cursor into a field; what it holds is replaced by what is typed next. */
  function into(field) {
    field.focus();
    field.select();
  }

  /** The field lies below the selected layer's row; without a layer, below the first. */
  function ownRatio(app) {
    if (!app.state.layer) stepLayer(app, 1);
    app.fresh();
    const field = app.els.find("#own-ratio");
    if (field && !field.disabled) into(field);
    else explore.toast(app, `${app.state.layer} is protected by the run: it has no ratio of its own.`);
  }

  /** Listen while this view is on the page and visible; returns how to stop. */
  function listen(app) {
    let waiting = 0;
    const actions = {
      "[": () => app.scrub.step(-1),
      "]": () => app.scrub.step(1),
      " ": () => app.scrub.toggle(),
      v: () => app.views.step(1),
      V: () => app.views.step(-1),
      b: () => app.views.toggleBig(),
      l: () => app.toLossless(),
      m: () => explore.jobs.measure(app),
      p: () => app.plans.turn(),
      a: () => into(app.els.find("#target-input")),
      ",": () => stepLayer(app, -1),
      ".": () => stepLayer(app, 1),
      k: () => app.state.layer && explore.own.toggleLock(app, app.state.layer),
      o: () => ownRatio(app),
      g: () => {
        waiting = setTimeout(() => app.toGap(), PREFIX_MS);
      },
    };
    const onKey = (event) => {
      clearTimeout(waiting); // by the shell's keys, too
      if (app.root.offsetParent === null || isTaken(event)) return;
      const action = actions[event.key];
      if (!action || !app.now?.selection) return;
      if (event.key !== "g") event.preventDefault();
      app.fresh(); // keys may follow each other faster than frames
      action();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      clearTimeout(waiting);
      document.removeEventListener("keydown", onKey);
    };
  }

  recede.keys = KEYS;
  explore.keys = { listen, KEYS };
})();
