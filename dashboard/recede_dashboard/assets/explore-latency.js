/** "Latency ≤ X ms": the one wish that asks the server, since it must be measured there. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});

  /** What a found ratio holds for: all other choices of the plan and the aim itself. */
  function keyOf(app) {
    const { state, now } = app;
    return JSON.stringify([explore.plan.of({ ...state, by: "ratio", ratio: 0 }, now.epoch), state.ask]);
  }

  /** Ask for the smallest cut that runs this fast; a newer wish leaves the older one. */
  async function find(app, ask) {
    const { now, state, source } = app;
    if (!now.selection) return;
    await cancel(app);
    app.choose({ ask, by: "ratio", ratio: now.asked });
    app.fresh();
    const own = { status: "busy", key: keyOf(app), progress: null, job: null };
    app.latency = own;
    app.dirty();
    const plan = explore.plan.of({ ...state, by: "ratio", ratio: now.asked }, now.epoch);
    try {
      const body = { plan, target_ms: ask.value, batch: ask.batch || 1 };
      const { job } = await source.ofRun("/latency", { method: "POST", body });
      own.job = job;
      if (app.latency !== own) return void (await stop(app, job));
      const done = await explore.jobs.result(source, job, (progress) => {
        own.progress = progress;
        app.dirty();
      });
      if (app.latency === own) finish(app, own, done);
    } catch (error) {
      if (error.name !== "AbortError" && app.latency === own) Object.assign(own, { status: "failed", error });
    }
    app.dirty();
  }

  /** Take the found plan, unless a person has chosen something else meanwhile. */
  function finish(app, own, done) {
    if (!done) return void (app.latency = { status: "idle" });
    Object.assign(own, { status: "done", result: done });
    if (app.state.ask?.kind !== "latency" || keyOf(app) !== own.key || !done.plan) return;
    app.choose({ by: "ratio", ratio: done.plan.ratio, ask: app.state.ask });
    app.released();
  }

  const stop = (app, job) => app.source.ask(`/jobs/${job.id}/cancel`, { method: "POST" }).catch(() => {});

  async function cancel(app) {
    const { latency } = app;
    if (latency?.status !== "busy") return;
    app.latency = { status: "idle" };
    app.dirty();
    if (latency.job) await stop(app, latency.job);
  }

  /** What is known of the latency of this cut, as explore.ask.present wants it. */
  function of(app) {
    const done = app.latency?.status === "done" && app.latency.key === keyOf(app) ? app.latency.result : null;
    return done && Number.isFinite(done.median_ms) ? { value: done.median_ms, dense: done.dense_ms ?? null } : null;
  }

  function words(app) {
    const { state, source, latency } = app;
    const asked = `${explore.ask.words(state.ask)} asked`;
    if (latency?.status === "busy") return "";
    if (source.offline) return `${asked}: the server does not answer, measuring waits.`;
    if (latency?.status === "failed") return [latency.error.message, latency.error.hint].filter(Boolean).join(" ");
    if (latency?.status === "done" && latency.key === keyOf(app)) return doneWords(asked, latency.result);
    return `${asked}: not measured for these choices. Press Find.`;
  }

  function doneWords(asked, result) {
    const ms = (value) => `${explore.ask.plain(Number(value.toPrecision(3)))} ms`;
    if (!Number.isFinite(result.median_ms)) return asked;
    if (result.reached === false) return `${asked}; least possible ${ms(result.median_ms)} on ${result.device || "this device"}`;
    return `${asked}, ${ms(result.median_ms)} measured${result.device ? ` on ${result.device}` : ""}`;
  }

  explore.latency = { find, cancel, of, words, keyOf };
})();
