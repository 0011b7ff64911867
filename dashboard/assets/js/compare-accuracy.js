/** Accuracy against what is removed or what is left, of every series, with a dot at the shared ratio. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const compare = (recede.compare = recede.compare || {});
  const AXES = {
    ratio: { label: "Neurons", title: "share of the neurons removed", read: (one) => one.ratio },
    macs: { label: "MACs", title: "multiply-adds left, one image", read: (one) => one.cost.macs },
    params: { label: "Params", title: "parameters left", read: (one) => one.cost.params },
  };
  const LOST = 0.5; // accuracies below this share of the best are not worth the room

  class Accuracy {
    constructor(app, host) {
      Object.assign(this, { app, host });
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
      host.replaceChildren(recede.explore.dom.svg("svg", {
        width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": this.sentence(drawn, axis),
      },
      chart.axes(this.plot, {
        x: chart.ticks(x[0], x[1], 6), y: chart.ticks(y[0], y[1], 5), xWord: word,
        yWord: (value) => `${Number((100 * value).toFixed(1))} %`, title: axis.title,
      }),
      chart.clipped(this.plot, "compare-clip", drawn.map((one) => this.bandOf(one, axis)), this.frontOf(drawn, axis),
        drawn.map((one) => this.lineOf(one, axis)), drawn.flatMap((one) => this.singlesOf(one, axis))), this.dots));
      this.move();
    }

    empty() {
      this.plot = null;
      const text = this.app.series.some((one) => one.members.some((member) => member.measuring))
        ? "The accuracy curves are being measured." : "None of these runs has an accuracy curve yet.";
      this.host.replaceChildren(recede.explore.dom.h("p", { class: "cmp-empty", text }));
    }

    /** From the best accuracy down to where a cut is worth nothing. */
    range(drawn) {
      const values = drawn.flatMap((one) => one.points.map((point) => point.value.mean));
      const [best, worst] = [Math.max(...values), Math.min(...values)];
      const low = this.app.state.zoom ? Math.max(worst, best - 0.1) : Math.max(worst, LOST * best);
      return [Math.floor(20 * low) / 20, Math.min(1, Math.ceil(50 * best) / 50)];
    }

    sentence(drawn, axis) {
      const names = drawn.map((one) => one.name).join("; ");
      return `Validation accuracy over the ${axis.title} of ${names}. The table below has the numbers.`;
    }

    places(one, axis, shift = 0) {
      return one.points.map((point) => [
        this.plot.x(axis.read(point)), this.plot.y(point.value.mean + shift * (point.value.std || 0)),
      ]);
    }

    bandOf(one, axis) {
      if (one.members.length < 2) return null;
      return compare.chart.band(this.places(one, axis, 1), this.places(one, axis, -1), one.number);
    }

    lineOf(one, axis) {
      return compare.chart.line(this.places(one, axis), one.number);
    }

    /** Cuts that were measured one by one, as small signs. */
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
      const axis = AXES[this.app.state.x];
      this.dots.replaceChildren(...this.app.series.flatMap((one) => {
        const at = one.now;
        if (!at || at.value === null) return [];
        const x = this.app.state.x === "ratio" ? at.ratio : at.cost[this.app.state.x];
        return [compare.chart.sign(one.number, {
          class: "cmp-sign cmp-dot", "data-value": at.value, "data-x": axis && x,
          transform: `translate(${this.plot.x(x).toFixed(1)} ${this.plot.inside(at.value).toFixed(1)})`,
        })];
      }));
    }
  }

  Object.assign(compare, { Accuracy, AXES });
})();
