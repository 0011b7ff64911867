/** Saving a chart of Plotly's: as PNG at twice the size, as SVG, its numbers as CSV. */

import { saveFile } from "../lib/download.js";
import { complain } from "../lib/page/notices.js";
import { chartImage } from "./image.js";
import { asCsv } from "./saving.js";

/** Whose chart it is: a run's or a group's name and id, from the page that shows it. */
function subject() {
  const { runId } = document.getElementById("run-root")?.dataset || {};
  if (runId) return { kind: "run", id: runId, name: /** @type {HTMLInputElement} */ (document.getElementById("run-name"))?.value || "" };
  const { groupId } = document.getElementById("group-root")?.dataset || {};
  return { kind: "group", id: groupId || "", name: document.querySelector(".group-name")?.textContent || "" };
}

/** What stands under a picture and over a table. @param {HTMLElement} menu @param {any} plot */
function about(menu, plot) {
  const { kind, id, name } = subject();
  const epochs = plot.data.flatMap((trace) => (trace.meta?.metric ? [...trace.x] : []));
  const span = epochs.length ? `epochs ${Math.min(...epochs)} to ${Math.max(...epochs)}` : "";
  const { title, version } = menu.dataset;
  return [title, `${kind} ${name} (${id})`, span, `recede ${version}`].filter(Boolean).join(" · ");
}

/** @param {string} chart @param {string} way */
const fileName = (chart, way) => `recede-${subject().id}-${chart}.${way}`.replace(/[^\w.-]/g, "_");

async function image(menu, plot, way) {
  const { width, height, _size: size } = plot._fullLayout;
  const layout = { ...plot.layout, width, height, margin: { ...plot.layout.margin, b: size.b } };
  return chartImage({ data: plot.data, layout }, about(menu, plot), way);
}

/** Curves over epochs beside each other; other traces below each other. @param {any} plot */
function table(plot) {
  const traces = plot._fullData.map((trace) => ({ name: trace.name, metric: trace.meta?.metric, x: [...trace.x], y: [...trace.y] }));
  if (!traces.every((trace) => trace.metric)) {
    const { xaxis, yaxis } = plot._fullLayout;
    const rows = traces.flatMap(({ name, x, y }) => x.map((at, i) => [name, at, y[i]]));
    return [["series", xaxis.title.text || "x", yaxis.title.text || "y"], ...rows];
  }
  const epochs = [...new Set(traces.flatMap((trace) => trace.x))].sort((a, b) => a - b);
  const rows = epochs.map((epoch) => [epoch, ...traces.map(({ x, y }) => y[x.indexOf(epoch)])]);
  return [["epoch", ...traces.map((trace) => trace.metric)], ...rows];
}

const numbers = (menu, plot) => asCsv(about(menu, plot), table(plot));

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-save-chart]");
  if (!button) return;
  const menu = /** @type {HTMLDetailsElement} */ (button.closest("details"));
  menu.open = false;
  menu.querySelector("summary").focus();
  const { saveChart: chart, way } = button.dataset;
  const plot = /** @type {any} */ (document.querySelector(`#${chart} .js-plotly-plot`));
  if (!plot?._fullLayout) return;
  try {
    const blob = way === "csv" ? numbers(menu, plot) : await image(menu, plot, way);
    saveFile(blob, fileName(chart, way));
  } catch (error) {
    complain(error, "The chart was not saved");
  }
});
