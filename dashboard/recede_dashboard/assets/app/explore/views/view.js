/** What every view below the distribution shares: its panel, canvas, pointer, keys and words. */

import { h, named, setAttributes, setText } from "../../lib/elements.js";

/** @import { Colours, Explore } from "../types.js" */

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * One view. A kind of view says: status() (words while there is nothing to draw), geometry(w, h),
 * baseKey(), paintBase(g, colours), paintLive(g, colours), sentence(), hit(x, y), tell(target),
 * pick(target), moved(target, dx, dy), table().
 */
export class View {
  /** @param {Explore} app */
  constructor(app, { id, title }) {
    this.app = app;
    this.id = id;
    this.title = title;
    this.base = document.createElement("canvas");
    this.key = "";
    this.hover = null;
    this.note = h("span", { ...named(`${id}-note`), class: "rx-note" });
    this.tools = h("div", { class: "rx-tools" });
    this.canvas = h("canvas", { ...named(`${id}-canvas`), role: "img" });
    this.tip = h("div", { ...named(`${id}-tip`), class: "rx-tip", hidden: true });
    this.said = h("p", { class: "sr-only", role: "status" });
    this.words = h("div", { ...named(`${id}-words`), class: "rx-view-words", hidden: true });
    this.plotNode = h("div", {
      ...named(`${id}-plot`), class: "rx-view-plot", role: "application", tabindex: 0,
      "aria-label": `${title}: use arrow keys to move, Enter to choose`,
    }, this.canvas, this.tip, this.said);
    this.section = h("section", {
      ...named(`view-${id}`), class: "rx-view", role: "tabpanel", "aria-labelledby": `view-tab-${id}`, hidden: true,
    }, h("div", { class: "rx-head rx-view-head" }, this.note, this.tools), this.plotNode, this.words);
    app.els.find("#explore-views").append(this.section);
    this.listen();
    this.size = { width: 0, height: 0 }; // kept: asking the page for it in each frame costs a layout
    this.observer = new ResizeObserver(([entry]) => {
      this.size = entry.contentRect;
      app.dirty();
    });
    this.observer.observe(this.plotNode);
  }

  destroy() {
    this.observer.disconnect();
    cancelAnimationFrame(this.soon);
  }

  listen() {
    const at = (event) => {
      const box = this.plotNode.getBoundingClientRect();
      return this.plot ? this.hit(event.clientX - box.left, event.clientY - box.top) : null;
    };
    this.plotNode.addEventListener("pointermove", (event) => this.point(at(event)));
    this.plotNode.addEventListener("pointerleave", () => this.point(null));
    this.plotNode.addEventListener("click", (event) => {
      const target = at(event);
      if (target) this.pick(target, event);
    });
    this.plotNode.addEventListener("keydown", (event) => this.press(event));
    this.plotNode.addEventListener("focus", () => {
      if (this.plot && this.plotNode.matches(":focus-visible")) this.point(this.hover || this.start(), true);
    });
    this.plotNode.addEventListener("blur", () => this.point(null));
  }

  /** Where the keyboard begins. */
  start() {
    return null;
  }

  press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.plot) return;
    const step = STEPS[event.key];
    if (event.key === "Escape" && this.hover) this.point(null);
    else if (step) {
      const far = event.shiftKey ? 10 : 1;
      this.point(this.moved(this.hover || this.start(), step[0] * far, step[1] * far), true);
    } else if (["Enter", " "].includes(event.key) && this.hover) this.pick(this.hover, event);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Something is pointed at, with the pointer or by keys; only this view is drawn again. */
  point(target, spoken = false) {
    if (target === this.hover || (target && this.hover && target.key === this.hover.key)) return;
    this.hover = target;
    if (spoken && target) setText(this.said, this.spoken(target));
    this.soon = this.soon || requestAnimationFrame(() => {
      this.soon = 0;
      if (this.plot && this.shown) this.draw();
    });
  }

  spoken(target) {
    const { title, rows } = this.tell(target);
    return [title, ...rows.map(([label, value]) => `${label} ${value}`)].join(", ");
  }

  get shown() {
    return !this.section.hidden;
  }

  render() {
    if (!this.shown) return;
    this.before();
    const status = this.status();
    this.sayStatus(status);
    this.plot = status ? null : this.geometry(this.size.width, this.size.height);
    if (this.plot) this.draw();
  }

  /** Tools and notes, before anything is drawn. */
  before() {}

  /** Words in place of the drawing, with a button where something can be done. */
  sayStatus(status) {
    setAttributes(this.section, { "data-state": status ? status.state || "empty" : "ready" });
    this.words.hidden = !status;
    setAttributes(this.plotNode, { hidden: Boolean(status) });
    const key = status ? `${status.words} ${status.action?.[0]} ${status.state}` : "";
    if (key === this.wordsKey) return;
    this.wordsKey = key;
    this.words.replaceChildren(...(status ? [
      h("p", { text: status.words }),
      status.action && h("button", { type: "button", class: "rx-button rx-small", text: status.action[0], onclick: status.action[1] }),
    ].filter(Boolean) : []));
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = this.plot;
    for (const canvas of [this.canvas, this.base]) {
      const [w, t] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== w || canvas.height !== t) {
        [canvas.width, canvas.height] = [w, t];
        this.key = "";
      }
    }
    this.paint(this.canvas.getContext("2d"), ratio, this.app.colours());
    this.showTip();
    setAttributes(this.canvas, { "aria-label": this.sentence() });
  }

  /** @param {CanvasRenderingContext2D} g @param {number} ratio @param {Colours} colours */
  paint(g, ratio, colours) {
    const key = `${this.baseKey()} ${this.plot.width} ${this.plot.height} ${ratio} ${this.app.scheme} ${colours.surface}`;
    if (key !== this.key) {
      this.key = key;
      const under = this.base.getContext("2d");
      under.setTransform(ratio, 0, 0, ratio, 0, 0);
      under.clearRect(0, 0, this.plot.width, this.plot.height);
      this.paintBase(under, colours);
    }
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.clearRect(0, 0, g.canvas.width, g.canvas.height);
    g.drawImage(this.base, 0, 0);
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paintLive(g, colours);
  }

  /**
   * All of it onto any context, for a picture.
   * @param {CanvasRenderingContext2D} g @param {Colours} colours
   */
  paintAll(g, colours) {
    this.paintBase(g, colours);
    this.paintLive(g, colours);
  }

  showTip() {
    const target = this.tipTarget();
    this.tip.hidden = !target;
    if (!target) return;
    const { title, rows, figure } = this.tell(target);
    const key = JSON.stringify([title, rows, target.pinned]);
    if (key !== this.tipKey) {
      this.tipKey = key;
      this.tip.replaceChildren(h("b", { text: title }), h("dl", {}, rows.flatMap(([label, value]) =>
        [h("dt", { text: label }), h("dd", { text: value })])), ...(figure ? [figure] : []));
    }
    this.placeTip(target);
  }

  tipTarget() {
    return this.hover;
  }

  /** Beside what is pointed at, on the side with more room. */
  placeTip({ x, y }) {
    const { width, height } = this.plot;
    const [w, t] = [this.tip.offsetWidth, this.tip.offsetHeight];
    const left = x + 14 + w < width ? x + 14 : Math.max(2, x - 14 - w);
    const top = Math.min(Math.max(2, y - t / 2), Math.max(2, height - t - 2));
    this.tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}
