/** What a cut is worth and what can be done with it: accuracy, measuring, pruning, warnings. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});
  const format = () => window.recede.core.format;

  const AUTO_KEY = "recede.auto-measure";
  const STAGES = {
    loading: "loading weights", cutting: "cutting", measuring: "measuring", writing: "writing files",
    verifying: "loading the file again and testing it",
  };

  class Actions {
    constructor(app) {
      this.app = app;
      const { find } = app.els;
      this.value = find("#accuracy-value");
      this.kind = this.value.parentElement.querySelector(".rx-kind");
      this.delta = find("#accuracy-delta");
      this.band = find("#accuracy-band");
      this.status = find("#measure-status");
      this.button = find("#measure-button");
      this.auto = find("#auto-measure");
      this.warnings = find("#warnings");
      this.prune = find("#prune-button");
      this.button.addEventListener("click", () => explore.jobs.measure(app));
      this.prune.addEventListener("click", () => explore.jobs.prune(app));
      this.auto.checked = remembered();
      this.auto.addEventListener("change", () => {
        remember(this.auto.checked);
        if (this.auto.checked) this.released();
      });
    }

    /** The line was let go: measure, if that is wished, possible and not known already. */
    released() {
      const { now, measure } = this.app;
      const busyWithIt = measure.status === "busy" && same(measure.plan, now.plan);
      if (this.auto.checked && now.canCut && now.accuracy?.kind !== "measured" && !busyWithIt) {
        explore.jobs.measure(this.app);
      }
    }

    render() {
      this.renderAccuracy();
      this.renderMeasure();
      this.renderWarnings();
      this.renderPrune();
    }

    renderAccuracy() {
      const { now, source } = this.app;
      const { say, mark } = explore.dom;
      const { accuracy: known, denseAccuracy: dense } = now;
      mark(this.value, {
        "data-value": known?.value, "data-kind": known?.kind || "unknown", "data-low": known?.low,
        "data-high": known?.high, "data-n": known?.n,
      });
      say(this.kind, known ? (known.kind === "measured" ? `measured, n = ${format().integer(known.n)}` : "estimated") : "not known");
      mark(this.kind, { "data-kind": known?.kind || "unknown" });
      const text = known ? format().accuracy(known.value, known.n) : format().NOTHING;
      say(this.value, known?.kind === "estimated" ? `≈ ${text}` : text);
      const comparable = known && dense;
      say(this.delta, comparable ? `${format().points(known.value - dense.value, known.n)} points` : "");
      mark(this.delta, { title: comparable ? `against the uncut ${format().accuracy(dense.value, dense.n)}` : null });
      say(this.band, this.bandWords(known, dense, now, source));
    }

    bandWords(known, dense, now, source) {
      const uncut = dense ? `uncut ${format().accuracy(dense.value, dense.n)}` : "";
      const parts = [uncut];
      if (known) {
        const what = known.kind === "measured" ? "95 % interval" : "band";
        parts.unshift(`${what} ${format().interval(known.low, known.high, known.n)}`);
      } else if (now.hasWeights && now.selection) {
        if (source.curve?.job) parts.unshift("the curve is being measured");
        else parts.unshift(source.curve?.points.length ? "not on the measured curve" : "no curve to estimate from");
      }
      return parts.filter(Boolean).join(", ");
    }

    renderMeasure() {
      const { app } = this;
      const { now, measure, source } = app;
      const { mark } = explore.dom;
      const busy = measure.status === "busy" && same(measure.plan, now.plan);
      const known = now.accuracy?.kind === "measured";
      mark(this.button, {
        disabled: !now.canCut || busy || known || source.offline,
        title: known ? "This very cut is measured" : "Cut and measure on all validation images (m)",
      });
      this.say(this.status, this.measureWords(busy, known));
      mark(this.status, { "data-tone": measure.status === "failed" || source.offline ? "bad" : null });
    }

    /** Words, with a button to the nearest epoch that can be cut where this one cannot. */
    measureWords(busy, known) {
      const { now, measure, source } = this.app;
      if (source.offline) return ["The server does not answer: exact numbers go on, measuring waits."];
      if (now.selection && !now.hasWeights && source.weights.length) {
        const nearest = source.weights.includes(source.bestEpoch) ? source.bestEpoch : source.weights[0];
        return [
          `The weights of epoch ${now.epoch} were not kept. `,
          explore.dom.h("button", {
            type: "button", class: "rx-link", text: `Go to epoch ${nearest}`,
            onclick: () => this.app.chooseEpoch(nearest),
          }),
        ];
      }
      if (busy) return [progressWords(measure.progress, "queued")];
      if (measure.status === "busy") return [`An earlier cut is still being measured.`];
      if (measure.status === "failed" && same(measure.plan, now.plan)) return [words(measure.error)];
      return [known ? "" : ""];
    }

    renderWarnings() {
      const { now, source } = this.app;
      const lines = [];
      if (now.selection?.held.length) {
        const least = source.shape.groups.find((group) => group.name === now.selection.held[0]).minimum;
        lines.push(`${layers(now.selection.held)} held at the minimum of ${least} channels`);
      }
      const others = (now.nearlyGone || []).filter((name) => !now.selection.held.includes(name));
      if (others.length) lines.push(`${layers(others)} would lose more than 95 %`);
      const key = lines.join("|");
      if (this.warningKey === key) return;
      this.warningKey = key;
      explore.dom.mark(this.warnings, { "data-count": lines.length });
      this.warnings.replaceChildren(...lines.map((line) => explore.dom.h("p", { text: line })));
    }

    renderPrune() {
      const { now, prune, source } = this.app;
      const busy = prune.status === "busy";
      explore.dom.mark(this.prune, {
        disabled: !now.canCut || busy || source.offline,
        title: now.canCut ? "Cut, write, load again and test on the test images" : "Only an epoch whose weights are kept can be cut",
      });
      explore.pruneResult(this.app, this.app.els.find("#prune-result"), {
        stage: (progress) => progressWords(progress, "queued"), words,
      });
    }

    /** Write text or nodes, only when they changed. */
    say(node, parts) {
      const key = parts.map((part) => part.textContent ?? part).join("|");
      if (node.dataset.said === key) return;
      node.dataset.said = key;
      node.replaceChildren(...parts);
    }
  }

  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

  const words = (error) => [error.message, error.hint].filter(Boolean).join(" ");

  const layers = (names) =>
    names.length === 1 ? names[0] : names.length === 2 ? names.join(" and ") : `${names.length} layers`;

  function progressWords(progress, before) {
    if (!progress) return `${before}…`;
    const share = progress.total ? ` ${Math.round((100 * progress.done) / progress.total)}${format().THIN}%` : "";
    return `${STAGES[progress.stage] || progress.stage}…${share}`;
  }

  function remembered() {
    try {
      return localStorage.getItem(AUTO_KEY) === "yes";
    } catch {
      return false; // storage is switched off in this browser
    }
  }

  function remember(on) {
    try {
      localStorage.setItem(AUTO_KEY, on ? "yes" : "no");
    } catch {
      // the choice then holds for this page only
    }
  }

  explore.Actions = Actions;
})();
