/* Runs that are chosen in the table: how many, and the way to compare them. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const MOST = 8;

  /** @param {{id: string}[]} runs */
  function show(runs) {
    const link = document.getElementById("compare-button");
    if (!link) return;
    const n = runs.length;
    const fits = n >= 2 && n <= MOST;
    link.hidden = n === 0;
    link.textContent = `Compare ${n}`;
    link.title = fits ? "Compare the chosen runs" : `Choose 2 to ${MOST} runs`;
    link.toggleAttribute("aria-disabled", !fits);
    link.setAttribute("href", fits ? `/compare?runs=${runs.map((run) => run.id).join(",")}` : "/compare");
  }

  document.addEventListener("click", (click) => {
    const link = click.target.closest?.("#compare-button");
    if (!link || click.ctrlKey || click.metaKey || click.shiftKey || click.altKey) return;
    click.preventDefault();
    if (!link.hasAttribute("aria-disabled")) recede.go(link.getAttribute("href"));
  });

  recede.choose = { show };
})();
