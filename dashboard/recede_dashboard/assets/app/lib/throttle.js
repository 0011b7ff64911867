/** Call at most once in `ms`, the last time always. @param {() => void} f @param {number} ms */

export function throttle(f, ms) {
  let timer = 0;
  return () => {
    if (!timer) timer = window.setTimeout(() => ((timer = 0), f()), ms);
  };
}

