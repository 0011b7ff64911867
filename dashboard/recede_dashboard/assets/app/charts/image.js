/** A figure of Plotly's as a picture, on the page's ground, with what it shows below it. */

import { loadPlotly } from "../lib/dash.js";

const LINE_PX = 14;
const LETTER_PX = 5.6; // of the caption's font, wide letters included

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
export const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** @param {{data: object[], layout: any}} figure @param {string} words  the caption */
function withCaption({ data, layout }, words) {
  const style = getComputedStyle(document.documentElement);
  const ground = style.getPropertyValue("--rc-surface").trim();
  const lines = linesOf(words, layout.width);
  const below = LINE_PX * lines.length + 12;
  const height = layout.height + below;
  const text = { text: lines.map(plain).join("<br>"), x: 0, xanchor: "left", xref: "container", y: below / height, yanchor: "top", yref: "container" };
  const legend = layout.legend?.yref === "container" ? { ...layout.legend, y: below / height } : layout.legend;
  return {
    data,
    layout: {
      ...layout,
      ...(legend ? { legend } : {}),
      height,
      paper_bgcolor: ground,
      plot_bgcolor: ground,
      title: { ...text, pad: { l: 8, t: 8 }, font: { size: 10, color: style.getPropertyValue("--rc-muted").trim() } },
      margin: { ...layout.margin, b: layout.margin.b + below },
    },
    config: { staticPlot: true, showSendToCloud: false, displaylogo: false },
  };
}

/**
 * @param {{data: object[], layout: any}} figure  with its width, height and margins
 * @param {string} words  the caption
 * @param {"png" | "svg"} way  PNG at twice the size
 */
export async function chartImage(figure, words, way) {
  const plotly = await loadPlotly();
  const picture = withCaption(figure, words);
  const { width, height } = picture.layout;
  const found = await plotly.toImage(picture, { format: way, width, height, scale: way === "png" ? 2 : 1, imageDataOnly: true });
  if (way === "svg") return new Blob([found], { type: "image/svg+xml" });
  return new Blob([Uint8Array.from(atob(found), (letter) => letter.charCodeAt(0))], { type: "image/png" });
}
