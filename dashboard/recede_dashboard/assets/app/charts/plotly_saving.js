/** Saving a chart of Plotly's: as PNG at twice the size, as SVG, its numbers as CSV. */

import { plotly } from "../lib/dash.js";
import { saveFile } from "../lib/download.js";
import { complain } from "../lib/page/notices.js";
import { asCsv } from "./saving.js";

const LINE_PX = 14;
const LETTER_PX = 5.6; // of the caption's font, wide letters included

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

/** The caption in lines that fit the width; a name of any length is shown whole. */
function linesOf(words, width) {
  const most = Math.max(20, Math.floor((width - 16) / LETTER_PX));
  const lines = [""];
  for (const word of words.split(" ").flatMap((one) => one.match(new RegExp(`.{1,${most}}`, "gu")) || [])) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Plotly reads a few tags in its texts. @param {string} text */
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The figure as it is drawn now, on the page's ground, with what it is below. */
function picture(plot, words) {
  const { width, height, _size: size } = plot._fullLayout;
  const style = getComputedStyle(document.documentElement);
  const ground = style.getPropertyValue("--rc-surface").trim();
  const lines = linesOf(words, width);
  const below = LINE_PX * lines.length + 10;
  const text = { text: lines.map(plain).join("<br>"), x: 0, xanchor: "left", xref: "container", y: 0, yanchor: "bottom", yref: "container" };
  const layout = {
    ...plot.layout,
    width,
    height: height + below,
    paper_bgcolor: ground,
    plot_bgcolor: ground,
    title: { ...text, pad: { l: 8, b: 6 }, font: { size: 10, color: style.getPropertyValue("--rc-muted").trim() } },
    margin: { ...plot.layout.margin, b: size.b + below },
  };
  return { data: plot.data, layout, config: { staticPlot: true, showSendToCloud: false, displaylogo: false } };
}

async function image(menu, plot, way) {
  const figure = picture(plot, about(menu, plot));
  const { width, height } = figure.layout;
  const found = await plotly().toImage(figure, { format: way, width, height, scale: way === "png" ? 2 : 1, imageDataOnly: true });
  if (way === "svg") return new Blob([found], { type: "image/svg+xml" });
  return new Blob([Uint8Array.from(atob(found), (letter) => letter.charCodeAt(0))], { type: "image/png" });
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
