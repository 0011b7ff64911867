/* The page of one run, kept live: state, tiles, activity, tabs in the address. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  const say = recede.format;
  const STAGES = { measuring: "Measuring", cutting: "Cutting", writing: "Writing", verifying: "Verifying", loading: "Loading" };
  const FINAL = ["succeeded", "failed", "cancelled"];
  /** The run that is shown. @type {any} */
  let run = null;
  /** When a run that stalls was last heard of, by this browser's clock. */
  let heardAt = 0;

  const here = () => document.getElementById("run-root")?.dataset.runId || null;
  const { put } = recede;

  /** What the server says of the run now. @param {any} told */
  function take(told) {
    run = told;
    heardAt = Date.now() / 1000 - (told.stalled_s ?? 0);
  }

  const stalls = () => run.state === "running" && run.stalled_s !== null && run.stalled_s !== undefined;

  /** @param {string} name @param {string} value @param {string} [note] */
  function tile(name, value, note) {
    put(`tile-${name}`, { children: value });
    if (note !== undefined) put(`tile-${name}-note`, { children: note });
  }

  function showState() {
    const { key, text, more } = say.state(run);
    put("run-state", { children: more ? `${text}, ${more}` : text, "data-state": key });
    const active = !FINAL.includes(run.state);
    put("cancel-run", { hidden: !active || !!run.cancel_requested_at });
    put("resume-run", { hidden: !["failed", "cancelled"].includes(run.state) });
    put("delete-run", { hidden: active });
    put("live-strip", { hidden: run.state !== "running" });
    put("result-strip", { hidden: active });
    if (run.state === "queued") waiting();
  }

  function waiting() {
    const n = run.queue_position || 0;
    const before = n ? `${n} run${n === 1 ? " is" : "s are"} trained before it` : "It is the next one";
    put("run-activity", { hidden: false, children: `${before}; it starts by itself, also when this page is closed.` });
  }

  /** @param {string} name @param {any} accuracy */
  function accuracyTile(name, accuracy) {
    if (!accuracy) return tile(name, "–", "");
    const [low, high] = [accuracy.low, accuracy.high].map((x) => (100 * x).toFixed(say.decimals(accuracy.n)));
    tile(name, say.percent(accuracy.value, accuracy.n), `n = ${say.count(accuracy.n)}, ${low}–${high} %`);
  }

  function showResult() {
    tile("epochs", `${run.epochs_done} / ${run.spec.epochs}`, "");
    tile("best", run.best_epoch === null ? "–" : String(run.best_epoch), "by validation");
    accuracyTile("test", run.test_accuracy);
    accuracyTile("validation", run.val_accuracy);
    const ratio = run.lossless_ratio;
    tile("lossless", ratio === null ? "–" : `${(100 * ratio).toFixed(0)} %`, ratio === null ? "measured after training" : "of the neurons");
    const took = run.started_at && run.finished_at ? run.finished_at - run.started_at : null;
    tile("took", took === null ? "–" : say.duration(took), "");
  }

  function showLive() {
    const p = run.progress || {};
    const epoch = Math.max(p.epoch || 0, run.epochs_done, 1);
    tile("epoch", `${epoch} / ${run.spec.epochs}`);
    bar("epoch", say.done(run));
    if (p.stage && p.stage !== "training") {
      tile("batch", say.count(p.done || 0), `${p.stage}: ${p.message || p.unit || ""}`);
    } else if (p.batches) {
      tile("batch", `${say.count(p.batch)} / ${say.count(p.batches)}`);
      bar("batch", p.batch / p.batches);
    }
    tile("loss", say.figure(p.loss));
    tile("accuracy", p.accuracy === undefined || p.accuracy === null ? "–" : `${(100 * p.accuracy).toFixed(1)} %`);
    tile("penalty", say.figure(p.penalty));
    const still = stalls();
    const eta = still ? null : (p.eta_s ?? run.eta_s);
    tile("speed", p.images_per_s && !still ? say.count(p.images_per_s) : "–", still ? "stalled" : "");
    tile("eta", eta === null || eta === undefined ? "–" : say.duration(eta), still ? "stalled" : "");
  }

  /** A thin bar under a tile; React leaves that element to us. @param {string} name @param {number} share */
  function bar(name, share) {
    const node = document.getElementById(`tile-${name}-bar`);
    if (!node) return;
    if (!node.firstChild) {
      node.append(recede.el("span", "meter", recede.el("span", "")));
      node.firstChild.dataset.live = "true";
    }
    node.firstChild.firstChild.style.width = `${100 * Math.min(1, share)}%`;
  }

  async function showProblem() {
    const node = document.getElementById("run-problem");
    if (!node) return;
    if (run.state !== "failed" || !run.error) return node.replaceChildren();
    const { message, hint } = run.error;
    const box = recede.el("div", "alert alert-bad", recede.el("strong", "", "This run failed. "), message);
    if (hint) box.append(recede.el("div", "alert-hint", hint));
    node.replaceChildren(box);
    const tail = await recede.log.tail(run.id, 6);
    if (tail.length && node.contains(box)) box.append(recede.el("pre", "code", tail.join("\n")));
  }

  function showAll() {
    if (!run || here() !== run.id) return;
    showState();
    showLive();
    showResult();
    recede.notices.show(run);
    showReport();
    recede.title();
  }

  /** The report on the data set's files comes while the run goes on: ask for it once. */
  function showReport() {
    const place = document.getElementById("report-slot");
    if (!run.data_report || !place || place.childElementCount || place.dataset.asked) return;
    place.dataset.asked = "true";
    window.dash_clientside.set_props("report-tick", { data: run.id });
  }

  const reread = recede.throttle(async () => {
    const id = here();
    if (!id) return;
    try {
      const before = run?.state;
      take(await recede.api("GET", `/runs/${id}`));
      showAll();
      if (run.state !== before) {
        if (before === "queued") put("run-activity", { hidden: true });
        showProblem();
        recede.log.listJobs(id);
      }
    } catch (error) {
      if (error.status === 404) gone();
    }
  }, 250);

  /** Somebody deleted it; whoever did so here is told by the question's own notice. */
  function gone() {
    const id = run?.id;
    run = null;
    if (id && here() === id && !recede.deleting.has(id)) {
      recede.notify("Deleted", "This run was deleted.", "info");
      recede.go("/");
    }
  }

  /** What else is done for this run: measuring, cutting. @param {any} event */
  function activity(event) {
    const of = event.total ? `${say.count(event.done)} of ${say.count(event.total)} ${event.unit || ""}` : "";
    const words = [event.message, of].filter(Boolean).join(", ");
    put("run-activity", { hidden: false, children: `${STAGES[event.stage] || "Working"}: ${words}` });
  }

  function refreshFiles() {
    window.dash_clientside.set_props("files-tick", { data: Date.now() });
    if (!run?.spec.init?.plan || !document.getElementById("comparison-slot")) return;
    window.dash_clientside.set_props("comparison-tick", { data: Date.now() });
  }

  const HANDLERS = {
    progress(event) {
      if (event.stage === "training" || event.job_id === recede.log.trainJob()) {
        run = { ...run, progress: event, eta_s: event.eta_s, stalled_s: null };
        showState();
        showLive();
      } else {
        activity(event);
      }
    },
    epoch(event) {
      reread();
      recede.charts.extend(event.run_id);
    },
    run() {
      reread();
      refreshFiles(); // the test set is measured after the last checkpoint was written
    },
    job(event) {
      if (FINAL.includes(event.state)) put("run-activity", { hidden: true });
      if (event.kind !== "train" && event.state === "failed" && event.error) {
        recede.notify("Not done", [event.error.message, event.error.hint].filter(Boolean).join(" "), "bad");
      }
      reread();
      recede.log.listJobs(event.run_id);
    },
    checkpoint: () => refreshFiles(),
    evaluation: reread,
    notice: reread,
    run_deleted: () => gone(),
  };

  recede.onEvent((event) => {
    const id = here();
    if (!id || !run || event.run_id !== id) return;
    HANDLERS[event.type]?.(event);
  });
  for (const name of ["recede:changed", "recede:online"]) document.addEventListener(name, reread);
  document.addEventListener("recede:deleted", (event) => {
    if (event.detail.run_id === here()) recede.go("/");
  });
  window.setInterval(() => {
    if (!run || here() !== run.id || !stalls()) return;
    run = { ...run, stalled_s: Date.now() / 1000 - heardAt };
    showState();
  }, 1000);
  // A run that stalls sends no event: look after it while it is on the screen.
  window.setInterval(() => run && here() === run.id && run.state === "running" && !document.hidden && reread(), 10000);

  /** @param {string} name */
  async function rename(name) {
    const trimmed = name.trim();
    if (!run || here() !== run.id || !trimmed || trimmed === run.name) return;
    try {
      take(await recede.api("PATCH", `/runs/${run.id}`, { name: trimmed }));
      recede.title();
    } catch (error) {
      recede.complain(error, "The name was not changed");
      put("run-name", { value: run.name });
    }
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.shell = Object.assign(clientside.shell || {}, {
    /** @param {any} data the run as the server gave it with the page */
    attachRun(data) {
      take(data);
      // The page's nodes are in the document after this tick.
      window.setTimeout(() => {
        showAll();
        showProblem();
        recede.log.listJobs(run.id);
      }, 0);
    },

    /** Put the tab into the address, beside what else is there. @param {string} tab */
    showTab(tab) {
      if (!tab) return;
      const url = new URL(window.location.href);
      if (url.searchParams.get("tab") === tab) return;
      url.searchParams.set("tab", tab);
      window.history.replaceState(window.history.state, "", url);
      window.dispatchEvent(new Event("resize"));
    },

    /** A tab's content has come from the server: fill it. @param {string[]} _tabs */
    showFilled(_tabs) {
      window.setTimeout(() => {
        showAll();
        if (run) recede.log.listJobs(run.id);
      }, 0);
    },

    /** @param {string} name */
    renameRun(name) {
      rename(name || "");
    },
  });
  recede.run = { current: () => run, refresh: showAll };
})();
