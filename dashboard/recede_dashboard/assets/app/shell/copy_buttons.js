/** Buttons that copy text, anywhere on a page: `data-copy`, or `data-copy-from` the id of an element. */

import { copyText } from "../lib/clipboard.js";
import { notify } from "../lib/page/notices.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy], [data-copy-from]");
  if (!button) return;
  const { copy, copyFrom } = button.dataset;
  const text = copyFrom ? document.getElementById(copyFrom)?.innerText : copy;
  if (await copyText(text || "", button)) return;
  notify("Not copied", "The browser did not allow it. Select the text and copy it.", "bad");
});
