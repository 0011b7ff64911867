/** The clipboard. */

const SHOWN_MS = 1500;

/** Copy text; works without a secure context too. @param {string} text */
async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.className = "sr-only";
  area.value = text;
  (document.querySelector("dialog[open]") || document.body).append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (!copied) throw new Error("The browser did not allow it.");
  return undefined;
}

/**
 * Copy text and show on the button what came of it: in its words, or in the title of an icon.
 * @param {string} text @param {HTMLElement} button
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyText(text, button) {
  const copied = await copy(text).then(() => true, () => false);
  const words = copied ? "Copied" : "Not allowed";
  const silent = button.querySelector("[aria-hidden]") !== null;
  const before = silent ? button.title : button.textContent;
  /** @param {?string} shown */
  const show = (shown) => {
    if (silent) button.title = shown ?? "";
    else button.textContent = shown;
  };
  if (button.dataset.said) return copied; // still shows what came of the last press
  show(words);
  button.dataset.said = words;
  setTimeout(() => {
    show(before);
    delete button.dataset.said;
  }, SHOWN_MS);
  return copied;
}
