/** Colours for shares: scales that grow in one direction of lightness, so that they can be read
 *  without telling hues apart, and a small canvas of one cell a pixel. */

const STEPS = 256;
/** From little to much, on the light and on the dark ground. */
const STOPS = {
  receded: {
    light: ["#f4f1e8", "#efd3a6", "#dd9a4b", "#a9560f", "#4f2404"],
    dark: ["#1d262c", "#4a361f", "#94601f", "#e2a04e", "#ffe9c4"],
  },
  kept: {
    light: ["#f1f1ea", "#bcd6d6", "#63a6b2", "#12708a", "#05303f"],
    dark: ["#1d262c", "#1d4853", "#2f8093", "#6fc6d8", "#e6f9fd"],
  },
};

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** True where the ground is dark: the scale then begins dark. */
function isDark(colours) {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = colours.surface;
  const parts = String(probe.fillStyle).startsWith("#") ? rgb(String(probe.fillStyle)) : [255];
  return parts.reduce((a, b) => a + b, 0) / parts.length < 128;
}

const made = new Map();

/** 256 colours as packed little-endian RGBA and as text. */
export function colourScale(name, colours) {
  const key = `${name} ${colours.surface}`;
  if (!made.has(key)) {
    const stops = STOPS[name][isDark(colours) ? "dark" : "light"].map(rgb);
    const packed = new Uint32Array(STEPS);
    const css = [];
    for (let i = 0; i < STEPS; i++) {
      const place = (i / (STEPS - 1)) * (stops.length - 1);
      const k = Math.min(stops.length - 2, Math.floor(place));
      const [r, g, b] = stops[k].map((from, c) => Math.round(from + (place - k) * (stops[k + 1][c] - from)));
      packed[i] = (255 << 24) | (b << 16) | (g << 8) | r;
      css.push(`rgb(${r},${g},${b})`);
    }
    made.set(key, { packed, css });
  }
  return made.get(key);
}

/** Step of the scale for a share between 0 and 1. */
export const scaleStep = (share) => Math.max(0, Math.min(STEPS - 1, Math.round(share * (STEPS - 1))));

/**
 * Cells as an image of one pixel each; NaN stays transparent.
 * @param {Float32Array} values  rows × columns, shares of the scale
 */
export function scaleImage(values, columns, rows, palette, canvas) {
  canvas.width = columns;
  canvas.height = rows;
  const g = canvas.getContext("2d");
  const pixels = g.createImageData(columns, rows);
  const out = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < values.length; i++) {
    out[i] = Number.isNaN(values[i]) ? 0 : palette.packed[scaleStep(values[i])];
  }
  g.putImageData(pixels, 0, 0);
  return canvas;
}

/** The scale itself, upright, with words at both ends. */
export function scaleLegend(g, { x, top, bottom, width }, palette, colours, [low, high]) {
  const height = bottom - top;
  for (let y = 0; y < height; y++) {
    g.fillStyle = palette.css[scaleStep(1 - y / Math.max(1, height - 1))];
    g.fillRect(x, top + y, width, 1.5);
  }
  g.strokeStyle = colours.line;
  g.lineWidth = 1;
  g.strokeRect(x + 0.5, top + 0.5, width - 1, height - 1);
  g.font = `11px ${colours.font}`;
  g.fillStyle = colours.muted;
  g.textAlign = "left";
  g.textBaseline = "top";
  g.fillText(high, x + width + 5, top - 1);
  g.textBaseline = "bottom";
  g.fillText(low, x + width + 5, bottom + 1);
}
