/** "What would I lose": two plans side by side, layer by layer and neuron by neuron. */

import { h, icon, named, setAttributes } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";
import * as format from "../../format/numbers.js";
import { costOf, fileBytes } from "../../pruning/cost.js";
import { mask, select } from "../../pruning/selection.js";
import { accuracyOfCut } from "../state/accuracy.js";
import { tidyPlan, withProtected } from "../state/plan.js";

/** @import { Accuracy } from "../../api/types.js" */
/** @import { EpochPlan, Explore, Source } from "../types.js" */

/**
 * What a plan keeps, costs and is known to reach.
 * @returns {Promise<{plan: object, epoch: number, mask: Uint8Array, kept: number[],
 *   layerOf: Uint16Array, cost: any, accuracy: ?Accuracy, removed: number}>}
 * @param {Explore} app @param {EpochPlan} plan
 */
async function sideOf(app, plan) {
  const { source } = app;
  const epoch = plan.epoch ?? source.bestEpoch;
  const ranking = await source.rankingOf(plan, epoch);
  if (!ranking) throw new Error(source.broken.get(epoch) || `The scores of epoch ${epoch} are not available.`);
  const whole = withProtected(tidyPlan({ ...plan, epoch }), source);
  const selection = select(ranking, whole);
  const accuracy = accuracyOfCut(source, epoch, whole, ranking, selection) || (await asked(source, plan));
  return {
    plan, epoch, accuracy, kept: selection.kept, removed: selection.removed,
    mask: mask(ranking, selection), layerOf: ranking.layerOf,
    cost: { ...costOf(source.network, selection.kept), bytes: fileBytes(source.network, selection.kept) },
  };
}

/**
 * What the server knows of its accuracy; null where it knows nothing or does not answer.
 * @param {Source} source @param {EpochPlan} plan
 */
async function asked(source, plan) {
  if (source.offline) return null;
  try {
    const { accuracy } = await source.ofRun("/preview", { method: "POST", body: { plan } });
    return accuracy?.n ? accuracy : null; // a metric that counts no images is compared nowhere
  } catch {
    return null;
  }
}

/** For each layer: kept by either, and how many neurons only one of them keeps. */
function byLayer(groups, a, b) {
  const rows = groups.map((group, l) => ({ name: group.name, size: group.size, a: a.kept[l], b: b.kept[l], onlyA: 0, onlyB: 0 }));
  a.mask.forEach((kept, i) => {
    if (kept === b.mask[i]) return;
    if (kept) rows[a.layerOf[i]].onlyA++;
    else rows[a.layerOf[i]].onlyB++;
  });
  return rows;
}

export class Diff {
  /** @param {Explore} app */
  constructor(app, plans) {
    this.app = app;
    this.plans = plans;
    this.a = "present";
    this.b = null;
    this.asked = 0;
    this.pickA = this.picker("diff-a", "First plan", "a");
    this.pickB = this.picker("diff-b", "Second plan", "b");
    this.content = h("div", { ...named("diff-content"), class: "rx-diff-content", tabindex: 0 });
    this.node = h("dialog", { ...named("diff-dialog"), class: "rx-dialog", "aria-labelledby": "diff-title" },
      h("header", {}, h("h3", { id: "diff-title", text: "What would change?" }),
        h("button", { ...named("diff-close"), type: "button", class: "rx-button rx-square rx-ghost", "aria-label": "Close", onclick: () => this.node.close() }, icon("close"))),
      h("div", { class: "rx-diff-picks" }, h("b", { text: "A" }), this.pickA, h("span", { class: "rx-unit", text: "against" }), h("b", { text: "B" }), this.pickB),
      this.content);
    this.node.addEventListener("click", (event) => event.target === this.node && this.node.close());
    this.node.addEventListener("close", () => this.node.removeAttribute("role"));
    app.els.frame.append(this.node);
  }

  /** @param {string} id @param {string} label */
  picker(id, label, side) {
    return h("select", {
      ...named(id), class: "rx-select rx-select-wide", "aria-label": label,
      onchange: (event) => {
        this[side] = event.target.value === "present" ? "present" : Number(event.target.value);
        this.show();
      },
    });
  }

  destroy() {
    if (this.node.open) this.node.close();
  }

  open(a, b) {
    this.a = a;
    this.b = b;
    this.frozen = this.app.fresh().plan;
    if (!this.frozen) return;
    for (const [select, value] of [[this.pickA, a], [this.pickB, b]]) {
      select.replaceChildren(h("option", { value: "present", text: "Current cut" }),
        ...this.plans.items.map((one) => h("option", { value: one.id, text: one.name })));
      select.value = value;
    }
    this.node.setAttribute("role", "dialog"); // only while open: keys rest where there is one
    if (!this.node.open) this.node.showModal();
    this.show();
  }

  planOf(side) {
    return side === "present" ? this.frozen : this.plans.items.find((one) => one.id === side)?.plan;
  }

  async show() {
    const number = ++this.asked;
    setAttributes(this.content, { "aria-busy": "true" });
    try {
      const [a, b] = await Promise.all([this.a, this.b].map((side) => sideOf(this.app, this.planOf(side))));
      if (number !== this.asked) return;
      this.draw(a, b);
    } catch (error) {
      if (error.name === "AbortError" || number !== this.asked) return;
      this.content.replaceChildren(h("p", { class: "rx-said", role: "alert", text: errorWords(error) }));
    }
    this.content.removeAttribute("aria-busy");
  }

  draw(a, b) {
    const rows = byLayer(this.app.source.network.groups, a, b);
    const changed = rows.filter((row) => row.onlyA || row.onlyB);
    const [onlyA, onlyB] = ["onlyA", "onlyB"].map((name) => rows.reduce((sum, row) => sum + row[name], 0));
    const { integer } = format;
    const words = changed.length
      ? `${integer(onlyA)} neurons are kept by A alone, ${integer(onlyB)} by B alone, in ${changed.length} of ${rows.length} layers.`
      : "Both keep exactly the same neurons.";
    this.content.replaceChildren(this.totals(a, b),
      h("p", { ...named("diff-words"), class: "rx-diff-words", "data-only-a": onlyA, "data-only-b": onlyB, text: words }), this.table(rows));
  }

  totals(a, b) {
    const { compact, share, percent, bytes, NOTHING, THIN } = format;
    const known = (one) => (one ? `${one.kind === "estimated" ? "≈ " : ""}${percent(one.value, one.n)}` : NOTHING);
    const change = (from, to) => (from && to !== null ? `${to >= from ? "+" : "−"}${(100 * Math.abs(to / from - 1)).toFixed(1)}${THIN}%` : NOTHING);
    const points = a.accuracy && b.accuracy ? `${format.points(b.accuracy.value - a.accuracy.value, Math.min(a.accuracy.n, b.accuracy.n))} points` : NOTHING;
    const size = a.mask.length;
    const lines = [
      ["Epoch", String(a.epoch), String(b.epoch), ""],
      ["Neurons removed", `${format.integer(a.removed)} (${share(a.removed / size)})`, `${format.integer(b.removed)} (${share(b.removed / size)})`, change(a.removed, b.removed)],
      ["MACs", compact(a.cost.macs), compact(b.cost.macs), change(a.cost.macs, b.cost.macs)],
      ["Parameters", compact(a.cost.params), compact(b.cost.params), change(a.cost.params, b.cost.params)],
      ...(a.cost.bytes === null ? [] : [["File", bytes(a.cost.bytes), bytes(b.cost.bytes), change(a.cost.bytes, b.cost.bytes)]]),
      ["Validation accuracy", known(a.accuracy), known(b.accuracy), points],
    ];
    return h("table", { ...named("diff-totals"), class: "rx-table" },
      head(h, ["", "A", "B", "B against A"]),
      h("tbody", {}, lines.map(([name, ...cells]) => h("tr", {}, h("th", { scope: "row", text: name }), cells.map((text) => h("td", { text }))))));
  }

  table(rows) {
    const { integer } = format;
    return h("table", { ...named("diff-layers"), class: "rx-table" },
      head(h, ["Layer", "Kept, A → B", "", "Only in A", "Only in B"]),
      h("tbody", {}, rows.map((row) => h("tr", { "data-layer": row.name, "data-same": !row.onlyA && !row.onlyB, "data-only-a": row.onlyA, "data-only-b": row.onlyB },
        h("th", { scope: "row", text: row.name }),
        h("td", { text: row.a === row.b ? `${integer(row.a)} of ${integer(row.size)}` : `${integer(row.a)} → ${integer(row.b)} of ${integer(row.size)}` }),
        h("td", { class: "rx-diff-bars", "aria-hidden": "true" }, h("i", { style: `width: ${(100 * row.a) / row.size}%` }), h("i", { style: `width: ${(100 * row.b) / row.size}%` })),
        h("td", { text: row.onlyA ? integer(row.onlyA) : "" }), h("td", { text: row.onlyB ? integer(row.onlyB) : "" })))));
  }
}

/** @param {string[]} names */
const head = (h, names) => h("thead", {}, h("tr", {}, names.map((text) => h("th", { scope: "col", text }))));
