/** Explore as a whole: mounts wherever its root appears, renders once a frame, keeps the address. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const explore = (recede.explore = recede.explore || {});

  const SELECTOR = "[data-recede-explore]";
  const ADDRESS_MS = 180;
  const RELEASE_MS = 500; // keys pressed in a row count as one drag
  const OF_THE_RUN = ["run", "epoch", "evaluation", "checkpoint", "job", "notice", "curve"];

  class Explore {
    constructor(root) {
      Object.assign(this, { root, runId: root.dataset.run, api: root.dataset.api || "/api/v1" });
      this.path = location.pathname;
      const { patch, refused } = explore.state.fromUrl(location.search);
      this.state = { ...explore.state.initial(), ...patch };
      this.given = new Set(Object.keys(patch));
      this.refused = refused;
      this.measure = { status: "idle" };
      this.prune = { status: "idle" };
      this.now = {};
      this.undo = new explore.Undo(this);
      this.stats = { frames: 0, lastMs: 0, maxMs: 0 };
      this.source = new explore.Source(this.api, this.runId, () => this.changed());
      this.els = explore.view.build(root.querySelector("#explore-mount") || root);
      this.makePanels();
      this.stops = [
        explore.keys.listen(this), explore.copy.mountMenu(this), explore.mountTools(this), this.listen(),
      ];
      this.source.refresh();
    }

    makePanels() {
      this.distribution = new explore.Distribution(this);
      this.scrub = new explore.Scrub(this);
      this.actions = new explore.Actions(this);
      this.panels = [
        this.scrub, this.distribution, new explore.Line(this, this.distribution), new explore.Cut(this),
        this.actions, new explore.Curve(this), new explore.Layers(this), (this.plans = new explore.Plans(this)),
        new explore.Polarisation(this), new explore.FineTune(this), new explore.Messages(this),
        ...(explore.extensions || []).map((make) => make(this)), // other files may add panels
      ];
    }

    /** Live events, colour scheme, the connection; returns how to stop. */
    listen() {
      const stop = new AbortController();
      const options = { signal: stop.signal, capture: true };
      window.addEventListener("recede:event", ({ detail }) => {
        if (!detail || detail.run_id !== this.runId) return;
        if (detail.type === "progress") this.onProgress(detail);
        else if (detail.type === "plan") this.plans.load();
        else if (OF_THE_RUN.includes(detail.type)) this.source.nudge();
      }, options);
      for (const back of ["recede:online", "online"]) {
        window.addEventListener(back, () => {
          this.source.nudge();
          this.plans.load();
        }, options);
      }
      const scheme = new MutationObserver(() => this.forgetColours());
      scheme.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
      window.matchMedia("(prefers-color-scheme: dark)")
        .addEventListener("change", () => this.forgetColours(), { signal: stop.signal });
      window.addEventListener("resize", () => this.dirty(), options);
      document.fonts?.ready.then(() => this.forgetColours());
      return () => {
        stop.abort();
        scheme.disconnect();
      };
    }

    onProgress(detail) {
      const job = explore.curves.atWork(this.source, detail.job_id)?.job;
      if (job) {
        job.progress = detail;
        this.source.nudge();
        this.dirty();
      }
    }

    forgetColours() {
      this.known = null;
      this.scheme = (this.scheme || 0) + 1;
      this.dirty();
    }

    colours() {
      this.known = this.known || explore.dom.palette(this.els.frame);
      return this.known;
    }

    // ---- choosing ----------------------------------------------------------------------

    /** A choice; of those that make the cut the undo stack keeps what they replace. */
    set(patch, label) {
      this.undo.note(this.state, patch, label);
      this.assign(patch);
    }

    assign(patch) {
      Object.assign(this.state, patch);
      this.address();
      this.dirty();
    }

    /** A choice about the cut; from now on no default replaces it, and an aim only if it is one. */
    choose(patch, label) {
      this.given.add("cut");
      const cuts = ["by", "ratio", "threshold"].some((name) => name in patch);
      this.set(cuts && !("ask" in patch) ? { ...patch, ask: null } : patch, label);
    }

    chooseEpoch(epoch) {
      if (epoch !== undefined && epoch !== this.state.epoch) this.set({ epoch });
    }

    /** Take a plan over whole, as one step. */
    applyPlan(plan, label) {
      this.choose(explore.plan.toState(plan), label);
      this.released();
    }

    /** What `core.select` takes for the present choices, with some of them changed. */
    planFor(change) {
      return explore.plan.selectable(this.state, this.source, this.now.epoch, change);
    }

    toGap() {
      const { gap, ranking } = this.now;
      if (gap === null || gap === undefined || !ranking) return;
      if (this.state.scope === "local" && this.state.by === "ratio") {
        this.choose({ ratio: Math.min(0.9999, recede.core.ratioFor(ranking, this.planFor({}), gap)) });
      } else this.choose({ by: "threshold", threshold: gap });
      this.released();
    }

    toLossless() {
      if (!this.now.lossless) return;
      this.choose({ by: "ratio", ratio: this.now.lossless.ask });
      this.released();
    }

    /** A drag has ended: the next frame is exact, then it may be measured by itself. */
    released() {
      this.undo.close();
      requestAnimationFrame(() => requestAnimationFrame(() => !this.gone && this.actions.released()));
    }

    releasedSoon() {
      clearTimeout(this.soon);
      this.soon = setTimeout(() => this.released(), RELEASE_MS);
    }

    // ---- data --------------------------------------------------------------------------

    changed() {
      explore.check.choices(this);
      if (this.checked) explore.check.firstCut(this);
      this.dirty();
      const epoch = explore.model.shownEpoch(this.state, this.source);
      if (epoch !== null && this.prefetched !== this.source.epochs.length) {
        this.prefetched = this.source.epochs.length;
        this.source.prefetch(epoch).catch(() => {});
      }
    }

    // ---- drawing -----------------------------------------------------------------------

    dirty() {
      if (!this.frame && !this.gone) this.frame = requestAnimationFrame(() => this.render());
    }

    render() {
      this.frame = 0;
      if (this.gone || !this.root.isConnected) return;
      const from = performance.now();
      this.now = explore.model.derive(this);
      this.stats.modelMs = performance.now() - from;
      if (this.now.solved) this.state.ratio = this.now.plan.ratio; // what was asked for led to it
      for (const panel of this.panels) panel.render();
      this.stats.lastMs = performance.now() - from;
      this.stats.maxMs = Math.max(this.stats.maxMs, this.stats.lastMs);
      this.stats.frames++;
    }

    /** What is shown, with a frame that is still due drawn at once: an action means the newest. */
    fresh() {
      if (this.frame) {
        cancelAnimationFrame(this.frame);
        this.render();
      }
      return this.now;
    }

    /** Write the choices into the address, soon, and only while this page is shown. */
    address() {
      clearTimeout(this.addressTimer);
      this.addressTimer = setTimeout(() => {
        if (this.gone || !this.root.isConnected || location.pathname !== this.path) return;
        const search = explore.state.toUrl(location.search, this.state);
        if (search !== location.search) history.replaceState(history.state, "", search + location.hash);
      }, ADDRESS_MS);
    }

    destroy() {
      this.gone = true;
      cancelAnimationFrame(this.frame);
      clearTimeout(this.addressTimer);
      clearTimeout(this.soon);
      this.source.stop();
      this.undo.destroy();
      this.stops.forEach((stop) => stop());
      this.panels.forEach((panel) => panel.destroy?.());
    }
  }

  /** @type {Map<Element, Explore>} */
  const mounted = new Map();

  /**
   * Bring a root to life. A living one is left alone; one whose run changed, or whose inside
   * was made anew by the page, starts again.
   */
  explore.mount = function (root) {
    const known = mounted.get(root);
    if (known && known.runId === root.dataset.run && root.contains(known.els.frame)) return known;
    known?.destroy();
    const app = new Explore(root);
    mounted.set(root, app);
    root.dataset.ready = "true";
    return app;
  };

  /** Look for roots that came or went. */
  explore.scan = function () {
    for (const [root, app] of mounted) {
      if (root.isConnected) continue;
      app.destroy();
      mounted.delete(root);
    }
    document.querySelectorAll(SELECTOR).forEach((root) => root.dataset.run && explore.mount(root));
  };
  explore.mounted = mounted;

  function start() {
    explore.scan();
    let planned = 0;
    new MutationObserver(() => {
      planned = planned || requestAnimationFrame(() => {
        planned = 0;
        explore.scan();
      });
    }).observe(document.body, { childList: true, subtree: true, attributeFilter: ["data-run"] });
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
