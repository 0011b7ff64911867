/** A drawing context that writes SVG: the part of the canvas API that our views use. */

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escape = (text) => String(text).replace(/[&<>"]/g, (one) => ESCAPES[one]);
const round = (value) => Number(value.toFixed(2));
const ANCHORS = { left: "start", start: "start", center: "middle", right: "end", end: "end" };
const SHIFTS = { top: 0.86, middle: 0.36, bottom: -0.14, alphabetic: 0 };
const STATE = ["fillStyle", "strokeStyle", "lineWidth", "lineJoin", "globalAlpha", "font", "textAlign", "textBaseline"];

export class SvgContext {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.parts = [];
    this.path = "";
    this.dash = [];
    this.stack = [];
    this.fillStyle = "#000";
    this.strokeStyle = "#000";
    this.lineWidth = 1;
    this.lineJoin = "miter";
    this.globalAlpha = 1;
    this.font = "10px sans-serif";
    this.textAlign = "left";
    this.textBaseline = "alphabetic";
    this.isPicture = true;
    this.ruler = document.createElement("canvas").getContext("2d");
  }

  save() {
    this.stack.push([this.dash, ...STATE.map((name) => this[name])]);
  }

  restore() {
    const [dash, ...values] = this.stack.pop();
    this.dash = dash;
    STATE.forEach((name, i) => (this[name] = values[i]));
  }

  setTransform() {}

  clearRect() {}

  clip() {} // only lines at the very edge are cut off by it

  setLineDash(dash) {
    this.dash = dash;
  }

  beginPath() {
    this.path = "";
  }

  closePath() {
    this.path += "Z";
  }

  moveTo(x, y) {
    this.path += `M${round(x)} ${round(y)}`;
  }

  lineTo(x, y) {
    this.path += `${this.path ? "L" : "M"}${round(x)} ${round(y)}`;
  }

  rect(x, y, width, height) {
    this.path += `M${round(x)} ${round(y)}h${round(width)}v${round(height)}h${round(-width)}Z`;
  }

  /** Whole circles only: that is all that is drawn. */
  arc(x, y, radius) {
    const r = round(radius);
    this.path += `M${round(x + radius)} ${round(y)}a${r} ${r} 0 1 1 ${-2 * r} 0a${r} ${r} 0 1 1 ${2 * r} 0Z`;
  }

  look(stroke) {
    const opacity = this.globalAlpha < 1 ? ` opacity="${round(this.globalAlpha)}"` : "";
    if (!stroke) return ` fill="${escape(this.fillStyle)}"${opacity}`;
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.join(" ")}"` : "";
    return ` fill="none" stroke="${escape(this.strokeStyle)}" stroke-width="${round(this.lineWidth)}" stroke-linejoin="${this.lineJoin}"${dash}${opacity}`;
  }

  fill() {
    if (this.path) this.parts.push(`<path d="${this.path}"${this.look(false)}/>`);
  }

  stroke() {
    if (this.path) this.parts.push(`<path d="${this.path}"${this.look(true)}/>`);
  }

  fillRect(x, y, width, height) {
    this.parts.push(`<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(0, width))}" height="${round(Math.max(0, height))}"${this.look(false)}/>`);
  }

  strokeRect(x, y, width, height) {
    this.parts.push(`<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"${this.look(true)}/>`);
  }

  measureText(text) {
    this.ruler.font = this.font;
    return this.ruler.measureText(text);
  }

  fillText(text, x, y) {
    const [, weight, size, family] = this.font.match(/^(\d+ )?([\d.]+)px (.*)$/);
    const base = y + SHIFTS[this.textBaseline] * Number(size);
    this.parts.push(`<text x="${round(x)}" y="${round(base)}" font-size="${size}"${weight ? ` font-weight="${weight.trim()}"` : ""} font-family="${escape(family)}" text-anchor="${ANCHORS[this.textAlign]}"${this.look(false)}>${escape(text)}</text>`);
  }

  /** The whole document, on a ground, with what it is as its title. */
  text(ground, title) {
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}">`,
      `<title>${escape(title)}</title>`,
      `<rect width="100%" height="100%" fill="${escape(ground)}"/>`,
      ...this.parts, "</svg>", "",
    ].join("\n");
  }
}
