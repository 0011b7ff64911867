/** Values that lie beyond an axis, at its edge: the sign of a series, an arrow, the number. */

import { plain } from "../../charts/image.js";
import { svg } from "../../lib/elements.js";
import { placeBeside } from "../series/statistics.js";
import { seriesSign } from "./series_look.js";

const PILL = 18; // its height
export const pillWidth = (text) => 24 + 6.6 * text.length;

/** @param {{number: number, x: number, y: number, text: string, data?: object}} one */
export function edgePill({ number, x, y, text, data = {} }) {
  const width = pillWidth(text);
  return svg("g", { class: "cmp-out", "data-series": number },
    svg("rect", { x: x - width / 2, y: y - PILL / 2, width, height: PILL, rx: 4 }),
    seriesSign(number, { class: "cmp-sign cmp-dot", ...data, transform: `translate(${(x - width / 2 + 11).toFixed(1)} ${y.toFixed(1)})` }),
    svg("text", { x: x - width / 2 + 20, y: y + 4, text }));
}

/**
 * Where the numbers of dots over or under the axis stand: beside each other, at its edge.
 * @param {{number: number, x: number, side: number, text: string, data: object}[]} dots
 */
export function outsidePlaces(plot, dots) {
  return [-1, 1].flatMap((side) => {
    const here = dots.filter((dot) => dot.side === side);
    const wanted = here.map((dot) => ({ at: dot.x, width: pillWidth(dot.text) }));
    const [edge, inwards] = side < 0 ? [plot.bottom, -1] : [plot.top, 1];
    return placeBeside(wanted, plot.left, plot.right).map(({ x, row }, i) => {
      const y = edge + inwards * (PILL / 2 + 6 + row * (PILL + 3));
      const lead = `M${here[i].x.toFixed(1)} ${edge}L${x.toFixed(1)} ${y - inwards * (PILL / 2)}`;
      return { ...here[i], x, y, lead };
    });
  });
}

/** Those numbers as pills; a thin line leads to where each lies. */
export function outsidePills(places) {
  const leads = places.map(({ number, lead }) => svg("path", { class: "cmp-lead", "data-series": number, d: lead }));
  return [...leads, ...places.map((one) => edgePill(one))]; // no line over a number
}

/** A pill as a note of Plotly's, for a picture. */
export const pillNote = (plot, { x, y, text }, colour, colours) => ({
  text: plain(text), showarrow: false, xanchor: "center", yanchor: "middle", bgcolor: colours.surface, bordercolor: colour, borderpad: 2, font: { color: colours.ink, size: 11 },
  xref: "paper", x: (x - plot.left) / (plot.right - plot.left), yref: "paper", y: (plot.bottom - y) / (plot.bottom - plot.top),
});
