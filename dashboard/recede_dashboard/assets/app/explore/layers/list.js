/** The layers: what each keeps and loses, its lock or own ratio, and which one is selected. */

import { h, icon, setAttributes, setText } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";
import { OwnRatio, toggleLock } from "./own_ratio.js";

/** @import { Explore, Now, State } from "../types.js" */
/** @import { Shape } from "../../pruning/selection.js" */

export class Layers {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.list = app.els.find("#layer-list");
    this.note = app.els.find("#layer-note");
    this.rows = [];
    this.list.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {Shape} shape */
  build(shape) {
    this.all = this.row(null, "All layers", null);
    this.rows = shape.groups.map((group) => this.row(group.name, group.name, this.lock(group.name)));
    this.list.style.setProperty("--rx-row", shape.groups.length <= 16 ? "30px" : "25px");
    const longest = Math.max(...shape.groups.map((group) => group.name.length));
    this.list.style.setProperty("--rx-name", `${Math.min(120, Math.max(66, 6.8 * longest))}px`);
    const total = shape.groups.reduce((sum, group) => sum + group.size, 0);
    this.list.style.setProperty("--rx-side", `${Math.max(88, 13.4 * format.integer(total).length + 20)}px`);
    const list = h("ul", {}, [this.all, ...this.rows].map((row) => row.node));
    this.list.replaceChildren(list);
  }

  /** @param {?string} name @param {string} label @param {?HTMLButtonElement} lock */
  row(name, label, lock) {
    const kept = h("b", { text: "–" });
    const size = h("span", { text: "" });
    const count = h("span", { class: "rx-layer-count" }, kept, size);
    const bar = h("span", { class: "rx-bar", "aria-hidden": "true" }, h("i"));
    const tag = h("span", { class: "rx-layer-tag" });
    const main = h("button", {
      type: "button", class: "rx-layer-main", "aria-pressed": "false", "data-layer": name || "",
      onclick: () => {
        this.app.set({ layer: name === this.app.state.layer ? null : name });
        this.app.fresh(); // Tab leads into the strip below the row
      },
    }, h("span", { class: "rx-layer-name", title: label, text: label }), bar, h("span", { class: "rx-layer-side" }, tag, count));
    const node = h("li", { class: "rx-layer", "data-layer": name || "", "data-testid": name ? `layer-${name}` : "layer-all" },
      lock || h("span"), main);
    return { name, node, main, bar, count: { kept, size }, tag, lock, key: "" };
  }

  /** @param {string} name */
  lock(name) {
    return h("button", {
      type: "button", class: "rx-lock", "aria-pressed": "false", "aria-label": `Lock ${name}: keep all its channels in this cut`,
      title: "Lock: keep all channels of this layer in this cut",
      onclick: () => toggleLock(this.app, name),
    }, icon("lock"));
  }

  /** Arrow keys move between the rows. */
  key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    const same = event.target.classList[0];
    const buttons = [...this.list.querySelectorAll(`.${same}`)];
    const next = buttons[buttons.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  render() {
    const { source, now, state } = this.app;
    if (!source.shape) return;
    if (!this.rows.length) this.build(source.shape);
    if (!now.selection) return;
    const [warn, held, rounded] = [now.nearlyGone, now.selection.held, now.selection.rounded || []].map((names) => new Set(names));
    const shield = source.run?.protected || [];
    source.shape.groups.forEach((group, l) => {
      const { name, size, minimum } = group;
      this.show(this.rows[l], now.selection.kept[l], size, {
        held: held.has(name), warn: warn.has(name), rounded: rounded.has(name), multiple: state.roundTo,
        locked: state.locks.includes(name), selected: state.layer === name, own: state.overrides[name],
        shielded: shield.includes(name), minimum: Math.min(size, state.minChannels ?? minimum),
      });
    });
    const size = source.shape.groups.reduce((sum, group) => sum + group.size, 0);
    this.show(this.all, size - now.selection.removed, size, { selected: now.layer < 0 });
    const own = Object.keys(state.overrides).length;
    const parts = [
      "kept / size", state.locks.length && `${state.locks.length} locked`, own && `${own} own`, shield.length && `${shield.length} protected`,
    ];
    setText(this.note, parts.filter(Boolean).join(", "));
    this.renderOwn(now, state, shield);
  }

  /** The strip below the selected layer's row. @param {Now} now @param {State} state */
  renderOwn(now, state, shield) {
    const { name } = this.strip || {};
    if (name !== (now.layer >= 0 ? state.layer : undefined)) {
      this.strip?.node.remove();
      this.strip = now.layer >= 0 ? new OwnRatio(this.app, state.layer) : null;
      if (this.strip) this.rows[now.layer].node.append(this.strip.node);
    }
    if (!this.strip) return;
    const { size } = this.app.source.shape.groups[now.layer];
    this.strip.render({
      own: state.overrides[state.layer], shielded: shield.includes(state.layer), kept: now.selection.kept[now.layer], size,
      why: this.rows[now.layer].why,
    });
  }

  /**
   * @param {any} row @param {number} kept @param {number} size
   * @param {{held?: boolean, warn?: boolean, rounded?: boolean, multiple?: number, locked?: boolean, selected?: boolean, own?: number, shielded?: boolean, minimum?: number}} facts
   */
  show(row, kept, size, { held, warn, rounded, multiple, locked, selected, own, shielded, minimum }) {
    const key = [kept, held, warn, rounded && multiple, locked, selected, own, shielded, minimum].join();
    if (row.key === key) return;
    row.key = key;
    row.bar.style.setProperty("--rx-kept-share", kept / size);
    setText(row.count.kept, format.integer(kept));
    setText(row.count.size, ` / ${format.integer(size)}`);
    const { share } = format;
    /** Whether it holds, the tag, what it says, its tone. @type {[boolean, string, string, string?][]} */
    const tags = [
      [shielded, "safe", "Always kept: no plan of this run cuts this layer"],
      [held, "min", `Held at its minimum of ${minimum} channels`, "warn"],
      [warn, ">95 %", "Would lose more than 95 %", "warn"],
      [own !== undefined, `${Number((100 * (own ?? 0)).toFixed(1))}${format.THIN}%`, "It has its own ratio"],
      [rounded, `×${multiple}`, `Rounded up to a multiple of ${multiple}`],
      [locked, "lock", "Locked: keeps all its channels"],
    ];
    const holding = tags.filter(([holds]) => holds);
    const [, tag, title, tone] = holding[0] || [];
    row.why = holding.map(([, , words]) => `${words}.`).join(" ");
    setText(row.tag, tag || "");
    setAttributes(row.tag, { "data-tone": tone, title });
    setAttributes(row.main, {
      "aria-pressed": String(Boolean(selected)),
      "aria-label": `${row.name || "All layers"}: ${kept} of ${size} kept`
        + `${held ? ", held at its minimum" : ""}${locked ? ", locked" : ""}${shielded ? ", protected" : ""}`
        + `${own !== undefined ? `, own ratio ${share(own)}` : ""}${rounded ? ", rounded up" : ""}`,
    });
    setAttributes(row.node, {
      "data-kept": kept, "data-size": size, "data-value": kept, "data-held": held || null,
      "data-locked": locked || null, "data-selected": selected || null, "data-own": own, "data-protected": shielded || null,
    });
    if (row.lock) {
      setAttributes(row.lock, {
        "aria-pressed": String(Boolean(locked || shielded)), disabled: shielded,
        title: shielded ? "Always kept in this run: select the layer to change that" : "Lock: keep all channels of this layer in this cut (k)",
      });
    }
  }
}
