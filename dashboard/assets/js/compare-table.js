/** What the series are at the shared ratio, and in what their settings differ: one column a series. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const compare = (recede.compare = recede.compare || {});
  const h = (...args) => recede.explore.dom.h(...args);
  const format = () => recede.core.format;

  /** Mean ± sample standard deviation of several runs, or the value of one with its digits. */
  function accuracyText(members, read) {
    const found = members.map(read).filter(Boolean);
    if (!found.length) return "–";
    const n = found[0].n;
    const { mean, std } = compare.numbers.spread(found.map((one) => one.value));
    const text = format().accuracy(mean, n);
    return std === null ? text : `${text} ± ${(100 * std).toFixed(format().decimals(n))}`;
  }

  function numberText(members, read, words) {
    const found = members.map(read).filter((value) => value !== null && value !== undefined);
    const spread = compare.numbers.spread(found);
    if (!spread) return "–";
    const same = new Set(found).size === 1;
    return spread.std === null || same ? words(spread.mean) : `${words(spread.mean)} ± ${words(spread.std)}`;
  }

  const RESULTS = [
    ["Validation accuracy, dense", "Of the best epoch, on held-out images", (one) => accuracyText(one.members, (m) => m.run.val_accuracy)],
    ["Test accuracy, dense", "Of the best epoch, measured once at the end", (one) => accuracyText(one.members, (m) => m.run.test_accuracy)],
    ["Lossless cut", "Largest cut within one standard error of the dense validation accuracy",
      (one) => numberText(one.members, (m) => m.run.lossless_ratio, (v) => format().share(v))],
    ["Neurons", "Prunable neurons of the network", (one) => numberText(one.members, (m) => m.ranking?.size, (v) => format().integer(v))],
    ["Parameters, dense", "Of the network as trained, exact", (one) => numberText(one.members, (m) => m.dense?.params, (v) => format().compact(v))],
    ["MACs, dense", "Multiply-adds of one image as trained, exact", (one) => numberText(one.members, (m) => m.dense?.macs, (v) => format().compact(v))],
  ];

  const AT_RATIO = [
    ["accuracy", "Validation accuracy, between points", "Estimated: on the line between two points of the curve",
      (one) => (one.now?.value === null || !one.now ? "–" : `${format().accuracy(one.now.value, one.n)}${one.now.std ? ` ± ${(100 * one.now.std).toFixed(format().decimals(one.n))}` : ""}`)],
    ["macs", "MACs", "Exact: multiply-adds of one image", (one) => (one.now ? `${format().compact(one.now.cost.macs)} (${format().share(one.now.cost.macs / one.dense.macs)})` : "–")],
    ["params", "Parameters", "Exact", (one) => (one.now ? `${format().compact(one.now.cost.params)} (${format().share(one.now.cost.params / one.dense.params)})` : "–")],
  ];

  function words(value) {
    if (value === undefined || value === null) return "–";
    return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
  }

  class Table {
    constructor(app, host) {
      Object.assign(this, { app, host });
    }

    render() {
      const { series } = this.app;
      this.cells = AT_RATIO.map(([key]) => series.map(() => h("td", { "data-at": key })));
      this.title = h("th", { scope: "rowgroup", colspan: series.length + 1, class: "cmp-section" });
      const group = (title, rows) => h("tbody", {}, h("tr", {}, title), ...rows);
      const row = (name, hint, cells) => h("tr", {}, h("th", { scope: "row", title: hint, text: name }), cells);
      const texts = (read) => series.map((one) => h("td", { text: read(one) }));
      const section = (text) => h("th", { scope: "rowgroup", colspan: series.length + 1, class: "cmp-section", text });
      this.host.replaceChildren(h("table", { class: "table cmp-table" },
        h("thead", {}, h("tr", {}, h("td", {}), series.map((one) => h("th", { scope: "col" }, this.app.legend(one))))),
        group(this.title, AT_RATIO.map(([, name, hint], i) => row(name, hint, this.cells[i]))),
        group(section("Results"), RESULTS.map(([name, hint, read]) => row(name, hint, texts(read)))),
        group(section("Settings that differ"), this.differing().map(({ name, values }) =>
          row(name, "A field of the run's specification", values.map((value) => h("td", { class: "mono", text: value })))))));
      this.move();
    }

    /** Fields that differ between series; seeds of one series stand side by side. */
    differing() {
      const { series } = this.app;
      const rows = compare.numbers.differences(series.map((one) => one.members[0].run.spec))
        .filter(({ name }) => !["name", "seed"].includes(name))
        .map(({ name, values }) => ({ name, values: values.map(words) }));
      const seeds = series.map((one) => one.members.map((member) => member.run.spec.seed).join(", "));
      return [...rows, { name: "seed", values: seeds }];
    }

    /** The numbers at the shared ratio. */
    move() {
      if (!this.title) return;
      recede.explore.dom.say(this.title, `With ${format().share(this.app.state.r)} of the neurons asked to go`);
      AT_RATIO.forEach(([, , , read], i) => this.app.series.forEach((one, column) => {
        recede.explore.dom.say(this.cells[i][column], read(one));
      }));
    }
  }

  compare.Table = Table;
})();
