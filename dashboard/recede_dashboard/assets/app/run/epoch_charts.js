/** Curves over epochs: filled from rows, in the colours of the scheme. One owner per figure. */

import { noUpdate, registerCallbacks, setProps } from "../lib/dash.js";
import { currentScheme } from "../lib/scheme.js";
import { api } from "../api/client.js";
import { niceStep } from "../charts/arithmetic.js";

const MARKERS_UP_TO = 40;
const TICK_PX = 44;
/** The rows that are drawn. @type {{rows: any[]}} */
let kept = { rows: [] };

/** Fetch what came after the last known epoch. @param {string} id of the run */
export async function extendCharts(id) {
  const rows = kept.rows;
  const after = rows.length ? rows[rows.length - 1].epoch : -1;
  if (!document.getElementById("loss-chart")) return;
  try {
    const { items } = await api("GET", `/runs/${id}/epochs?after=${after}`);
    if (items.length) setProps("epoch-rows", { data: [...rows, ...items] });
  } catch {
    /* the next epoch brings it, and the banner says if the server is gone */
  }
}

/** @param {any} trace @param {any[]} rows @param {string[]} colours */
function fill(trace, rows, colours) {
  const { metric, role, own } = trace.meta; // own: logged by this name, by a training elsewhere
  const valueOf = (row) => (own ? row.metrics[metric] : row[metric]);
  const with_ = rows.filter((row) => valueOf(row) !== null && valueOf(row) !== undefined);
  const colour = colours[role] || colours[0];
  return {
    ...trace,
    x: with_.map((row) => row.epoch),
    y: with_.map(valueOf),
    mode: with_.length <= MARKERS_UP_TO ? "lines+markers" : "lines",
    line: { ...trace.line, color: colour },
    marker: { ...trace.marker, color: colour },
  };
}

/**
 * Epochs between two ticks: a round number, at least one, for no network has half an epoch.
 * @param {any[]} rows @param {Record<string, any>} moved what Plotly said of the last zoom
 */
function tickStep(rows, moved) {
  const last = rows.length ? rows[rows.length - 1].epoch : 1;
  const [low, high] = [moved["xaxis.range[0]"] ?? 0, moved["xaxis.range[1]"] ?? last];
  const width = document.getElementById("loss-chart")?.clientWidth || 360;
  return Math.max(1, niceStep(high - low || 1, Math.max(2, width / TICK_PX)));
}

/**
 * Axes as soon as there is something to show, and no words in their place.
 * @param {any[]} data @param {any} layout @param {number} dtick
 */
function filled(data, layout, dtick) {
  if (!data.some((trace) => trace.x.length)) return layout;
  return {
    ...layout,
    annotations: [],
    showlegend: data.length > 1,
    xaxis: { ...layout.xaxis, visible: true, tick0: 0, dtick },
    yaxis: { ...layout.yaxis, visible: true },
  };
}

registerCallbacks({
  /** @param {any[]} rows @param {string} scheme @param {any} moved @param {any} figure @param {any} templates */
  drawEpochs(rows, scheme, moved, figure, templates) {
    if (!figure || !rows) return noUpdate();
    kept = { rows };
    const template = templates[scheme || currentScheme()];
    const colours = template.layout.colorway;
    const data = figure.data.map((trace) => fill(trace, rows, colours));
    return { data, layout: { ...filled(data, figure.layout, tickStep(rows, moved || {})), template } };
  },
});
