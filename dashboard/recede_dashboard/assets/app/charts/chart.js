/**
 * A chart of Plotly's on a page; what moves lies over it, in a layer of its own.
 *
 * Drawing one takes ten times as long as an SVG of our own: whatever is drawn anew while
 * something is dragged or scrubbed, as the curve of each epoch is, does not belong here.
 */

import { loadPlotly, plotly } from "../lib/dash.js";
import { h, setAttributes } from "../lib/elements.js";
import { complain } from "../lib/page/notices.js";

const CONFIG = { displayModeBar: false, showSendToCloud: false, displaylogo: false, plotlyServerURL: "", responsive: false };

/** Nothing else is to be done first: a page is to answer before its charts are drawn. */
const whenIdle = () => new Promise((resolve) => {
  if (window.requestIdleCallback) window.requestIdleCallback(resolve, { timeout: 1000 });
  else setTimeout(resolve, 100);
});

/** @typedef {{data: object[], layout: Record<string, any>}} Figure */

export class Chart {
  /**
   * @param {{still?: boolean, over?: Element | null}} options  still: Plotly leaves pointers
   *   to the page; over: the layer of what moves
   */
  constructor({ still = false, over = null } = {}) {
    this.config = { ...CONFIG, staticPlot: still };
    this.plot = h("div", { class: "rc-chart-plot", "aria-hidden": "true" });
    this.node = h("div", { class: "rc-chart", role: "img" }, this.plot, over);
    /** @type {Figure | null} */
    this.wanted = null;
  }

  /** Draw a figure; as long as Plotly is on its way only the newest one waits. @param {Figure} figure */
  draw(figure) {
    const waiting = this.wanted !== null;
    this.wanted = figure;
    if (plotly()) this.react();
    else if (!waiting) whenIdle().then(loadPlotly).then(() => this.react(), (error) => this.fail(error));
  }

  react() {
    const figure = this.wanted;
    if (!figure) return;
    this.wanted = null;
    plotly().react(this.plot, figure.data, figure.layout, this.config);
    setAttributes(this.node, { "data-drawn": true });
  }

  fail(error) {
    this.wanted = null;
    complain(error, "The charts could not be drawn; reload the page");
  }

  /** What the chart shows, in words. @param {string} words */
  say(words) {
    setAttributes(this.node, { "aria-label": words });
  }

  destroy() {
    this.wanted = null;
    plotly()?.purge(this.plot);
  }
}
