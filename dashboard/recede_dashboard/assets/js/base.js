/* What all our scripts share: requests, navigation, notices, setting properties of components. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});

  /** An error of the API, in words. */
  class ApiError extends Error {
    /** @param {{code?: string, message?: string, field?: string, hint?: string}} body @param {number} status */
    constructor(body, status) {
      super(body.message || `The server answered with status ${status}.`);
      this.code = body.code || "error";
      this.hint = body.hint || "";
      this.status = status;
    }
  }

  /**
   * Ask the API; raises ApiError with the server's words.
   * @param {string} method @param {string} path without the prefix @param {object} [body]
   */
  async function api(method, path, body) {
    let response;
    try {
      response = await fetch(`/api/v1${path}`, {
        method,
        headers: body ? { "Content-Type": "application/json" } : {},
        body: body ? JSON.stringify(body) : undefined,
      });
    } catch {
      const hint = "It is tried again by itself; look at the terminal where Recede runs.";
      throw new ApiError({ code: "gone", message: "Recede does not answer.", hint }, 0);
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new ApiError(answer.error || {}, response.status);
    return answer;
  }

  /** Go to a page of ours without loading the document anew. @param {string} href */
  function go(href) {
    window.history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  /** Set properties of a component that is on the page; says whether it was. @param {string} id @param {object} props */
  function put(id, props) {
    if (!document.getElementById(id)) return false;
    window.dash_clientside.set_props(id, props);
    return true;
  }

  /** @param {string} title @param {string} message @param {"good"|"bad"|"info"} [kind] */
  function notify(title, message, kind = "info") {
    const notice = {
      action: "show",
      title,
      message,
      className: `notice notice-${kind}`,
      autoClose: kind === "bad" ? 12000 : 6000,
      position: "bottom-left",
    };
    window.dash_clientside.set_props("notices", { sendNotifications: [notice] });
  }

  /** Show an error in words, with what to do. @param {Error & {hint?: string}} error @param {string} title */
  function complain(error, title) {
    notify(title, [error.message, error.hint].filter(Boolean).join(" "), "bad");
  }

  /** @param {string} tag @param {string} className @param {...(Node|string)} children */
  function el(tag, className, ...children) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  }

  /** Listen to live events. @param {(detail: any) => void} listener */
  function onEvent(listener) {
    document.addEventListener("recede:event", (event) => listener(event.detail));
  }

  /** Call at most once in `ms`, the last time always. @param {() => void} f @param {number} ms */
  function throttle(f, ms) {
    let timer = 0;
    return () => {
      if (!timer) timer = window.setTimeout(() => ((timer = 0), f()), ms);
    };
  }

  /** Copy text; works without a secure context too. @param {string} text */
  async function copy(text) {
    if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
    const area = el("textarea", "sr-only");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  // Any element with data-copy (the text) or data-copy-from (id of the element with the text).
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy], [data-copy-from]");
    if (!button) return;
    const from = button.dataset.copyFrom;
    const text = from ? document.getElementById(from)?.innerText : button.dataset.copy;
    try {
      await copy(text || "");
      button.dataset.copied = "true";
      setTimeout(() => delete button.dataset.copied, 1600);
    } catch {
      notify("Not copied", "The browser did not allow it; select the text and copy it.", "bad");
    }
  });

  Object.assign(recede, { ApiError, api, go, put, notify, complain, el, onEvent, throttle, copy });
})();
