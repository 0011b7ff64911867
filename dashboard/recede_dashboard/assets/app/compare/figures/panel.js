/** What both figures of Compare share: the chart, the layer of what moves over it, the words. */

import { Chart } from "../../charts/chart.js";
import { plain } from "../../charts/image.js";
import { plane, trace } from "../../charts/plane.js";
import { h, setAttributes, svg } from "../../lib/elements.js";
import { seriesLook } from "./series_look.js";
import { showSigns, signKey } from "./signs.js";

const MARGIN = { left: 52, right: 16, top: 12, bottom: 40 };

/** The base of both figures: each replaces what stands first here. */
export class Panel {
  /**
   * @param {any} app @param {HTMLElement} host @param {HTMLElement} words
   * @param {{id: string, title: string}} about
   */
  constructor(app, host, words, { id, title }) {
    this.app = app;
    this.host = host;
    this.words = words;
    this.id = id;
    this.title = title;
    /** @type {any} */
    this.plot = null;
    this.over = svg("svg", { class: "rc-chart-over", "aria-hidden": "true" });
    this.chart = new Chart({ over: this.over });
  }

  /** The series that have something to show. @returns {any[]} */
  drawn() {
    return [];
  }

  /** What is said where no series has anything to show. */
  nothing() {
    return "";
  }

  /** Ranges of both axes. @param {any[]} _series @returns {any} */
  axes(_series) {
    return { x: [0, 1], y: [0, 1] };
  }

  /** What Plotly draws. @returns {{data: any[], layout: any}} */
  figure() {
    return { data: [], layout: {} };
  }

  /** What belongs to the shared ratio, for a picture. @returns {{data: any[], annotations: any[]}} */
  now() {
    return { data: [], annotations: [] };
  }

  /** The same as SVG nodes, for the page. @returns {Element[]} */
  marks() {
    return [];
  }

  /** The signs with their meaning. @returns {string[][]} */
  signs() {
    return [];
  }

  /** The figure in words. */
  sentence() {
    return "";
  }

  render() {
    const [width, height] = [this.host.clientWidth, this.host.clientHeight];
    if (width < 100) return;
    const series = this.drawn();
    this.plot = series.length ? plane(width, height, { margin: MARGIN, ...this.axes(series) }) : null;
    showSigns(this.words, this.plot ? this.signs() : []);
    if (!this.plot) {
      this.host.replaceChildren(h("p", { class: "cmp-empty", text: this.nothing() }));
      return;
    }
    setAttributes(this.over, { width, height, viewBox: `0 0 ${width} ${height}` });
    if (this.chart.node.parentNode !== this.host) this.host.replaceChildren(this.chart.node);
    this.chart.draw(this.figure());
    this.move();
  }

  /** What belongs to the shared ratio; called for every step of a drag. */
  move() {
    if (!this.plot) return;
    this.over.replaceChildren(...this.marks());
    this.chart.say(this.sentence());
  }

  /** The figure to be saved: with what moves over it, its series and its signs in words. */
  picture() {
    const { data, layout } = this.figure();
    const now = this.now();
    const { muted } = this.app.colours();
    const keys = [
      ...this.drawn().map((one) => {
        const { colour, dash, symbol } = this.look(one);
        return [one.name, { mode: "lines+markers", line: { color: colour, dash, width: 1.8 }, marker: { symbol, color: colour, size: 9 } }];
      }),
      ...this.signs().map(([sign, words]) => [words, signKey(sign, muted)]),
    ].map(([name, look], i) => trace(`key-${i}`, [null], [null], { name: plain(name), showlegend: true, ...look }));
    return { data: [...data, ...now.data, ...keys], layout: { ...layout, annotations: [...layout.annotations, ...now.annotations] }, keys };
  }

  /** Colour, dash and sign of a series on this page. */
  look(one) {
    return seriesLook(one.number, this.host);
  }

  destroy() {
    this.chart.destroy();
  }
}
