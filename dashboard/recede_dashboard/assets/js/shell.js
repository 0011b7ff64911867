/* The frame of all pages: the worker's state, the banner, notices, the title, start-up. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const WORKERS_EVERY_MS = 15000;
  const BANNER_AFTER_MS = 2500;
  let bannerTimer = 0;

  async function showWorkers() {
    let key = "bad";
    let text = "Recede does not answer";
    try {
      const alive = (await recede.api("GET", "/workers")).items.filter((worker) => worker.alive);
      if (alive.length) {
        const devices = alive.flatMap((worker) => worker.devices.map((device) => device.name));
        key = "good";
        text = `${alive.length === 1 ? "Worker ready" : `${alive.length} workers ready`} · ${devices.join(", ")}`;
      } else {
        text = "No worker: nothing is trained. Start one with recede worker";
      }
    } catch {
      /* said by the text above and by the banner */
    }
    recede.put("worker-status", { children: text, "data-state": key });
  }

  document.addEventListener("recede:offline", () => {
    bannerTimer = bannerTimer || window.setTimeout(() => banner(true), BANNER_AFTER_MS);
  });
  document.addEventListener("recede:online", () => {
    window.clearTimeout(bannerTimer);
    bannerTimer = 0;
    banner(false);
    showWorkers();
  });

  /** @param {boolean} shown */
  function banner(shown) {
    recede.put("offline-banner", { hidden: !shown });
    if (shown) showWorkers();
  }

  const ENDS = {
    succeeded: ["Finished", "good"],
    failed: ["Failed", "bad"],
    cancelled: ["Cancelled", "info"],
  };
  const STALL = ["Stalled", "bad"];

  /** @param {any} run */
  function accuracy({ state, test_accuracy: a }) {
    return state === "succeeded" && a ? `${recede.format.percent(a.value, a.n)} of ${recede.format.count(a.n)} test images.` : "";
  }

  recede.onEvent(async (event) => {
    if (event.type === "worker") return showWorkers();
    const told = event.stalled ? STALL : ENDS[event.state];
    if (event.type !== "run" || !told) return;
    if (Date.now() / 1000 - event.created_at > 3600) return; // replayed from long ago
    try {
      const run = await recede.api("GET", `/runs/${event.run_id}`);
      const [title, kind] = told;
      const last = event.stalled ? ` Its last finished epoch is ${run.epochs_done}.` : "";
      const why = run.error ? ` ${run.error.message}` : last;
      recede.notify(title, `${run.name}.${why}`, kind);
      if (event.state !== "cancelled") await recede.notifying.show(event, `${title}: ${run.name}`, (accuracy(run) + why).trim());
    } catch {
      /* deleted meanwhile: nothing to tell */
    }
  });

  function title() {
    const name = document.getElementById("run-name")?.value || document.querySelector(".group-name")?.textContent;
    const page = location.pathname === "/settings" ? "Settings" : name;
    document.title = page ? `${page} · Recede` : "Recede";
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.shell = Object.assign(clientside.shell || {}, {
    boot() {
      showWorkers();
      window.setInterval(() => document.hidden || showWorkers(), WORKERS_EVERY_MS);
      recede.scheme.mark();
      if (recede.live.isOnline() === false) banner(true);
      return recede.scheme.now();
    },

    /** @param {string} path */
    navigated(path) {
      for (const link of document.querySelectorAll(".nav-link")) {
        const own = link.id === "nav-runs" ? path === "/" || path.startsWith("/runs") || path.startsWith("/groups") : path === link.getAttribute("href");
        if (own) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
      }
      window.setTimeout(title, 300);
    },

    /** @param {string} address of a page of ours */
    goTo(address) {
      if (address) recede.go(address);
    },

    /** What a switch unfolds is hidden while it is off. @param {boolean} on */
    isOff(on) {
      return !on;
    },

    /** @param {number} clicks @param {string} value */
    takeAdvice(clicks, value) {
      return clicks ? value : window.dash_clientside.no_update;
    },
  });
  recede.title = title;
})();
