/** Asking for a cut by what it should cost or keep; all but the latency is solved right here. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});
  const core = () => window.recede.core;

  const NAMES = {
    macs: "MACs", params: "parameters", bytes: "file size", accuracy: "accuracy", drop: "drop", latency: "latency",
  };
  const LABELS = { ...NAMES, params: "Parameters", bytes: "File size", accuracy: "Accuracy", drop: "Drop", latency: "Latency" };
  const ATLEAST = ["accuracy"];

  /** 0.005 → "0.5 points"; digits as they were given. */
  const plain = (value) => String(Number(value.toPrecision(12)));

  const points = (value) => `${plain(100 * value)} ${plain(100 * value) === "1" ? "point" : "points"}`;

  /** A value of a kind with its unit. */
  function amount({ kind, value, relative, batch }) {
    const { compact, bytes, THIN } = core().format;
    if (kind === "latency") return `${plain(value)}${THIN}ms at batch ${batch || 1}`;
    if (kind === "drop") return points(value);
    if (kind === "accuracy" || relative) return `${plain(100 * value)}${THIN}%`;
    return kind === "bytes" ? bytes(value) : compact(value);
  }

  /** "MACs ≤ 40 %". */
  const words = (ask) => `${NAMES[ask.kind]} ${ATLEAST.includes(ask.kind) ? "≥" : "≤"} ${amount(ask)}`;

  /** Bytes of the downloaded weights; null where the run did not record what a file holds. */
  const bytesOf = (shape, kept) => core().fileBytes?.(shape, kept) ?? null;

  /** Points of the curve as `core.solve` takes them. */
  const pointsOf = (source, epoch, state) =>
    explore.model.curvePoints(source, epoch, state.scope, state.criterion, state.bias)
      .map((point) => ({ ratio: point.ratio, accuracy: point.accuracy.value }));

  /**
   * The ratio that meets what is asked, with what it reaches; null where nothing is asked or only
   * the server can tell. `why` says in words why there is no answer.
   */
  function solve(state, source, ranking, epoch) {
    const { ask } = state;
    if (!ask || ask.kind === "latency") return null;
    const plan = explore.plan.selectable(state, source, epoch, { ratio: 0, threshold: null });
    const points = ["accuracy", "drop"].includes(ask.kind) ? pointsOf(source, epoch, state) : [];
    const key = JSON.stringify([plan, ask, points]);
    if (ranking.solved?.key === key) return ranking.solved.answer;
    let answer;
    try {
      const { kind, value, relative } = ask;
      const found = core().solve(ranking, plan, { kind, value, relative: Boolean(relative) }, points);
      answer = { ratio: found.plan.ratio, reached: found.reached, value: found.value, bound: found.bound };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      answer = { ratio: state.ratio, reached: false, why: error.message };
    }
    ranking.solved = { key, answer };
    return answer;
  }

  /** What the present cut has of a kind, in the unit of an ask; null where it is not known. */
  function present(kind, app) {
    const { now, source } = app;
    if (!now.selection || !now.dense) return null;
    if (kind === "macs" || kind === "params") return { value: now.cost[kind], dense: now.dense[kind] };
    if (kind === "bytes") {
      const value = bytesOf(source.shape, now.selection.kept);
      return value === null ? null : { value, dense: denseBytes(source.shape) };
    }
    if (kind === "latency") return explore.latency?.of(app) ?? null;
    if (!now.accuracy) return null;
    if (kind === "accuracy") return { value: now.accuracy.value, dense: now.denseAccuracy?.value ?? 1 };
    return now.denseAccuracy ? { value: now.denseAccuracy.value - now.accuracy.value, dense: 0 } : null;
  }

  function denseBytes(shape) {
    if (shape.denseBytes === undefined) {
      Object.defineProperty(shape, "denseBytes", { value: bytesOf(shape, shape.groups.map((group) => group.size)) });
    }
    return shape.denseBytes;
  }

  /**
   * "28.0 % asked, 27.9 % reached", with what stands in the way. Empty where nothing is to be
   * said: then the cut is just what was asked for.
   */
  function outcome(app) {
    const { state, now } = app;
    if (!now.selection) return "";
    if (state.ask?.kind === "latency") return explore.latency?.words(app) ?? "";
    if (now.solved) return solvedWords(app, now.solved);
    if (state.by !== "ratio") return "";
    const { share } = core().format;
    const [asked, reached] = [share(now.asked), share(now.selection.ratio)];
    return asked === reached ? "" : `${asked} asked, ${reached} reached${because(now)}`;
  }

  function solvedWords(app, solved) {
    const { ask } = app.state;
    if (solved.why) return solved.why;
    const dense = present(ask.kind, app)?.dense;
    const as = (value) => reached(ask, ask.relative ? value / dense : value);
    const other = ["accuracy", "drop"].includes(ask.kind) && !explore.plan.isPlain(app.now.plan, app.source)
      ? " by cuts without these locks, ratios or roundings: measure it" : "";
    if (solved.reached) return `${words(ask)} asked, ${as(solved.value)} reached${other}`;
    const what = { accuracy: "best possible", drop: "smallest possible" }[ask.kind] || "least possible";
    return `${words(ask)} asked; ${what} ${as(solved.bound)}${because(app.now)}`;
  }

  /** What came of it, with a digit more than a person asks for. */
  function reached(ask, value) {
    if (ask.kind === "drop") return points(Number(value.toFixed(4)));
    return ask.relative || ask.kind === "accuracy" ? core().format.share(value) : amount({ ...ask, value });
  }

  /** ": minima of 13 layers", the reason why more does not go. */
  function because({ selection }) {
    const parts = [];
    if (selection.held.length) parts.push(`${selection.held.length === 1 ? "minimum of 1 layer" : `minima of ${selection.held.length} layers`}`);
    if (selection.rounded?.length) parts.push(`${selection.rounded.length === 1 ? "1 layer" : `${selection.rounded.length} layers`} rounded up`);
    return parts.length ? `: ${parts.join(", ")}` : "";
  }

  explore.ask = { NAMES, LABELS, amount, words, solve, present, outcome, bytesOf, plain };
})();
