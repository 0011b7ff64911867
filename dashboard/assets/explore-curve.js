/** Measured accuracy over what is removed, with intervals, the lossless mark and the moving dot. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});
  const core = () => window.recede.core;

  const MARGIN = { left: 44, right: 14, top: 10, bottom: 36 };
  const SNAP_PX = 7; // a click this near to a measured point takes that very cut
  const TITLES = {
    ratio: "share of the neurons removed", macs: "share of the MACs saved", params: "share of the parameters saved",
  };

  const FULL = 90; // points; the map of a training leaves only a few

  /** "91.20 % ± 0.45 (estimated from 760 of 6,000 images)". */
  function pointWords({ kind, value, n, n_split: whole, split_low: low, split_high: high }) {
    const { format } = core();
    const shown = format.accuracy(value, whole);
    if (kind === "measured") return `${shown}, measured on ${format.integer(n)} images`;
    const half = (50 * (high - low)).toFixed(2);
    return `${shown} ± ${half}, estimated from ${format.integer(n)} of ${format.integer(whole)} images`;
  }

  class Curve {
    constructor(app) {
      this.app = app;
      this.host = app.els.find("#curve");
      this.note = app.els.find("#curve-note");
      this.key = "";
      this.toggle = explore.dom.segmented({
        id: "curve-axis", label: "Horizontal axis of the curve",
        options: [["ratio", "Neurons", TITLES.ratio], ["macs", "MACs", TITLES.macs], ["params", "Params", TITLES.params]],
        pick: (x) => app.set({ x }),
      });
      this.compare = new explore.CurveCompare(app, this);
      this.button = explore.dom.h("button", {
        type: "button", class: "rx-button", text: "Measure", hidden: true, "data-testid": "curve-more",
        title: "Measure the whole curve of this choice: 100 ratios to ± 0.5 points",
        onclick: () => explore.jobs.measureCurve(app, this.place),
      });
      app.els.find("#curve-slot").append(this.compare.node, this.button, this.toggle.node);
      this.observer = new ResizeObserver(() => app.dirty());
      this.observer.observe(this.host);
      this.host.addEventListener("pointerdown", (event) => this.press(event));
    }

    destroy() {
      this.observer.disconnect();
    }

    /** Share saved on the horizontal axis, of a cut with this ratio and cost. */
    saved(ratio, cost) {
      const { x } = this.app.state;
      return x === "ratio" ? ratio : 1 - cost[x] / this.app.now.dense[x];
    }

    render() {
      const { app } = this;
      const { now, state, source } = app;
      this.toggle.show(state.x);
      this.compare.render();
      const [width, height] = [this.host.clientWidth, this.host.clientHeight];
      const curve = this.curveShown();
      const epoch = curve?.epoch ?? null;
      const points = curve?.points || [];
      const other = this.compare.curve(epoch);
      const key = JSON.stringify([width, height, state.x, points.map((p) => p.accuracy), epoch, now.epoch, state.scope,
        state.criterion, this.emptyWords(points), this.canMeasure(), Boolean(curve?.job), this.others(epoch).length,
        this.compare.chosen, other?.points.length, app.scheme]);
      if (key !== this.key && width > 100) {
        this.key = key;
        this.build(width, height, points, epoch === now.epoch, other);
      }
      this.say(points, epoch);
      this.moveDot(epoch === now.epoch);
    }

    /** The place of the curve that belongs to the present choice. */
    get place() {
      const { state, now } = this.app;
      return { epoch: now.epoch, scope: this.scope, criterion: state.criterion || "importance", bias: state.bias || "drop" };
    }

    /** That curve; as long as its epoch has none, the run's own one, drawn as a foreign one. */
    curveShown() {
      const { source } = this.app;
      const own = explore.curves.of(source, this.place);
      if (own?.points.length || own?.job || !source.curve) return own;
      const main = explore.curves.of(source, { ...this.place, epoch: source.curve.epoch });
      return main?.points.length || main?.job ? main : own;
    }

    get scope() {
      return this.app.state.by === "threshold" ? "global" : this.app.state.scope;
    }

    /** Single cuts that were measured beside the curve. */
    others(epoch) {
      return [...this.app.source.evaluations.values()].filter((one) =>
        one.epoch === (this.app.now.hasWeights ? this.app.now.epoch : epoch) && !one.on_curve);
    }

    say(points, epoch) {
      const { now } = this.app;
      const { format } = core();
      let words = "";
      if (this.curveShown()?.job && points.length) words = this.progressWords();
      else if (points.length && epoch !== now.epoch) words = `of epoch ${epoch}, not of epoch ${now.epoch}`;
      else if (points.length) {
        const estimated = points.filter((one) => one.accuracy.kind === "estimated").length;
        const n = format.integer(points[0].accuracy.n_split);
        words = estimated
          ? `${points.length - estimated} of ${points.length} points measured on all ${n} images, the others estimated`
          : `measured, n = ${n}`;
      }
      explore.dom.say(this.note, words);
      explore.dom.mark(this.host, {
        "data-points": points.length, "data-lossless": now.lossless && now.lossless.ratio,
        "data-state": points.length ? "curve" : "empty",
      });
      this.button.hidden = !points.length || !this.canMeasure();
    }

    progressWords() {
      const progress = this.curveShown().job.progress;
      return progress?.total ? `measuring: ${progress.done} of ${progress.total} ratios` : "waiting to be measured";
    }

    emptyWords(points) {
      const { source, now } = this.app;
      if (points.length || !source.run) return "";
      if (this.curveShown()?.job) return `The accuracy curve is being made: ${this.progressWords()}.`;
      if (!now.finished && !now.hasWeights) return "When the training ends, validation accuracy is measured here at ratios from 0 to 99 %.";
      if (source.curve?.points.length) return "This curve was not measured yet. Single cuts can be measured, too.";
      return "No curve was measured for this run. Single cuts can be measured.";
    }

    /** Whether there are weights for it, and something is left to measure. */
    canMeasure() {
      const { source, now } = this.app;
      const curve = explore.curves.of(source, this.place);
      return source.weights.length > 0 && now.hasWeights && Boolean(curve) && !curve.job && curve.points.length < FULL;
    }

    build(width, height, points, own, other) {
      const { h, svg } = explore.dom;
      const curve = this.curveShown();
      const others = this.others(curve?.epoch ?? null);
      if (!points.length && !others.length) {
        const job = curve?.job?.progress;
        this.plot = null;
        this.host.replaceChildren(h("div", { class: "rx-curve-empty" }, h("p", { text: this.emptyWords(points) }),
          job?.total ? h("progress", { max: job.total, value: job.done }) : null,
          this.canMeasure() ? h("button", {
            ...explore.dom.named("curve-button"), type: "button", class: "rx-button", text: "Measure the curve",
            onclick: () => explore.jobs.measureCurve(this.app, this.place),
          }) : null));
        return;
      }
      const plot = (this.plot = this.geometry(width, height, points, others));
      const overlay = other?.points.length ? this.compare.shapes(plot, other) : [];
      const { line, band, marks } = this.shapes(plot, points);
      this.dot = svg("circle", { class: "rx-dot", r: 5.5 });
      this.guide = svg("line", { class: "rx-guide", y1: plot.top, y2: plot.bottom });
      this.host.replaceChildren(svg("svg", {
        width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: own ? "" : "rx-foreign",
        "aria-label": `Validation accuracy over the ${TITLES[this.app.state.x]}; click to choose a cut`,
      }, this.axes(plot), band, overlay, line, this.lossless(plot, points), marks, this.singles(plot, others), this.guide, this.dot));
    }

    geometry(width, height, points, others) {
      const values = [...points, ...others].map((point) => point.accuracy);
      const low = Math.floor(10 * Math.min(...values.map((one) => one.low))) / 10;
      const high = Math.min(1, Math.ceil(20 * Math.max(...values.map((one) => one.high))) / 20);
      const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, height - MARGIN.bottom];
      return {
        left, right, top, bottom, low, high,
        x: (share) => left + share * (right - left),
        y: (value) => bottom - ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (bottom - top),
        at: (px) => Math.min(1, Math.max(0, (px - left) / (right - left))),
      };
    }

    axes(plot) {
      const { svg } = explore.dom;
      const out = [];
      const step = plot.high - plot.low > 0.5 ? 0.2 : plot.high - plot.low > 0.2 ? 0.1 : 0.05;
      for (let value = Math.ceil(plot.low / step - 1e-9) * step; value <= plot.high + 1e-9; value += step) {
        const y = Math.round(plot.y(value)) + 0.5;
        out.push(svg("line", { class: "rx-grid", x1: plot.left, x2: plot.right, y1: y, y2: y }),
          svg("text", { x: plot.left - 8, y: y + 4, "text-anchor": "end", text: `${Math.round(100 * value)} %` }));
      }
      for (let share = 0; share <= 1.001; share += 0.2) {
        out.push(svg("text", { x: plot.x(share), y: plot.bottom + 15, "text-anchor": share > 0.99 ? "end" : "middle", text: `${Math.round(100 * share)} %` }));
      }
      out.push(svg("text", { x: plot.left, y: plot.bottom + 31, text: TITLES[this.app.state.x] }));
      return out;
    }

    shapes(plot, points) {
      const { svg } = explore.dom;
      const at = points.map((point) => ({ ...point, x: plot.x(this.saved(point.ratio, point.cost)) }));
      const path = (list) => list.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
      const upper = at.map((point) => [point.x, plot.y(point.accuracy.high)]);
      const lower = at.map((point) => [point.x, plot.y(point.accuracy.low)]).reverse();
      this.targets = at;
      const { format } = core();
      return {
        band: svg("path", { class: "rx-band-area", d: at.length ? `${path([...upper, ...lower])}Z` : "" }),
        line: svg("path", { class: "rx-curve-line", d: path(at.map((point) => [point.x, plot.y(point.accuracy.value)])) }),
        // Filled: measured on the whole split; hollow: estimated from a part of it.
        marks: at.map((point) => svg("circle", {
          class: "rx-point", "data-kind": point.accuracy.kind, cx: point.x, cy: plot.y(point.accuracy.value), r: 2.2,
        }, svg("title", { text: `${format.share(point.ratio)} removed: ${pointWords(point.accuracy)}` }))),
      };
    }

    /** The lossless mark and the floor that defines it: one standard error under the uncut network. */
    lossless(plot, points) {
      const { svg } = explore.dom;
      const ratio = core().losslessRatio(points);
      if (ratio === null || this.curveShown()?.job) return []; // not known before the last point
      const [dense, point] = [points[0], points.findLast((one) => one.ratio === ratio)];
      const floor = core().floorOf(dense.accuracy);
      const [x, y] = [plot.x(this.saved(point.ratio, point.cost)), plot.y(floor)];
      const turn = x > plot.left + 110; // left of the mark the curve is still high: room for words
      return [
        svg("line", { class: "rx-floor", x1: plot.left, x2: plot.right, y1: y, y2: y },
          svg("title", { text: "Uncut accuracy less one standard error" })),
        svg("line", { class: "rx-lossless", x1: x, x2: x, y1: plot.y(point.accuracy.value), y2: plot.bottom }),
        svg("text", {
          class: "rx-lossless-text", x: x + (turn ? -6 : 6), y: plot.bottom - 7, "text-anchor": turn ? "end" : "start",
          text: `lossless ${core().format.share(ratio)}`,
        }),
      ];
    }

    singles(plot, others) {
      return others.map((one) => explore.dom.svg("rect", {
        class: "rx-single", width: 6, height: 6, x: -3, y: -3,
        transform: `translate(${plot.x(this.saved(one.ratio, one.cost))} ${plot.y(one.accuracy.value)}) rotate(45)`,
      }));
    }

    /** Hollow: estimated; filled: measured; no dot where nothing is known. */
    moveDot(own) {
      const { now } = this.app;
      if (!this.plot || !now.selection) return;
      const x = this.plot.x(this.saved(now.selection.ratio, now.cost));
      const { mark } = explore.dom;
      mark(this.guide, { x1: x.toFixed(1), x2: x.toFixed(1) });
      const known = now.accuracy;
      mark(this.dot, {
        visibility: known ? "visible" : "hidden", cx: x.toFixed(1), cy: known ? this.plot.y(known.value).toFixed(1) : 0,
        "data-kind": known?.kind, "data-own": own,
      });
    }

    press(event) {
      if (!this.plot || event.button !== 0 || !this.app.now.ranking) return;
      const { left } = this.host.getBoundingClientRect();
      const move = (e, snap) => this.choose(e.clientX - left, snap);
      this.host.setPointerCapture(event.pointerId);
      event.preventDefault();
      const onMove = (e) => move(e, false);
      this.host.addEventListener("pointermove", onMove);
      this.host.addEventListener("lostpointercapture", () => {
        this.host.removeEventListener("pointermove", onMove);
        this.app.released();
      }, { once: true });
      move(event, true);
    }

    choose(px, snap) {
      const near = snap && (this.targets || []).find((point) => Math.abs(point.x - px) < SNAP_PX);
      const ratio = near ? near.ask : this.ratioFor(this.plot.at(px));
      this.app.choose({ by: "ratio", ratio: Math.min(0.9999, Number(ratio.toFixed(4))) });
    }

    /** The ratio that saves this share; MACs and parameters fall with the ratio, so halving finds it. */
    ratioFor(share) {
      if (this.app.state.x === "ratio") return share;
      const { now, source } = this.app;
      let [low, high] = [0, 0.9999];
      for (let i = 0; i < 14; i++) {
        const ratio = (low + high) / 2;
        const { kept } = core().select(now.ranking, this.app.planFor({ ratio, threshold: null }));
        if (this.saved(ratio, core().cost(source.shape, kept)) < share) low = ratio;
        else high = ratio;
      }
      return (low + high) / 2;
    }
  }

  explore.Curve = Curve;
})();
