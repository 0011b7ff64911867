/** The figure of accuracy against cost: signs and the front. */

import { layoutOf, percent, percentAxis, trace } from "../../charts/plane.js";

/** What each kind of network is called, and its sign. */
export const KINDS = {
  dense: { words: "uncut", short: "uncut", symbol: "square", size: 8 },
  curve: { words: "measured on the curve", short: "curve", symbol: "circle", size: 8 },
  single: { words: "measured alone", short: "single", symbol: "diamond", size: 10 },
  estimated: { words: "estimated from part of the images", short: "estimated", symbol: "circle-open", size: 8 },
  child: { words: "fine-tuned run", short: "fine-tuned", symbol: "triangle-up", size: 10 },
};

/** Steps: with that cost no measured network is better. */
function frontOf(front, { ranges, beyond }, colours) {
  const places = [[front[0].cost, ranges.y[0]], ...front.map((dot) => [dot.cost, dot.accuracy.value]), [ranges.x[1], front.at(-1).accuracy.value]]
    .filter(([, value]) => !beyond(value));
  return trace("front", places.map(([x]) => x), percent(places.map(([, y]) => y)), {
    mode: "lines", line: { shape: "hv", width: 1.4, color: colours.kept }, opacity: 0.55,
  });
}

function dotsOf(kind, dots, plane, colours) {
  const { short, symbol, size } = KINDS[kind];
  const colour = kind === "child" ? colours.cut : colours.kept;
  return trace(kind, dots.map((dot) => dot.cost), percent(dots.map((dot) => Math.max(plane.ranges.y[0], dot.accuracy.value))), {
    name: short, mode: "markers", showlegend: true, cliponaxis: false,
    marker: {
      symbol, size, color: colour, opacity: dots.map((dot) => (dot.own ? 1 : 0.4)),
      line: { width: 1.3, color: symbol.endsWith("-open") ? colour : colours.surface },
    },
  });
}

/** The cost of the chosen cut as a line. */
const guideOf = ({ cost }, colours) => ({
  type: "line", x0: cost, x1: cost, yref: "paper", y0: 0, y1: 1, opacity: 0.45, line: { color: colours.ink, width: 1, dash: "2px,3px" },
});

/** The chosen cut with its interval. */
function liveOf({ cost, accuracy }, { value, low, high }, colours) {
  return trace("chosen", [cost], percent([value]), {
    mode: "markers", cliponaxis: false,
    marker: { size: 11, color: accuracy.kind === "measured" ? colours.ink : colours.surface, line: { width: 2, color: colours.ink } },
    error_y: { type: "data", symmetric: false, array: percent([high - value]), arrayminus: percent([value - low]), color: colours.ink, thickness: 1.4, width: 0 },
  });
}

/**
 * @param {import("../../charts/plane.js").Plane} plane
 * @param {{dots: any[], front: any[], live: any, title: string, suffix: string}} shown
 *   `live`: the chosen cut, where it belongs to the picture; `suffix`: of the numbers on the axis of the cost
 */
export function paretoFigure(plane, { dots, front, live, title, suffix }, colours) {
  const kinds = Object.keys(KINDS).filter((kind) => dots.some((dot) => dot.kind === kind));
  const layout = layoutOf(plane, colours, { title, x: { ticksuffix: suffix }, y: percentAxis(plane.ranges.y) });
  const chosen = live?.accuracy ? [liveOf(live, live.accuracy, colours)] : [];
  return {
    data: [
      ...(front.length ? [frontOf(front, plane, colours)] : []),
      ...kinds.map((kind) => dotsOf(kind, dots.filter((dot) => dot.kind === kind), plane, colours)), ...chosen,
    ],
    layout: {
      ...layout, hovermode: false, showlegend: true, shapes: live ? [guideOf(live, colours)] : [],
      legend: {
        orientation: "h", xref: "container", x: plane.right / plane.width, xanchor: "right", yref: "container", y: 0, yanchor: "bottom",
        font: { color: colours.muted, size: 11 }, bgcolor: "rgba(0,0,0,0)",
      },
    },
  };
}
