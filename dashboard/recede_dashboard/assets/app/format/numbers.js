/**
 * Numbers as text, with the digits that they deserve: the same rules as
 * recede_dashboard/words/numbers.py. tests/js/format_cases.json holds examples that both satisfy.
 */

/** The narrow no-break space between a number and its unit. */
export const THIN = "\u202f";
/** Stands where nothing was measured. */
export const NOTHING = "–";
const GROUPED = new Intl.NumberFormat("en-US"); // made once: toLocaleString is slow in a drag
/** @type {[number, string][]} */
const UNITS = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** A whole number with its thousands separated: "1,234,567". @param {number} n */
export const integer = (n) => GROUPED.format(Math.round(n));

/**
 * n in the largest unit in which it rounds to at least 1; null if there is none.
 * @param {number} n @param {number} digits
 */
function scaled(n, digits) {
  for (const [size, unit] of UNITS) {
    const value = n / size;
    if (value < 1 - 0.5 * 10 ** -digits) continue;
    let whole = 1; // digits before the point, of the value as it will be shown
    while (whole < digits && value >= 10 ** whole - 0.5 * 10 ** (whole - digits)) whole++;
    return value.toFixed(digits - whole) + THIN + unit;
  }
  return null;
}

/** A count with four digits and a unit: "14.73 M", "313.2 M", "960". @param {number} n */
export const compact = (n) => scaled(n, 4) ?? integer(n);

/** Bytes in decimal units with three digits: "24.6 MB". @param {number} n */
export function bytes(n) {
  const large = scaled(n, 3);
  return large ? `${large}B` : `${integer(Math.max(0, n))}${THIN}B`;
}

/** Decimals of a percentage that n images can distinguish: 1 for 180, 2 from 1,001 on. @param {number} n */
export const decimals = (n) => Math.min(2, Math.max(0, Math.ceil(Math.log10(Math.max(n, 1))) - 2));

/** A share in [0, 1] that was measured on n images: "91.74 %". @param {number} value @param {number} n */
export const percent = (value, n) => (100 * value).toFixed(decimals(n)) + THIN + "%";

/**
 * An interval of shares that were measured on n images: "91.01 to 92.41 %".
 * @param {number} low @param {number} high @param {number} n
 */
export const interval = (low, high, n) => `${(100 * low).toFixed(decimals(n))} to ${percent(high, n)}`;

/** A difference of two shares in percentage points, with its sign: "−0.12". @param {number} difference @param {number} n */
export function points(difference, n) {
  const text = Math.abs(100 * difference).toFixed(decimals(n));
  return (Number(text) === 0 ? "±" : difference < 0 ? "−" : "+") + text;
}

/** A share of a whole: "50.0 %"; with two decimals under 1 %. @param {number} value */
export function share(value) {
  const few = value > 0 && value < 0.00995;
  return (100 * value).toFixed(few ? 2 : 1) + THIN + "%";
}

/** A threshold or importance with at most four digits: "0.1235", "4.5e-5". @param {?number} [value] */
export function threshold(value) {
  if (value === null || value === undefined) return NOTHING;
  return plain(Number(value.toPrecision(4)));
}

/** A number with all its digits, short: with an exponent under 0.001. @param {number} value */
export const plain = (value) => (value > 0 && value < 0.001 ? value.toExponential() : String(value));

/** Seconds in the two largest units that matter: "2 min 41 s". @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  /** @param {number} n */
  const two = (n) => String(n).padStart(2, "0");
  if (s < 60) return `${s}${THIN}s`;
  if (s < 3600) return `${Math.floor(s / 60)}${THIN}min ${two(s % 60)}${THIN}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}${THIN}h ${two(Math.floor((s % 3600) / 60))}${THIN}min`;
  return `${Math.floor(s / 86400)}${THIN}d ${Math.floor((s % 86400) / 3600)}${THIN}h`;
}

/** A place counted from 0: "1st". @param {number} n */
export function ordinal(n) {
  const k = n + 1;
  const teen = k % 100 >= 11 && k % 100 <= 13;
  return k + (teen ? "th" : ["th", "st", "nd", "rd"][k % 10] || "th");
}

/** A count with its noun: "1 layer", "2 layers". @param {number} n @param {string} one @param {string} [many] */
export const plural = (n, one, many = `${one}s`) => `${integer(n)} ${n === 1 ? one : many}`;
