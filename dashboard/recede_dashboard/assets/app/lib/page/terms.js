/** Elements whose explanation changes; the shell shows it (shell/terms). */

/** @type {WeakMap<Element, () => string>} */
const givers = new WeakMap();

/** A node whose term changes: asked when it is shown. @param {HTMLElement} node @param {() => string} name */
export function giveTerm(node, name) {
  node.dataset.term = name();
  givers.set(node, name);
}

/** Read again which term a node has. @param {HTMLElement} node */
export function refreshTerm(node) {
  const name = givers.get(node);
  if (name) node.dataset.term = name();
}
