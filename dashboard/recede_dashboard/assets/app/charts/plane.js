/** Fixed axes: where data lies in a chart, in pixels, and the same axes as Plotly's layout. */

/**
 * @typedef {{left: number, right: number, top: number, bottom: number}} Sides
 * @typedef {[number, number]} Range
 * @typedef {ReturnType<typeof plane>} Plane
 */

/**
 * Places of data in a chart of this size. Margins and ranges are given, so that what moves over
 * the chart needs nothing from Plotly.
 * @param {number} width
 * @param {number} height
 * @param {{margin: Sides, x: Range, y: Range}} axes
 */
export function plane(width, height, { margin, x, y }) {
  const [left, right, top, bottom] = [margin.left, width - margin.right, margin.top, height - margin.bottom];
  const place = ([low, high], from, to) => (value) => from + ((value - low) / (high - low || 1)) * (to - from);
  const side = (value, [low, high]) => (value < low ? -1 : value > high ? 1 : 0);
  const toY = place(y, bottom, top);
  return {
    width, height, left, right, top, bottom, ranges: { x, y }, x: place(x, left, right), y: toY,
    within: (value) => toY(Math.min(y[1], Math.max(y[0], value))),
    at: (px) => Math.min(1, Math.max(0, (px - left) / (right - left))),
    beyond: (value) => side(value, y), beyondX: (value) => side(value, x),
  };
}

const PERCENT = "\u202f%";

/** Shares as what is written on an axis of percentages. @param {Iterable<number>} shares */
export const percent = (shares) => Array.from(shares, (share) => 100 * share);

/** An axis of shares, written as percentages; its data go through `percent`. @param {Range} range */
export const percentAxis = (range) => ({ range: percent(range), ticksuffix: PERCENT });

/**
 * Plotly's layout with exactly these axes: nothing that it would choose or move by itself.
 * @param {Plane} on
 * @param {Record<string, string>} colours  of the scheme, see palette.js
 * @param {{x?: object, y?: object, title: string}} axes  what Plotly's axes have beside the shared
 */
export function layoutOf(on, colours, { x, y, title }) {
  const axis = {
    fixedrange: true, zeroline: false, gridcolor: colours.line, linecolor: colours.line, automargin: false,
    tickfont: { color: colours.muted, size: 11 }, exponentformat: "SI", separatethousands: true,
  };
  return {
    width: on.width, height: on.height, autosize: false, showlegend: false, dragmode: false,
    margin: { l: on.left, r: on.width - on.right, t: on.top, b: on.height - on.bottom, pad: 0 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: colours.font, size: 11, color: colours.muted },
    hoverlabel: { bgcolor: colours.raised, bordercolor: colours.line, font: { color: colours.ink, family: colours.font, size: 12 } },
    xaxis: { ...axis, showgrid: false, nticks: Math.max(3, Math.floor((on.right - on.left) / 80)), range: on.ranges.x, ...x },
    yaxis: { ...axis, nticks: Math.max(3, Math.floor((on.bottom - on.top) / 32)), range: on.ranges.y, ...y },
    annotations: [{
      text: title, showarrow: false, xref: "paper", x: 0, xanchor: "left", yref: "paper", y: 0, yanchor: "bottom",
      yshift: on.bottom - on.height, font: { color: colours.muted, size: 11 },
    }],
  };
}

/** Data in the colours of the scheme as one trace; `uid`, a word, names it on the page. */
export const trace = (uid, x, y, more) => ({ type: "scatter", uid, x, y, hoverinfo: "skip", showlegend: false, ...more });
