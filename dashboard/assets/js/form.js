/* The form of a new run: what is wrong is brought into sight when it is submitted. */
(function () {
  "use strict";
  const REVEAL_MS = [50, 900]; // at once, and when the server has answered

  /** Bring the first field that is wrong into sight and put the cursor there. */
  function reveal() {
    const wrong = document.querySelector('#run-form [aria-invalid="true"]');
    if (!wrong) return;
    wrong.scrollIntoView({ block: "center" });
    wrong.focus({ preventScroll: true });
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#submit-run")) return;
    for (const wait of REVEAL_MS) window.setTimeout(reveal, wait);
  });
})();
