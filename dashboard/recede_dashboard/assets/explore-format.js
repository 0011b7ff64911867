/** Numbers as people read them, with the digits that they deserve; also recede.core.format. */
(function (scope) {
  "use strict";

  const THIN = "\u202f"; // narrow no-break space between a number and its unit
  const NOTHING = "–";
  const GROUPED = new Intl.NumberFormat("en-US"); // made once: toLocaleString is slow in a drag

  /** 1234567 → "1,234,567". */
  const integer = (n) => GROUPED.format(Math.round(n));

  /** Four digits and a unit: 14728266 → "14.73 M", 313200000 → "313.2 M", 960 → "960". */
  function compact(n) {
    const units = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
    for (const [size, unit] of units) {
      if (n < size * 0.99995) continue;
      const value = n / size;
      const decimals = value >= 999.95 ? 0 : value >= 99.995 ? 1 : value >= 9.9995 ? 2 : 3;
      return value.toFixed(decimals) + THIN + unit;
    }
    return integer(n);
  }

  /** Decimals of a percentage that n images can tell apart: 1 for 180, 2 from 1,001 on. */
  const decimals = (n) => Math.min(2, Math.max(0, Math.ceil(Math.log10(n)) - 2));

  /** A measured share as percentage: accuracy(0.9174, 6000) → "91.74 %". */
  const accuracy = (share, n) => (100 * share).toFixed(decimals(n)) + THIN + "%";

  /** The 95 % interval or band of an accuracy: "91.01 to 92.41 %". */
  const interval = (low, high, n) =>
    `${(100 * low).toFixed(decimals(n))} to ${accuracy(high, n)}`;

  /** A difference of accuracies in percentage points with its sign: "−0.12". */
  function points(difference, n) {
    const text = Math.abs(100 * difference).toFixed(decimals(n));
    return (Number(text) === 0 ? "±" : difference < 0 ? "−" : "+") + text;
  }

  /** A share of a whole: "50.0 %"; two decimals under 1 %. */
  function share(value) {
    const few = value > 0 && value < 0.00995;
    return (100 * value).toFixed(few ? 2 : 1) + THIN + "%";
  }

  /** A threshold or importance with at most four digits: "0.1234", "4.5e-5". */
  function threshold(value) {
    if (value === null || value === undefined) return NOTHING;
    return plain(Number(value.toPrecision(4)));
  }

  /** A number with all its digits, short: with an exponent under 0.001. */
  const plain = (value) => (value > 0 && value < 0.001 ? value.toExponential() : String(value));

  /** "12.3 MB", in powers of 1000 with two or three digits. */
  function bytes(n) {
    const size = [1e9, 1e6, 1e3].find((one) => n >= one);
    if (!size) return `${n}${THIN}B`;
    const value = n / size;
    return `${value.toFixed(value < 99.95 ? 1 : 0)}${THIN}${{ 1e9: "G", 1e6: "M", 1e3: "k" }[size]}B`;
  }

  const format = {
    THIN, NOTHING, integer, compact, decimals, accuracy, interval, points, share, threshold, plain, bytes,
  };
  if (typeof module !== "undefined" && module.exports) module.exports = { format };
  scope.recede = scope.recede || {};
  scope.recede.core = Object.assign(scope.recede.core || {}, { format });
})(typeof window !== "undefined" ? window : globalThis);
