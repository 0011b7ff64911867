/** The layers: what each keeps and loses, its lock, and which one the distribution shows. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});
  const format = () => window.recede.core.format;

  class Layers {
    constructor(app) {
      this.app = app;
      this.list = app.els.find("#layer-list");
      this.note = app.els.find("#layer-note");
      this.rows = [];
      this.list.addEventListener("keydown", (event) => this.key(event));
    }

    build(shape) {
      const { h } = explore.dom;
      this.all = this.row(null, "All layers", null);
      this.rows = shape.groups.map((group) => this.row(group.name, group.name, this.lock(group.name)));
      this.list.style.setProperty("--rx-row", shape.groups.length <= 16 ? "30px" : "25px");
      const longest = Math.max(...shape.groups.map((group) => group.name.length));
      this.list.style.setProperty("--rx-name", `${Math.min(120, Math.max(66, 6.8 * longest))}px`);
      const total = shape.groups.reduce((sum, group) => sum + group.size, 0);
      this.list.style.setProperty("--rx-side", `${Math.max(88, 13.4 * format().integer(total).length + 20)}px`);
      const list = h("ul", {}, [this.all, ...this.rows].map((row) => row.node));
      this.list.replaceChildren(list);
    }

    row(name, label, lock) {
      const { h } = explore.dom;
      const kept = h("b", { text: "–" });
      const size = h("span", { text: "" });
      const count = h("span", { class: "rx-layer-count" }, kept, size);
      const bar = h("span", { class: "rx-bar", "aria-hidden": "true" }, h("i"));
      const tag = h("span", { class: "rx-layer-tag" });
      const main = h("button", {
        type: "button", class: "rx-layer-main", "aria-pressed": "false", "data-layer": name || "",
        onclick: () => this.app.set({ layer: name === this.app.state.layer ? null : name }),
      }, h("span", { class: "rx-layer-name", title: label, text: label }), bar, h("span", { class: "rx-layer-side" }, tag, count));
      const node = h("li", { class: "rx-layer", "data-layer": name || "", "data-testid": name ? `layer-${name}` : "layer-all" },
        lock || h("span"), main);
      return { name, node, main, bar, count: { kept, size }, tag, lock, key: "" };
    }

    lock(name) {
      return explore.dom.h("button", {
        type: "button", class: "rx-lock", "aria-pressed": "false", "aria-label": `Lock ${name}: keep all its channels`,
        title: "Lock: keep all channels of this layer",
        onclick: () => {
          const { locks } = this.app.state;
          const next = locks.includes(name) ? locks.filter((one) => one !== name) : [...locks, name];
          this.app.choose({ locks: next });
          this.app.released();
        },
      }, explore.dom.icon("lock"));
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
      const warn = new Set(now.nearlyGone);
      source.shape.groups.forEach((group, l) => {
        this.show(this.rows[l], now.selection.kept[l], group.size, {
          held: now.selection.held.includes(group.name), warn: warn.has(group.name),
          locked: state.locks.includes(group.name), selected: state.layer === group.name, minimum: group.minimum,
        });
      });
      const size = source.shape.groups.reduce((sum, group) => sum + group.size, 0);
      this.show(this.all, size - now.selection.removed, size, { selected: now.layer < 0 });
      const locked = state.locks.length ? `, ${state.locks.length} locked` : "";
      explore.dom.say(this.note, `kept of size${locked}`);
    }

    show(row, kept, size, { held, warn, locked, selected, minimum }) {
      const key = [kept, held, warn, locked, selected].join();
      if (row.key === key) return;
      row.key = key;
      const { mark, say } = explore.dom;
      row.bar.style.setProperty("--rx-kept-share", kept / size);
      say(row.count.kept, format().integer(kept));
      say(row.count.size, ` / ${format().integer(size)}`);
      const tag = held ? "min" : locked ? "lock" : warn ? ">95 %" : "";
      say(row.tag, tag);
      mark(row.tag, {
        "data-tone": held || warn ? "warn" : null,
        title: held ? `Held at its minimum of ${minimum} channels` : warn ? "Would lose more than 95 %" : null,
      });
      mark(row.main, {
        "aria-pressed": String(Boolean(selected)),
        "aria-label": `${row.name || "All layers"}: ${kept} of ${size} kept`
          + `${held ? ", held at its minimum" : ""}${locked ? ", locked" : ""}`,
      });
      mark(row.node, {
        "data-kept": kept, "data-size": size, "data-value": kept, "data-held": held || null,
        "data-locked": locked || null, "data-selected": selected || null,
      });
      if (row.lock) mark(row.lock, { "aria-pressed": String(Boolean(locked)) });
    }
  }

  explore.Layers = Layers;
})();
