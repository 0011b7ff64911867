/** A drawing of the page once more: onto a canvas, or into a file that needs no styles of the page. */

const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order",
  "opacity", "visibility", "font-family", "font-size", "font-weight",
];

/** The parts of a drawing as SVG, each with the look that it has on the page. */
function written(figure) {
  const copy = figure.cloneNode(true);
  const copies = [...copy.querySelectorAll("*")];
  [...figure.querySelectorAll("*")].forEach((node, i) => {
    const look = getComputedStyle(node);
    for (const name of [...copies[i].getAttributeNames()]) {
      if (name === "class" || name.startsWith("data-")) copies[i].removeAttribute(name);
    }
    if (["g", "clipPath", "title"].includes(node.tagName)) return;
    for (const name of STYLES) copies[i].setAttribute(name, look.getPropertyValue(name));
  });
  return [...copy.childNodes].map((node) => new XMLSerializer().serializeToString(node));
}

const values = (node, ...names) => names.map((name) => node[name].baseVal.value);

const OUTLINES = {
  path: (path, node) => path.addPath(new Path2D(node.getAttribute("d"))),
  line: (path, node) => {
    const [x1, y1, x2, y2] = values(node, "x1", "y1", "x2", "y2");
    path.moveTo(x1, y1);
    path.lineTo(x2, y2);
  },
  rect: (path, node) => path.roundRect(...values(node, "x", "y", "width", "height", "rx")),
  circle: (path, node) => path.arc(...values(node, "cx", "cy", "r"), 0, 2 * Math.PI),
};

function outlineOf(node) {
  const path = new Path2D();
  OUTLINES[node.tagName](path, node);
  return path;
}

function shape(g, node, look) {
  const path = outlineOf(node);
  if (look.fill !== "none" && node.tagName !== "line") {
    g.globalAlpha = look.opacity * look.fillOpacity;
    g.fillStyle = look.fill;
    g.fill(path);
  }
  if (look.stroke === "none") return;
  g.globalAlpha = look.opacity * look.strokeOpacity;
  g.setLineDash(look.strokeDasharray === "none" ? [] : look.strokeDasharray.split(",").map(parseFloat));
  [g.strokeStyle, g.lineWidth, g.lineJoin] = [look.stroke, parseFloat(look.strokeWidth), look.strokeLinejoin];
  g.stroke(path);
}

function text(g, node, look) {
  const at = [node.textContent, Number(node.getAttribute("x")), Number(node.getAttribute("y"))];
  g.font = `${look.fontWeight} ${parseFloat(look.fontSize)}px ${look.fontFamily}`;
  g.textAlign = { middle: "center", end: "right" }[look.textAnchor] || "left";
  g.globalAlpha = Number(look.opacity);
  if (look.stroke !== "none") { // a halo in the colour of the ground
    [g.strokeStyle, g.lineWidth, g.lineJoin] = [look.stroke, parseFloat(look.strokeWidth), "round"];
    g.strokeText(...at);
  }
  g.fillStyle = look.fill;
  g.fillText(...at);
}

function painted(g, figure) {
  for (const node of figure.querySelectorAll("path, line, rect, circle, text")) {
    const look = getComputedStyle(node);
    if (node.closest("clipPath") || look.visibility === "hidden") continue;
    g.save();
    const clip = node.closest("[clip-path]");
    if (clip) g.clip(outlineOf(clip.previousElementSibling.firstElementChild));
    const at = node.getCTM();
    g.transform(at.a, at.b, at.c, at.d, at.e, at.f);
    if (node.tagName === "text") text(g, node, look);
    else shape(g, node, look);
    g.restore();
  }
}

/** Draw an SVG element that is on the page onto a canvas, or into what writes SVG. */
export function paintSvg(g, figure) {
  if (g.isPicture) g.parts.push(...written(figure));
  else painted(g, figure);
}
