/* Numbers and states in words, as a person reads them; the same rules as dashboard/recede_dashboard/words/numbers.py. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});

  /** Decimals of a percentage that n images can tell apart. @param {number} n */
  function decimals(n) {
    return Math.max(0, Math.min(2, Math.ceil(Math.log10(Math.max(n, 1))) - 2));
  }

  /** @param {number} share @param {number} n images behind it */
  function percent(share, n) {
    return `${(100 * share).toFixed(decimals(n))} %`;
  }

  /** @param {{value:number, low:number, high:number, n:number, split:string}|null} a */
  function accuracyTitle(a) {
    if (!a) return "";
    const split = a.split === "test" ? "test" : "validation";
    const [low, high] = [a.low, a.high].map((x) => (100 * x).toFixed(decimals(a.n)));
    return `measured on ${count(a.n)} ${split} images; 95 % interval ${low} to ${high} %`;
  }

  /** @param {number} n */
  function count(n) {
    return Math.round(n).toLocaleString("en-US");
  }

  /** @param {number} n bytes */
  function bytes(n) {
    if (!n) return "0 MB";
    if (n < 1e3) return `${n} B`;
    for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
      if (n >= size) return `${(n / size).toFixed(n / size < 10 ? 1 : 0)} ${unit}`;
    }
    return `${n} B`;
  }

  /** @param {number} s seconds */
  function duration(s) {
    s = Math.max(0, Math.round(s));
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
    return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
  }

  /** A rough time to go, that does not jump with every batch. @param {number} s */
  function eta(s) {
    if (s < 10) return "seconds left";
    if (s < 90) return `${Math.round(s / 5) * 5} s left`;
    if (s < 5400) return `${Math.round(s / 60)} min left`;
    return `${(s / 3600).toFixed(1)} h left`;
  }

  /** @param {number} at seconds since 1970 */
  function ago(at) {
    const s = Date.now() / 1000 - at;
    if (s < 45) return "just now";
    if (s < 3600) return `${Math.max(1, Math.round(s / 60))} min`;
    if (s < 86400) return `${Math.round(s / 3600)} h`;
    return `${Math.round(s / 86400)} d`;
  }

  /** @param {number} n from 0 */
  function ordinal(n) {
    const k = n + 1;
    const teen = k % 100 >= 11 && k % 100 <= 13;
    return k + (teen ? "th" : ["th", "st", "nd", "rd"][k % 10] || "th");
  }

  /** A number with three figures that count. @param {number|null|undefined} x */
  function figure(x) {
    if (x === null || x === undefined) return "–";
    if (!Number.isFinite(x)) return String(x);
    const size = Math.abs(x);
    if (size >= 1000) return count(x);
    return size > 0 && size < 1e-3 ? x.toExponential(1) : x.toPrecision(3);
  }

  /**
   * What a run does just now: a key for its icon and the words for it.
   * @param {any} run
   * @returns {{key: string, text: string, more?: string}}
   */
  function state(run) {
    if (run.cancel_requested_at && ["queued", "running"].includes(run.state)) {
      return { key: "cancelling", text: "Cancelling…" };
    }
    if (run.state === "running" && run.stalled_s !== null && run.stalled_s !== undefined) {
      return { key: "stalled", text: `Stalled ${duration(run.stalled_s)}`, more: `last epoch ${run.epochs_done}` };
    }
    if (run.state === "queued") {
      const place = run.queue_position;
      return { key: "queued", text: Number.isInteger(place) ? `${ordinal(place)} in queue` : "Queued" };
    }
    const words = { running: "Running", succeeded: "Finished", failed: "Failed", cancelled: "Cancelled" };
    return { key: run.state, text: words[run.state] || run.state };
  }

  /** Share done in [0, 1], from epochs and the batch of the present one. @param {any} run */
  function done(run) {
    const p = run.progress;
    const part = run.state === "running" && p && p.batches && p.epoch > run.epochs_done ? p.batch / p.batches : 0;
    return Math.min(1, (run.epochs_done + part) / run.spec.epochs);
  }

  recede.format = {
    decimals, percent, accuracyTitle, count, bytes, duration, eta, ago, ordinal, figure, state, done,
  };
})();
