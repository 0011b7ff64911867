/** Save a view: as PNG at twice the size, as SVG, and its data as CSV at full precision. */

import { saveFile } from "../lib/download.js";
import { h, icon, named, setAttributes } from "../lib/elements.js";
import { complain } from "../lib/page/notices.js";
import { chartImage } from "./image.js";
import { SvgContext } from "./svg_context.js";

const LINE_PX = 16;

/** What stands under every picture and over every table: run and epoch, or what the view names instead; version. */
export function aboutFigure(app, view) {
  const { runId, source, now } = app;
  const name = source?.run?.name;
  const origin = view.origin || [name && `run ${name} (${runId})`, `epoch ${now.epoch}`];
  return [view.title, ...origin, `recede ${app.root.dataset.version || ""}`.trim()].filter(Boolean).join(" · ");
}

const fileName = (app, view, ending) =>
  `recede-${view.file || `${app.runId}-${view.id}-epoch-${app.now.epoch}`}`.replace(/[^\w.-]/g, "_") + ending;

/** What the picture is, in as many lines as its width asks for, with a wider font too: who opens an SVG may lack ours. */
function captionOf(app, view, colours) {
  const g = document.createElement("canvas").getContext("2d");
  g.font = `11px ${colours.font}`;
  const lines = [];
  for (const part of aboutFigure(app, view).split(" · ")) {
    const longer = lines.length ? `${lines.at(-1)} · ${part}` : part;
    if (lines.length && g.measureText(longer).width <= 0.84 * view.plot.width) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return { lines, height: LINE_PX * lines.length + 6 };
}

function paint(g, view, caption, colours) {
  view.paintAll(g, colours);
  g.globalAlpha = 1;
  g.font = `11px ${colours.font}`;
  g.textAlign = "left";
  g.textBaseline = "middle";
  g.fillStyle = colours.muted;
  caption.lines.forEach((line, i) => g.fillText(line, 8, view.plot.height + LINE_PX * (i + 0.5) + 3));
}

/** A figure of Plotly's. @param {"png" | "svg"} way */
async function saveChart(app, view, way) {
  try {
    saveFile(await chartImage(view.figure(), aboutFigure(app, view), way), fileName(app, view, `.${way}`));
  } catch (error) {
    complain(error, "The chart was not saved");
  }
}

function png(app, view) {
  if (view.figure) return void saveChart(app, view, "png");
  const { width, height } = view.plot;
  const colours = app.colours();
  const caption = captionOf(app, view, colours);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * (height + caption.height)];
  const g = canvas.getContext("2d");
  g.scale(2, 2);
  g.fillStyle = colours.surface;
  g.fillRect(0, 0, width, height + caption.height);
  paint(g, view, caption, colours);
  canvas.toBlob((blob) => saveFile(blob, fileName(app, view, ".png")));
}

function svg(app, view) {
  if (view.figure) return void saveChart(app, view, "svg");
  const { width, height } = view.plot;
  const colours = app.colours();
  const caption = captionOf(app, view, colours);
  const picture = new SvgContext(width, height + caption.height);
  paint(picture, view, caption, colours);
  const text = picture.text(colours.surface, aboutFigure(app, view));
  saveFile(new Blob([text], { type: "image/svg+xml" }), fileName(app, view, ".svg"));
}

/** One value of a table; text with a comma or a quote is quoted. */
function cell(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  const text = String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows of values as the lines of a file, below what they are. */
export const asCsv = (head, rows) => new Blob([[`# ${head}`, ...rows.map((row) => row.map(cell).join(","))].join("\n"), "\n"], { type: "text/csv" });

function csv(app, view) {
  const { about: what, columns, rows } = view.table();
  saveFile(asCsv(`${aboutFigure(app, view)}: ${what}`, [columns, ...rows]), fileName(app, view, ".csv"));
}

/**
 * The menu that saves the view that is open.
 * @param {() => object|null} open  that view
 * @param {string} id  of the menu; "view" is the one beside the tabs
 */
export function saveMenu(app, open, id = "view", words = `Save this ${id}`) {
  /** @type {[string, string, (app: any, view: any) => void][]} */
  const ways = [["PNG, as drawn", "png", png], ["SVG, as drawn", "svg", svg], ["CSV, its data", "csv", csv]];
  const node = h("details", { id: `${id}-export`, class: "rx-menu" },
    h("summary", { class: "rx-button rx-square", title: words, "aria-label": words }, icon("down")),
    h("div", { class: "rx-menu-body rx-menu-list" }, ways.map(([label, way, save]) => h("button", {
      ...named(`${id}-${way}`), type: "button", text: label, onclick: () => {
        app.fresh();
        const view = open();
        if (view?.plot) save(app, view);
        node.open = false;
      },
    }))));
  return { node, show: (shown) => setAttributes(node, { hidden: !shown }) };
}
