/** Explore as a whole: mounts wherever its root appears, renders once a frame, keeps the address. */

import { Explore } from "./app.js";

const SELECTOR = "[data-recede-explore]";
/** @type {Map<Element, Explore>} */
export const mounted = new Map();

/**
 * Bring a root to life. A living one is left alone; one whose run changed, or whose inside
 * was made anew by the page, starts again.
 * @param {HTMLElement} root
 */
export function mount(root) {
  const known = mounted.get(root);
  if (known && known.runId === root.dataset.run && root.contains(known.els.frame)) return known;
  known?.destroy();
  const app = new Explore(root);
  mounted.set(root, app);
  root.dataset.ready = "true";
  return app;
}

/** Look for roots that came or went. */
export function scan() {
  for (const [root, app] of mounted) {
    if (root.isConnected) continue;
    app.destroy();
    mounted.delete(root);
  }
  document.querySelectorAll(SELECTOR).forEach((root) => root.dataset.run && mount(root));
}

function start() {
  scan();
  let planned = 0;
  new MutationObserver(() => {
    planned = planned || requestAnimationFrame(() => {
      planned = 0;
      scan();
    });
  }).observe(document.body, { childList: true, subtree: true, attributeFilter: ["data-run"] });
}

start();
