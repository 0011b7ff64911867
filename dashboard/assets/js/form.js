/* The form of a new run: what was typed a moment ago is sent too. */
(function () {
  "use strict";
  const SETTLE_MS = 450; // fields hand over what was typed after 350 ms (new_run/fields.py)
  const REVEAL_MS = [50, 900]; // at once, and when the server has answered
  let typedAt = 0;

  /** Bring the first field that is wrong into sight and put the cursor there. */
  function reveal() {
    const wrong = document.querySelector('#run-form [aria-invalid="true"]');
    if (!wrong) return;
    wrong.scrollIntoView({ block: "center" });
    wrong.focus({ preventScroll: true });
  }

  document.addEventListener("input", (event) => {
    if (event.target instanceof Element && event.target.closest("#run-form")) typedAt = Date.now();
  });

  // In the capture phase, before Dash sees the click: wait until the last field has settled.
  document.addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element && event.target.closest("#submit-run");
      const rest = typedAt + SETTLE_MS - Date.now();
      if (!button) return;
      if (rest <= 0) {
        for (const wait of REVEAL_MS) window.setTimeout(reveal, wait);
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      window.setTimeout(() => button.click(), rest);
    },
    true,
  );
})();
