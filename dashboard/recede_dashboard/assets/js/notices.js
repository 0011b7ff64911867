/* Notices of a run as calm banners at the top of its page: what was noticed, when, what to do. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});

  /** @param {{code: string, message: string, hint: string|null, epoch: number|null}} notice */
  function banner({ code, message, hint, epoch }) {
    const { el } = recede;
    const words = el("div", "run-notice-words", el("strong", "", message));
    if (hint) words.append(el("span", "run-notice-hint", hint));
    const node = el("div", "run-notice", el("span", "i i-alert"), words);
    node.dataset.code = code;
    node.dataset.testid = "run-notice";
    node.firstChild.setAttribute("aria-hidden", "true");
    if (epoch !== null && epoch !== undefined) node.append(el("span", "run-notice-epoch", `epoch ${epoch}`));
    return node;
  }

  /** Show the notices of a run; unchanged ones are left alone. @param {any} run */
  function show(run) {
    const place = document.getElementById("run-notices");
    if (!place) return;
    const notices = run.notices || [];
    const key = `${run.id} ${JSON.stringify(notices)}`;
    if (place.dataset.key === key) return;
    place.dataset.key = key;
    place.replaceChildren(...notices.map(banner));
  }

  recede.notices = { show };
})();
