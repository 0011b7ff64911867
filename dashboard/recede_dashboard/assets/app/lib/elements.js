/** Building DOM for Explore: elements, segmented switches, colours of the theme. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {Node|string|number|null|undefined|(Node|string|null|undefined)[]} Child
 * @typedef {Record<string, any>} Props
 */

/** @template {Element} T @param {T} node @param {Props} props @param {any[]} children @returns {T} */
function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * An HTML element; `onclick` and the like listen, `text` is its text, the rest attributes.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export const h = (tag, props = {}, ...children) => fill(document.createElement(tag), props, children);

/**
 * The same for SVG.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export const svg = (tag, props = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), props, children);

/** An icon that is drawn by CSS (theme masks --i-NAME or ours --rx-NAME). @param {string} name */
export const icon = (name) => h("span", { class: `rx-icon rx-icon-${name}`, "aria-hidden": "true" });

/** `id` and `data-testid` in one. @param {string} id */
export const named = (id) => ({ id, "data-testid": id });

/** Write text only where it changed, so that a drag touches few nodes. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.firstChild instanceof Text && !node.firstChild.nextSibling) {
    if (node.firstChild.data !== text) node.firstChild.data = text;
  } else if (node.textContent !== text) node.textContent = text;
}

/** Set attributes only where they changed; null removes. @param {Element} node @param {Props} attributes */
export function setAttributes(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) {
      if (node.hasAttribute(name)) node.removeAttribute(name);
    } else {
      const text = value === true ? "" : String(value);
      if (node.getAttribute(name) !== text) node.setAttribute(name, text);
    }
  }
}

