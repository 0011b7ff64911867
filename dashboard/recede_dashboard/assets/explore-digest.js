/**
 * The digest of a cut: SHA-256 of its kept channels, equal to Selection.digest in Python.
 *
 * Written out because crypto.subtle is asynchronous and missing on plain http.
 */
"use strict";

(function (scope) {
  const PRIMES = (() => {
    /** @type {number[]} */
    const found = [];
    for (let n = 2; found.length < 64; n++) if (found.every((p) => n % p)) found.push(n);
    return found;
  })();
  /** @param {number} value */
  const fraction = (value) => ((value - Math.floor(value)) * 2 ** 32) >>> 0;
  const INITIAL = PRIMES.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
  const ROUND = PRIMES.map((p) => fraction(Math.cbrt(p)));

  /** @type {(word: number, by: number) => number} */
  const turn = (word, by) => (word >>> by) | (word << (32 - by));

  /**
   * The message followed by 1, zeros and its length in bits, as blocks of 64 bytes.
   * @param {Uint8Array} bytes
   */
  function padded(bytes) {
    const out = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
    out.set(bytes);
    out[bytes.length] = 0x80;
    const view = new DataView(out.buffer);
    view.setUint32(out.length - 8, Math.floor(bytes.length / 2 ** 29));
    view.setUint32(out.length - 4, (bytes.length << 3) >>> 0);
    return view;
  }

  /**
   * @param {DataView} view
   * @param {number} offset
   * @param {Uint32Array} words  filled with the 64 words of one block
   */
  function schedule(view, offset, words) {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(offset + 4 * i);
    for (let i = 16; i < 64; i++) {
      const [a, b] = [words[i - 15], words[i - 2]];
      const s0 = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3);
      const s1 = turn(b, 17) ^ turn(b, 19) ^ (b >>> 10);
      words[i] = (words[i - 16] + s0 + words[i - 7] + s1) >>> 0;
    }
  }

  /**
   * @param {Uint32Array} state  changed in place
   * @param {Uint32Array} words
   */
  function compress(state, words) {
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[i] + words[i]) >>> 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) >>> 0, c, b, a, (t1 + t2) >>> 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => {
      state[i] = (state[i] + word) >>> 0;
    });
  }

  /**
   * SHA-256 of bytes (FIPS 180-4), in hexadecimal.
   * @param {Uint8Array} bytes
   */
  function sha256(bytes) {
    const view = padded(bytes);
    const state = Uint32Array.from(INITIAL);
    const words = new Uint32Array(64);
    for (let offset = 0; offset < view.byteLength; offset += 64) {
      schedule(view, offset, words);
      compress(state, words);
    }
    return [...state].map((word) => word.toString(16).padStart(8, "0")).join("");
  }

  /**
   * Digest of a mask of kept channels: its length (8 bytes, little-endian), then its bits, then
   * the name of the variant where it is not the plain one.
   * @param {Uint8Array} mask
   * @param {"drop"|"fold"} [variant]  of the selection
   */
  function digest(mask, variant = "drop") {
    const named = variant === "drop" ? "" : variant;
    const bits = Math.ceil(mask.length / 8);
    const bytes = new Uint8Array(8 + bits + named.length);
    new DataView(bytes.buffer).setUint32(0, mask.length, true);
    mask.forEach((bit, i) => {
      if (bit) bytes[8 + (i >> 3)] |= 0x80 >> (i & 7);
    });
    for (let i = 0; i < named.length; i++) bytes[8 + bits + i] = named.charCodeAt(i);
    return sha256(bytes);
  }

  const added = { sha256, digest };
  if (typeof module !== "undefined") Object.assign(module.exports, added);
  scope.recede = scope.recede || {};
  scope.recede.core = Object.assign(scope.recede.core || {}, added);
})(typeof window !== "undefined" ? window : globalThis);
