/** Taking things along: actions as command, curl or Python; the distribution as PNG or CSV. */
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

  const fileName = (app, ending) =>
    `recede-${app.runId}-${app.state.layer || "all-layers"}-${app.state.axis}`.replace(/[^\w.-]/g, "_") + ending;

  /** What the page says around the drawing: run, layer, epoch, threshold. */
  function caption(g, app, colours) {
    const { plot } = app.distribution;
    const { now, source, state } = app;
    const { format } = window.recede.core;
    const parts = [source.run.name, state.layer, `epoch ${now.epoch}`];
    if (now.line !== null && now.line !== undefined) parts.push(`threshold ${format.threshold(now.line)}`);
    if (now.selection) parts.push(`${format.integer(now.selection.removed)} neurons removed`);
    g.font = `11px ${colours.font}`;
    g.textAlign = "right";
    g.textBaseline = "top";
    g.fillStyle = colours.ink;
    g.fillText(parts.filter(Boolean).join(" · "), plot.right, plot.ridges.bottom + 8);
  }

  /** The distribution as it is drawn now, at twice the size, on the page's ground. */
  function savePng(app) {
    const { plot } = app.distribution;
    if (!plot) return;
    const [canvas, base] = [document.createElement("canvas"), document.createElement("canvas")];
    for (const one of [canvas, base]) [one.width, one.height] = [plot.width * 2, plot.height * 2];
    const g = canvas.getContext("2d");
    const colours = app.colours();
    app.distribution.paint(g, base, 2, colours);
    app.distribution.baseKey = "";
    caption(g, app, colours);
    g.setTransform(1, 0, 0, 1, 0, 0);
    g.globalCompositeOperation = "destination-over";
    g.fillStyle = colours.surface;
    g.fillRect(0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(blob, fileName(app, `-epoch-${app.now.epoch}.png`)));
  }

  /** All epochs of the distribution that is shown, one line for each bin and epoch. */
  function saveCsv(app) {
    const { plot } = app.distribution;
    if (!plot) return;
    const { histogram, axis } = plot;
    const step = (histogram.high - histogram.low) / histogram.bins;
    const logit = app.source.shape.scale === "plain" ? "log10_gamma" : "w";
    const unit = app.state.axis === "logit" ? logit : "importance";
    const lines = [
      `# run ${app.runId}, layer ${app.state.layer || "all"}, ${axis.title}, recede ${app.root.dataset.version || ""}`.trim(),
      `epoch,${unit}_from,${unit}_to,neurons`,
    ];
    for (const [epoch, row] of histogram.row) {
      row.forEach((count, i) => lines.push(
        `${epoch},${histogram.low + i * step},${histogram.low + (i + 1) * step},${count}`));
    }
    save(new Blob([lines.join("\n"), "\n"], { type: "text/csv" }), fileName(app, ".csv"));
  }

  Object.assign(explore, { copyText, copy: { mountMenu, closeOutside, save, savePng, saveCsv } });
})();
