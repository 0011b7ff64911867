/** Menus (`details.rx-menu`) close with Escape, a press outside or a new size of the window. */

const OPEN = "details.rx-menu[open]";

/** Whether an event leaves a menu open; `data-also` selects what belongs to it elsewhere. @param {HTMLElement} menu @param {any} event */
function leavesOpen(menu, { type, key, target }) {
  if (type === "keydown") return key !== "Escape" || document.querySelector("dialog[open]") !== null;
  if (type !== "pointerdown") return false;
  const { also } = menu.dataset;
  return menu.contains(target) || Boolean(also && target.closest?.(also));
}

/** @param {Event} event */
function close(event) {
  for (const menu of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll(OPEN))) {
    if (leavesOpen(menu, event)) continue;
    const within = event.type === "keydown" && menu.contains(document.activeElement);
    menu.open = false;
    if (within) menu.querySelector("summary")?.focus();
  }
}

/** Listen for what closes menus. Call it once. */
export function watchMenus() {
  for (const type of ["pointerdown", "keydown", "resize"]) window.addEventListener(type, close);
}
