/** Compare's figures as files: the drawing with its series and signs in words, its data as a table. */

import { h, svg } from "../../lib/elements.js";
import { paintSvg } from "../../charts/paint_svg.js";
import { saveMenu } from "../../charts/saving.js";
import { seriesLine, seriesSign } from "./chart.js";
import { SIGN_KEYS } from "./signs.js";

const ROW_PX = 18;

/** One line of the picture: a sign with its dash, or a key, and what it means. */
function rowOf(keys, text, y) {
  return svg("g", { transform: `translate(0 ${y})` },
    svg("g", { transform: "translate(24 0)" }, keys), svg("text", { x: 44, y: 4, text }));
}

/** The chart, below it its series by name and its signs in words; as tall as that takes. */
function figureOf(panel, series) {
  const { width, height } = panel.plot;
  const keys = [
    ...series.map((one) => [
      [seriesLine([[-12, 0], [12, 0]], one.number), seriesSign(one.number, { class: "cmp-sign cmp-dot" })], one.name,
    ]),
    ...panel.signs().map(([key, text]) => [SIGN_KEYS[key](), text]),
  ];
  const rows = keys.map(([nodes, text], i) => rowOf(nodes, text, height + ROW_PX * (i + 0.7)));
  const tall = height + ROW_PX * keys.length + 4;
  const parts = [...panel.drawing.cloneNode(true).childNodes];
  return svg("svg", { width, height: tall, viewBox: `0 0 ${width} ${tall}`, "aria-hidden": "true" }, parts, rows);
}

/** A panel as what the menu of Explore saves. */
class Figure {
  constructor(app, panel) {
    this.app = app;
    this.panel = panel;
    this.title = panel.title;
    this.figure = figureOf(panel, app.series);
    this.plot = { width: panel.plot.width, height: this.figure.height.baseVal.value };
    const runs = app.series.flatMap((one) => one.members.map((member) => member.run));
    this.origin = [`ratio ${app.state.r}`, ...runs.map((run) => `run ${run.name} (${run.id})`)];
    const ids = runs.length <= 3 ? runs.map((run) => run.id).join("-") : `${runs.length}-runs`;
    this.file = `compare-${ids}-${panel.id}-ratio-${app.state.r}`;
  }

  /** Draw onto a canvas, or into what writes SVG; on the page meanwhile, for its styles. */
  paintAll(g) {
    const place = h("div", { class: "cmp-plot cmp-offscreen", inert: true }, this.figure);
    this.app.host.append(place);
    paintSvg(g, this.figure);
    place.remove();
  }

  table() {
    return this.panel.table();
  }
}

/** The menu that saves what a panel shows, or null while it has nothing to show. */
export const figureSaveMenu = (app, panel) => saveMenu(
  app, () => panel.plot && new Figure(app, panel), `compare-${panel.id}`, `Save the figure “${panel.title}”`);
