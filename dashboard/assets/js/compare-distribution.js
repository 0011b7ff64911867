/** The importances of every series over each other: share of the neurons, as outlines. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const compare = (recede.compare = recede.compare || {});

  class Distribution {
    constructor(app, host) {
      Object.assign(this, { app, host });
    }

    render() {
      const { app, host } = this;
      const [width, height] = [host.clientWidth, host.clientHeight];
      const drawn = app.series.filter((one) => one.members.some((member) => member.ranking));
      if (width < 100) return;
      if (!drawn.length) {
        this.plot = null;
        host.replaceChildren(recede.explore.dom.h("p", { class: "cmp-empty", text: "No importances are stored yet." }));
        return;
      }
      const { chart, numbers } = compare;
      const log = app.state.d === "log";
      const densities = drawn.map((one) => this.densityOf(one));
      const top = Math.max(...densities.flatMap((one) => [...one]));
      const x = log ? numbers.LOG_RANGE : [0, 1];
      this.plot = chart.plane(width, height, { x, y: [0, 1.06 * top] });
      this.marks = recede.explore.dom.svg("g", {});
      host.replaceChildren(recede.explore.dom.svg("svg", {
        width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
        "aria-label": `Distribution of the importances of ${drawn.map((one) => one.name).join("; ")}`,
      },
      chart.axes(this.plot, {
        x: chart.ticks(x[0], x[1], 6), y: chart.ticks(0, top, 4),
        xWord: (value) => (log ? decade(value) : String(Number(value.toFixed(2)))),
        yWord: (value) => `${Number((100 * value).toFixed(1))} %`,
        title: log ? "importance, logarithmic; marks: the threshold of the shared ratio" : "importance; marks: the threshold of the shared ratio",
      }),
      drawn.map((one, i) => chart.line(this.outline(densities[i], x), one.number)), this.marks));
      this.move();
    }

    densityOf(one) {
      const parts = one.members.filter((member) => member.ranking).map((member) =>
        compare.numbers.density(recede.core.importances(member.ranking.raw, member.shape.scale), this.app.state.d));
      return parts[0].map((_, bin) => parts.reduce((sum, part) => sum + part[bin], 0) / parts.length);
    }

    outline(density, [low, high]) {
      const width = (high - low) / density.length;
      return [...density].flatMap((value, bin) => [
        [this.plot.x(low + bin * width), this.plot.y(value)], [this.plot.x(low + (bin + 1) * width), this.plot.y(value)],
      ]);
    }

    /** A sign on the axis where each series is cut. */
    move() {
      if (!this.plot) return;
      this.marks.replaceChildren(...this.app.series.flatMap((one) => {
        const threshold = one.now?.threshold;
        if (!threshold) return [];
        const at = this.app.state.d === "log" ? Math.log10(threshold) : threshold;
        return [compare.chart.sign(one.number, {
          class: "cmp-sign cmp-dot", transform: `translate(${this.plot.x(at).toFixed(1)} ${this.plot.bottom}) scale(0.8)`,
        })];
      }));
    }
  }

  const decade = (value) => ({ 0: "1", "-1": "0.1", "-2": "0.01" })[value] || `1e${value}`;

  compare.Distribution = Distribution;
})();
