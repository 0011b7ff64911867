/** What the series are at the shared ratio, and in what their settings differ: one column a series. */

import { h, setText } from "../lib/elements.js";
import * as format from "../format/numbers.js";
import { differences, plusMinus, spreadOf } from "./series/statistics.js";

/** Mean ± sample standard deviation of several runs, or the value of one with its digits. */
function accuracyText(members, read) {
  const found = members.map(read).filter(Boolean);
  if (!found.length) return "–";
  const n = Math.min(...found.map((one) => one.n));
  return plusMinus(spreadOf(found.map((one) => one.value)), (value) => format.percent(value, n));
}

function numberText(members, read, words) {
  const found = members.map(read).filter((value) => value !== null && value !== undefined);
  const spread = spreadOf(found);
  if (!spread) return "–";
  return spread.std === 0 ? words(spread.mean) : plusMinus(spread, words);
}

const RESULTS = [
  ["Validation accuracy, dense", "Of the best epoch, on held-out images", (one) => accuracyText(one.members, (m) => m.run.val_accuracy)],
  ["Test accuracy, dense", "Of the best epoch, measured once at the end", (one) => accuracyText(one.members, (m) => m.run.test_accuracy)],
  ["Lossless cut", "Largest cut within one standard error of the dense validation accuracy",
    (one) => numberText(one.members, (m) => m.run.lossless_ratio, (v) => format.share(v))],
  ["Neurons", "Prunable neurons of the network", (one) => numberText(one.members, (m) => m.ranking?.size, (v) => format.integer(v))],
  ["Parameters, dense", "Of the network as trained, exact", (one) => numberText(one.members, (m) => m.dense?.params, (v) => format.compact(v))],
  ["MACs, dense", "Multiply-adds of one image as trained, exact", (one) => numberText(one.members, (m) => m.dense?.macs, (v) => format.compact(v))],
];

/** How many of the runs a mean is of, where it is not of all. */
const ofHowMany = (one, { n }) => (n < one.members.length ? `, ${n} of ${one.members.length} runs` : "");

/** A cost that is exact for each run: with its share of the dense network's. */
function costText(one, name) {
  if (!one.now) return "–";
  const { value, share } = one.now[name];
  const same = (spread) => (spread.std === 0 ? { ...spread, std: null } : spread);
  return `${plusMinus(same(value), format.compact)} (${plusMinus(same(share), format.share)})${ofHowMany(one, value)}`;
}

function estimate(one) {
  const found = one.now?.accuracy;
  return found ? plusMinus(found, (value) => format.percent(value, one.n)) + ofHowMany(one, found) : "–";
}

const EACH = "each seed cut separately: mean ± sample standard deviation";
/** Key, name, explanation, and the text of a series. @type {[string, string, string, (one: any) => string][]} */
const AT_RATIO = [
  ["accuracy", "Validation accuracy, between points", `Estimated: on the line between two points of the curve; ${EACH}`, estimate],
  ["macs", "MACs", `Exact: multiply-adds of one image; ${EACH}`, (one) => costText(one, "macs")],
  ["params", "Parameters", `Exact; ${EACH}`, (one) => costText(one, "params")],
];

function words(value) {
  if (value === undefined || value === null) return "–";
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}

export class SettingsTable {
  constructor(app, host) {
    this.app = app;
    this.host = host;
    /** What the form calls each field of a spec. @type {Record<string, string>} */
    this.labels = JSON.parse(app.root.dataset.labels || "{}");
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
        row(this.labels[name] ?? name, `${name} in the run's specification`, values.map((value) => h("td", { class: "mono", text: value })))))));
    this.move();
  }

  /** Fields that differ between runs; the different values of one series stand side by side. */
  differing() {
    const { series } = this.app;
    const owners = series.flatMap((one) => one.members.map(() => one));
    const specs = series.flatMap((one) => one.members.map((member) => member.run.spec));
    const rows = differences(specs).filter(({ name }) => !["name", "seed"].includes(name))
      .map(({ name, values }) => ({
        name, values: series.map((one) => [...new Set(values.filter((_, i) => owners[i] === one).map(words))].join(", ")),
      }));
    const seeds = series.map((one) => one.members.map((member) => member.run.spec.seed).join(", "));
    return [...rows, { name: "seed", values: seeds }];
  }

  /** The numbers at the shared ratio. */
  move() {
    if (!this.title) return;
    const seeds = this.app.series.some((one) => one.members.length > 1) ? " (each seed cut separately, mean ± s.d.)" : "";
    setText(this.title, `At ${format.share(this.app.state.r)} removed${seeds}`);
    AT_RATIO.forEach(([, , , read], i) => this.app.series.forEach((one, column) => {
      setText(this.cells[i][column], read(one));
    }));
  }
}
