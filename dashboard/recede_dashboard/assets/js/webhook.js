/* The webhook on the Settings page: its address, what came of the last notice, a test. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  let busy = false;

  /** @param {number|null} at seconds since 1970 */
  function clock(at) {
    if (at === null) return "–";
    const when = new Date(1000 * at);
    const today = when.toDateString() === new Date().toDateString();
    const time = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    return today ? time : `${when.toLocaleDateString()} ${time}`;
  }

  /** @param {any} last the delivery that was tried last */
  function outcome(last) {
    if (!last) return "Nothing was sent yet.";
    const what = last.event === "test" ? "test" : `a run that ${last.event === "stalled" ? "stalled" : last.event}`;
    if (last.state === "sent") return `Last sent ${clock(last.tried_at)} (${what}): it answered ${last.status}.`;
    const failed = `Failed ${clock(last.tried_at)} (${what}): ${last.error}`;
    if (last.next_try_at !== null) return `${failed}; tries again at ${clock(last.next_try_at)}.`;
    return `${failed}; ${last.attempts > 1 ? `given up after ${last.attempts} tries` : "not tried again"}.`;
  }

  /** @param {any} hook as the API tells it @param {boolean} [fill] put its address into the field */
  function show(hook, fill = false) {
    const fixed = hook.set_by === "environment";
    if (fill) recede.put("webhook-url", { value: hook.url || "", error: null, disabled: fixed });
    recede.put("webhook-save", { hidden: fixed });
    recede.put("webhook-test", { hidden: !hook.url });
    recede.put("webhook-off", { hidden: !hook.url || fixed });
    const waiting = hook.waiting ? ` ${hook.waiting} waiting.` : "";
    const words = hook.url || hook.last ? outcome(hook.last) + waiting : "Off: nothing is sent.";
    const by = fixed ? "Set by RECEDE_WEBHOOK where the service is started. " : "";
    recede.put("webhook-words", { children: by + words, "data-state": hook.last?.state || "none" });
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async function ask(method, path, body) {
    if (busy) return;
    busy = true;
    recede.put("webhook-words", { children: method === "POST" ? "Sending a test …" : "Saving …" });
    try {
      show(await recede.api(method, path, body), true);
    } catch (error) {
      recede.put("webhook-url", { error: [error.message, error.hint].filter(Boolean).join(" ") });
      recede.put("webhook-words", { children: "Nothing was changed." });
    } finally {
      busy = false;
    }
  }

  function save() {
    const url = document.getElementById("webhook-url").value.trim();
    if (url) ask("PUT", "/webhook", { url });
    else ask("DELETE", "/webhook");
  }

  /** @param {boolean} fill */
  async function load(fill) {
    if (!document.getElementById("webhook-words")) return;
    try {
      show(await recede.api("GET", "/webhook"), fill);
    } catch (error) {
      recede.put("webhook-words", { children: error.message });
    }
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "webhook-form") return;
    event.preventDefault();
    save();
  });
  document.addEventListener("click", (event) => {
    const asked = event.target.closest?.("[data-webhook]")?.dataset.webhook;
    if (asked === "test") ask("POST", "/webhook/test");
    if (asked === "off") ask("DELETE", "/webhook");
  });
  recede.onEvent((event) => {
    if (event.type === "webhook" && !busy) load(false);
  });
  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.shell = Object.assign(clientside.shell || {}, {
    /** The Settings page has appeared: fill its notices once its nodes are there. */
    attachNotices() {
      window.setTimeout(() => {
        recede.notifying.tell();
        load(true);
      }, 0);
      return Date.now();
    },
  });
})();
