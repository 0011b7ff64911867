/** Taking things along: actions as command, curl or Python; files to save; menus that close. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});

  /** Copy text and say so on the button; works without a secure context too. */
  async function copyText(text, button) {
    let said = "Copied";
    try {
      if (window.isSecureContext && navigator.clipboard) await navigator.clipboard.writeText(text);
      else {
        const area = explore.dom.h("textarea", { class: "rx-offscreen" });
        area.value = text;
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
    } catch {
      said = "Not allowed";
    }
    if (button.querySelector(".rx-icon")) { // an icon keeps its shape and says it in its title
      const before = button.title;
      Object.assign(button, { title: said });
      button.dataset.said = said;
      setTimeout(() => {
        button.title = before;
        delete button.dataset.said;
      }, 1400);
      return;
    }
    const before = button.textContent;
    button.textContent = said;
    setTimeout(() => {
      button.textContent = before;
    }, 1400);
  }

  /** The menu that shows the three ways of an action, for the cut as it is when it is opened. */
  function mountMenu(app) {
    const { h, named } = explore.dom;
    const menu = app.els.find("#copy-menu");
    const body = menu.querySelector(".rx-menu-body");
    const pick = h("select", { ...named("copy-action"), class: "rx-select rx-select-wide", "aria-label": "What to copy", onchange: () => fill() });
    const texts = h("div");
    body.replaceChildren(h("label", { class: "rx-row rx-copy-pick" }, h("span", { class: "rx-unit", text: "Copy" }), pick), texts);
    const fill = () => texts.replaceChildren(...explore.snippets.ways(app, pick.value, app.now.plan).map(([label, id, text]) =>
      h("div", { class: "rx-snippet" },
        h("div", { class: "rx-row" }, h("b", { text: label }), h("button", {
          type: "button", class: "rx-link", text: "Copy", "aria-label": `Copy as ${label}`, onclick: (event) => copyText(text, event.target),
        })),
        h("pre", { ...named(id), text }))));
    menu.addEventListener("toggle", () => {
      const { plan } = app.fresh();
      if (!menu.open || !plan) return;
      const known = explore.snippets.actions(app);
      const before = pick.value;
      pick.replaceChildren(...known.map(([value, text]) => h("option", { value, text })));
      if (known.some(([value]) => value === before)) pick.value = before;
      fill();
      above(body, menu.getBoundingClientRect());
    });
    return closeOutside(menu);
  }

  /** Fixed over its button, so that the column's own scrolling does not clip it. */
  function above(body, button) {
    Object.assign(body.style, {
      right: `${Math.max(8, document.documentElement.clientWidth - button.right)}px`,
      bottom: `${window.innerHeight - button.top + 6}px`,
      maxHeight: `${button.top - 16}px`,
    });
  }

  /**
   * A menu closes with Escape, a press outside or a new size; returns how to stop listening.
   * `also`: selector of what belongs to it elsewhere on the page.
   */
  function closeOutside(menu, also) {
    const stop = new AbortController();
    const close = (event) => {
      const { target } = event;
      const inside = event.type === "pointerdown" && (menu.contains(target) || (also && target.closest?.(also)));
      const other = event.type === "keydown" && (event.key !== "Escape" || document.querySelector("dialog[open]"));
      if (!menu.open || inside || other) return;
      const within = event.type === "keydown" && menu.contains(document.activeElement);
      menu.open = false;
      if (within) menu.querySelector("summary").focus();
    };
    for (const type of ["pointerdown", "keydown", "resize"]) {
      window.addEventListener(type, close, { signal: stop.signal });
    }
    return () => stop.abort();
  }

  function save(blob, name) {
    const href = URL.createObjectURL(blob);
    const link = explore.dom.h("a", { href, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(href), 10_000);
  }

  Object.assign(explore, { copyText, copy: { mountMenu, closeOutside, save } });
})();
