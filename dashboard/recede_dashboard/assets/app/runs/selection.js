/** Runs that are chosen in the table: how many, and the way to compare them. */

import { go } from "../lib/dash.js";

const MOST = 8;

/** @param {{id: string}[]} runs */
export function showSelection(runs) {
  const link = document.getElementById("compare-button");
  if (!link) return;
  const n = runs.length;
  const fits = n >= 2 && n <= MOST;
  link.hidden = n === 0;
  link.textContent = `Compare ${n}`;
  link.title = fits ? "Compare the selected runs" : `Select 2 to ${MOST} runs`;
  link.toggleAttribute("aria-disabled", !fits);
  link.setAttribute("href", fits ? `/compare?runs=${runs.map((run) => run.id).join(",")}` : "/compare");
}

document.addEventListener("click", (click) => {
  const link = click.target.closest?.("#compare-button");
  if (!link || click.ctrlKey || click.metaKey || click.shiftKey || click.altKey) return;
  click.preventDefault();
  if (!link.hasAttribute("aria-disabled")) go(link.getAttribute("href"));
});
