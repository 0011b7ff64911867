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
      app.els.find("#curve-slot").append(this.toggle.node);
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
      const [width, height] = [this.host.clientWidth, this.host.clientHeight];
      const epoch = source.curve?.epoch ?? null;
      const points = this.pointsShown(epoch);
      const key = JSON.stringify([width, height, state.x, points.length, points.map((p) => p.correct), epoch,
        now.epoch, state.scope, this.emptyWords(points), this.canMeasure(), Boolean(source.curve?.job), this.others(epoch).length]);
      if (key !== this.key && width > 100) {
        this.key = key;
        this.points = points;
        this.build(width, height, points, epoch === now.epoch);
      }
      this.say(points, epoch);
      this.moveDot(epoch === now.epoch);
    }

    /** Points of the curve in the scope that is chosen. */
    pointsShown(epoch) {
      if (epoch === null) return [];
      return explore.model.curvePoints(this.app.source, epoch, this.scope).sort((a, b) => a.ratio - b.ratio);
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
      const { source, now } = this.app;
      const { format } = core();
      let words = "";
      if (source.curve?.job && points.length) words = this.progressWords();
      else if (points.length && epoch !== now.epoch) words = `of epoch ${epoch}, not of epoch ${now.epoch}`;
      else if (points.length) words = `measured, n = ${format.integer(points[0].n)}`;
      explore.dom.say(this.note, words);
      explore.dom.mark(this.host, {
        "data-points": points.length, "data-lossless": now.lossless && now.lossless.ratio,
        "data-state": points.length ? "curve" : "empty",
      });
    }

    progressWords() {
      const progress = this.app.source.curve.job.progress;
      return progress?.total ? `measuring: ${progress.done} of ${progress.total} ratios` : "waiting to be measured";
    }

    emptyWords(points) {
      const { source, now } = this.app;
      if (points.length || !source.run) return "";
      if (source.curve?.job) return `The accuracy curve is being made: ${this.progressWords()}.`;
      if (source.curve?.points.length) return `The curve was measured with the other scope. Measure single cuts here.`;
      if (!now.finished) return "When the training ends, validation accuracy is measured here at ratios from 0 to 95 %.";
      return "No curve was measured for this run. Single cuts can be measured.";
    }

    /** A finished run with weights but without a curve, for instance a failed one. */
    canMeasure() {
      const { source, now } = this.app;
      return now.finished && source.weights.length > 0 && source.curve && !source.curve.job && !source.curve.points.length;
    }

    build(width, height, points, own) {
      const { h, svg } = explore.dom;
      const others = this.others(this.app.source.curve?.epoch ?? null);
      if (!points.length && !others.length) {
        const job = this.app.source.curve?.job?.progress;
        this.plot = null;
        this.host.replaceChildren(h("div", { class: "rx-curve-empty" }, h("p", { text: this.emptyWords(points) }),
          job?.total ? h("progress", { max: job.total, value: job.done }) : null,
          this.canMeasure() ? h("button", {
            ...explore.dom.named("curve-button"), type: "button", class: "rx-button", text: "Measure the curve",
            onclick: () => explore.jobs.measureCurve(this.app),
          }) : null));
        return;
      }
      const plot = (this.plot = this.geometry(width, height, points, others));
      const { line, band, marks } = this.shapes(plot, points);
      this.dot = svg("circle", { class: "rx-dot", r: 5.5 });
      this.guide = svg("line", { class: "rx-guide", y1: plot.top, y2: plot.bottom });
      this.host.replaceChildren(svg("svg", {
        width, height, viewBox: `0 0 ${width} ${height}`, role: "img", class: own ? "" : "rx-foreign",
        "aria-label": `Validation accuracy over the ${TITLES[this.app.state.x]}; click to choose a cut`,
      }, this.axes(plot), band, line, this.lossless(plot, points), marks, this.singles(plot, others), this.guide, this.dot));
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
        marks: at.map((point) => svg("circle", {
          class: "rx-point", cx: point.x, cy: plot.y(point.accuracy.value), r: 2.4,
        }, svg("title", { text: `${format.share(point.ratio)} removed: ${format.accuracy(point.accuracy.value, point.n)}` }))),
      };
    }

    /** The lossless mark and the floor that defines it: one standard error under the uncut network. */
    lossless(plot, points) {
      const { svg } = explore.dom;
      const ratio = core().losslessRatio(points);
      if (ratio === null || this.app.source.curve?.job) return []; // not known before the last point
      const [dense, point] = [points[0], points.findLast((one) => one.ratio === ratio)];
      const floor = dense.correct / dense.n - core().standardError(dense.correct, dense.n);
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
      const { now, state, source } = this.app;
      let [low, high] = [0, 0.9999];
      for (let i = 0; i < 14; i++) {
        const ratio = (low + high) / 2;
        const { kept } = core().select(now.ranking, { scope: this.scope, ratio, locks: state.locks });
        if (this.saved(ratio, core().cost(source.shape, kept)) < share) low = ratio;
        else high = ratio;
      }
      return (low + high) / 2;
    }
  }

  explore.Curve = Curve;
})();
