/** Accuracy against what is removed or what is left, of every series, with a dot at the shared ratio. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const compare = (recede.compare = recede.compare || {});
  const AXES = {
    ratio: { label: "Neurons", title: "share of the neurons removed", read: (one) => one.ratio, now: (one) => one.ratio.mean },
    macs: { label: "MACs", title: "multiply-adds left, one image", read: (one) => one.cost.macs, now: (one) => one.macs.value.mean },
    params: { label: "Params", title: "parameters left", read: (one) => one.cost.params, now: (one) => one.params.value.mean },
  };
  const LOST = 0.5; // accuracies below this share of the best are not worth the room

  class Accuracy {
    constructor(app, host, words) {
      Object.assign(this, { app, host, words, id: "accuracy", title: "Accuracy after the cut" });
    }

    render() {
      const { app, host } = this;
      const [width, height] = [host.clientWidth, host.clientHeight];
      const drawn = app.series.filter((one) => one.points.length);
      if (width < 100) return;
      if (!drawn.length) return this.empty();
      const { chart } = compare;
      const axis = AXES[app.state.x];
      const y = this.range(drawn);
      const most = Math.max(...drawn.flatMap((one) => one.points.map(axis.read)));
      const x = app.state.x === "ratio" ? [0, 1] : [0, 1.02 * most];
      this.plot = chart.plane(width, height, { x, y });
      const word = app.state.x === "ratio"
        ? (value) => `${Math.round(100 * value)} %` : chart.short;
      this.dots = recede.explore.dom.svg("g", {});
      this.drawing = recede.explore.dom.svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img" },
      chart.axes(this.plot, {
        x: chart.ticks(x[0], x[1], 6), y: chart.ticks(y[0], y[1], 5), xWord: word,
        yWord: (value) => `${Number((100 * value).toFixed(1))} %`, title: axis.title,
      }),
      chart.clipped(this.plot, "compare-clip", drawn.map((one) => this.bandOf(one, axis)), this.frontOf(drawn, axis),
        drawn.map((one) => this.lineOf(one, axis)), drawn.flatMap((one) => this.singlesOf(one, axis))), this.dots);
      host.replaceChildren(this.drawing);
      compare.words.show(this.words, this.signs());
      this.move();
    }

    empty() {
      this.plot = null;
      compare.words.show(this.words, []);
      const text = this.app.series.some((one) => one.members.some((member) => member.measuring))
        ? "The accuracy curves are being measured." : "None of these runs has an accuracy curve yet.";
      this.host.replaceChildren(recede.explore.dom.h("p", { class: "cmp-empty", text }));
    }

    /** From the best accuracy, with its deviation, down to where a cut is worth nothing. */
    range(drawn) {
      const spreads = drawn.flatMap((one) => one.points.map((point) => point.value));
      const singles = drawn.flatMap((one) => one.members.flatMap((member) => member.singles.map((single) => single.accuracy.value)));
      const means = spreads.map((one) => one.mean);
      const best = Math.max(...means, ...singles);
      const top = Math.max(best, ...spreads.map((one) => compare.numbers.band(one)[1]));
      const low = Math.max(Math.min(...means), this.app.state.zoom ? best - 0.1 : LOST * best);
      return [Math.floor(20 * low) / 20, Math.min(1, Math.ceil(50 * top) / 50)];
    }

    /** The figure in words, with where each series stands at the shared ratio. */
    sentence() {
      const { format } = recede.core;
      const names = this.app.series.filter((one) => one.points.length).map((one) => one.name).join("; ");
      const now = this.app.series.filter((one) => one.now?.accuracy).map((one) => {
        const side = { "-1": ", below the axis", 1: ", above the axis", 0: "" }[this.plot.beyond(one.now.accuracy.mean)];
        return `${one.name} ${compare.numbers.plusMinus(one.now.accuracy, (value) => format.accuracy(value, one.n))}${side}`;
      });
      const dots = now.length ? ` At the shared ratio, ${format.share(this.app.state.r)}: ${now.join("; ")}.` : "";
      return `Validation accuracy over the ${AXES[this.app.state.x].title} of ${names}.${dots} The table below has the numbers.`;
    }

    /** What each kind of sign in the figure means, of those that are there. */
    signs() {
      const drawn = this.app.series.filter((one) => one.points.length);
      return [
        ["dot", "at the shared ratio, read between points"],
        drawn.some((one) => one.members.some((member) => member.singles.length)) && ["single", "a cut measured on the whole split"],
        this.app.state.x !== "ratio" && ["front", "front: no cut shown is cheaper and as accurate"],
        drawn.some((one) => one.members.length > 1) && ["band", "mean ± standard deviation over seeds"],
        ["out", "beyond the axis"],
      ].filter(Boolean);
    }

    table() {
      return compare.tables.accuracy(this.app.series, this.app.state.r);
    }

    bandOf(one, axis) {
      if (one.members.length < 2) return null;
      const edge = (side) => one.points.map((point) =>
        [this.plot.x(axis.read(point)), this.plot.y(compare.numbers.band(point.value)[side])]);
      return compare.chart.band(edge(1), edge(0), one.number);
    }

    lineOf(one, axis) {
      return compare.chart.line(one.points.map((point) => [this.plot.x(axis.read(point)), this.plot.y(point.value.mean)]), one.number);
    }

    /** Cuts that were measured on the whole split, on the curve or by themselves, as small open signs. */
    singlesOf(one, axis) {
      const { svg } = recede.explore.dom;
      const { accuracy, share } = recede.core.format;
      return one.members.flatMap((member) => member.singles.map((single) =>
        compare.chart.sign(one.number, {
          class: "cmp-sign cmp-single",
          transform: `translate(${this.plot.x(axis.read(single))} ${this.plot.y(single.accuracy.value)}) scale(0.55)`,
        })).map((node, i) => {
        const single = member.singles[i];
        node.append(svg("title", { text: `${member.run.name}: ${share(single.ratio)} removed, ${accuracy(single.accuracy.value, single.accuracy.n)}` }));
        return node;
      }));
    }

    /** The Pareto front of all that is shown: no cut is cheaper and as accurate. */
    frontOf(drawn, axis) {
      if (this.app.state.x === "ratio") return null;
      const dots = drawn.flatMap((one) => [
        ...one.points.map((point) => ({ cost: axis.read(point), value: point.value.mean })),
        ...one.members.flatMap((member) => member.singles.map((single) => ({ cost: axis.read(single), value: single.accuracy.value }))),
      ]);
      const places = recede.core.front(dots, (dot) => dot.cost, (dot) => dot.value).map((dot) => [this.plot.x(dot.cost), this.plot.y(dot.value)]);
      const d = places.map(([x, y], i) => (i ? `H${x.toFixed(1)}V${y.toFixed(1)}` : `M${x.toFixed(1)} ${y.toFixed(1)}`)).join("");
      return recede.explore.dom.svg("path", { class: "cmp-front", "data-dots": places.length, d });
    }

    /** The dots of the shared ratio; called for every step of a drag. */
    move() {
      if (!this.plot) return;
      const dots = this.app.series.filter((one) => one.now?.accuracy).map((one) => {
        const [at, value] = [AXES[this.app.state.x].now(one.now), one.now.accuracy.mean];
        const side = this.plot.beyond(value);
        return {
          number: one.number, x: this.plot.x(at), value, side, data: { "data-value": value, "data-x": at },
          text: `${side < 0 ? "↓" : "↑"} ${recede.core.format.accuracy(value, one.n)}`,
        };
      });
      const inside = dots.filter((dot) => !dot.side).map((dot) => compare.chart.sign(dot.number, {
        class: "cmp-sign cmp-dot", ...dot.data, transform: `translate(${dot.x.toFixed(1)} ${this.plot.y(dot.value).toFixed(1)})`,
      }));
      this.dots.replaceChildren(...inside, ...compare.chart.outside(this.plot, dots));
      recede.explore.dom.mark(this.drawing, { "aria-label": this.sentence() });
    }
  }

  Object.assign(compare, { Accuracy, AXES });
})();
