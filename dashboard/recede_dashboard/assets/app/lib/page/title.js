/** The title of the document: what is shown, then the product. */

export function showTitle() {
  const name = /** @type {?HTMLInputElement} */ (document.getElementById("run-name"))?.value || document.querySelector(".group-name")?.textContent;
  const page = location.pathname === "/settings" ? "Settings" : name;
  document.title = page ? `${page} · Recede` : "Recede";
}

