/** Explore as a whole: mounts wherever its root appears, renders once a frame, keeps the address. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const explore = (recede.explore = recede.explore || {});

  const SELECTOR = "[data-recede-explore]";
  const ADDRESS_MS = 180;
  const RELEASE_MS = 500; // keys pressed in a row count as one drag
  const OF_THE_RUN = ["run", "epoch", "evaluation", "checkpoint", "job"];

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
        this.actions, new explore.Curve(this), new explore.Layers(this), new explore.Polarisation(this),
        new explore.FineTune(this), new explore.Messages(this),
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
        else if (OF_THE_RUN.includes(detail.type)) this.source.nudge();
      }, options);
      for (const back of ["recede:online", "online"]) {
        window.addEventListener(back, () => this.source.nudge(), options);
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
      const job = this.source.curve?.job;
      if (job && job.id === detail.job_id) {
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

    set(patch) {
      Object.assign(this.state, patch);
      this.address();
      this.dirty();
    }

    /** A choice about the cut; from now on no default replaces it. */
    choose(patch) {
      this.given.add("cut");
      this.set(patch);
    }

    chooseEpoch(epoch) {
      if (epoch !== undefined && epoch !== this.state.epoch) this.set({ epoch });
    }

    toGap() {
      const { gap, ranking } = this.now;
      if (gap === null || gap === undefined || !ranking) return;
      if (this.state.scope === "local" && this.state.by === "ratio") {
        this.choose({ ratio: Math.min(0.9999, recede.core.ratioFor(ranking, { locks: this.state.locks }, gap)) });
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
      requestAnimationFrame(() => requestAnimationFrame(() => !this.gone && this.actions.released()));
    }

    releasedSoon() {
      clearTimeout(this.soon);
      this.soon = setTimeout(() => this.released(), RELEASE_MS);
    }

    // ---- data --------------------------------------------------------------------------

    changed() {
      this.checkChoices();
      if (this.checked) this.firstCut();
      this.dirty();
      const epoch = explore.model.shownEpoch(this.state, this.source);
      if (epoch !== null && this.prefetched !== this.source.epochs.length) {
        this.prefetched = this.source.epochs.length;
        this.source.prefetch(epoch).catch(() => {});
      }
    }

    /** Once the run is known: what the address asked for but the run does not have. */
    checkChoices() {
      const { source, state } = this;
      if (this.checked || !source.loaded || !source.epochs.length || !source.shape) return;
      this.checked = true;
      const names = source.shape.groups.map((group) => group.name);
      if (state.epoch !== null && !source.epochs.includes(state.epoch)) {
        const last = source.epochs[source.epochs.length - 1];
        this.refused.push(`epoch=${state.epoch} (stored are ${source.epochs[0]} to ${last})`);
        state.epoch = null;
      }
      if (state.layer && !names.includes(state.layer)) {
        this.refused.push(`layer=${state.layer} (no such layer)`);
        state.layer = null;
      }
      const unknown = state.locks.filter((name) => !names.includes(name));
      if (unknown.length) this.refused.push(`lock=${unknown.join(",")} (no such layer)`);
      state.locks = state.locks.filter((name) => names.includes(name));
    }

    /** As long as nobody has chosen a cut: the curve's scope, and its lossless cut. */
    firstCut() {
      const { source, state, given } = this;
      const { curve } = source;
      const scope = curve?.points.find((point) => point.ratio > 0)?.plan.scope;
      if (!scope || curve.job || this.defaulted === curve.checkpoint_id) return;
      this.defaulted = curve.checkpoint_id;
      if (["ratio", "threshold", "cut"].some((name) => given.has(name))) return;
      if (!given.has("scope")) state.scope = scope;
      const epoch = explore.model.shownEpoch(state, source);
      const points = explore.model.curvePoints(source, epoch, state.scope);
      const ratio = recede.core.losslessRatio(points);
      if (ratio) state.ratio = points.findLast((point) => point.ratio === ratio).ask;
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
