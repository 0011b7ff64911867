/** Save a view: as PNG at twice the size, as SVG, and its data as CSV at full precision. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});

  const CAPTION_PX = 22;

  /** What stands under every picture and over every table: run, epoch, version. */
  function about(app, view) {
    const { source, now } = app;
    const name = source.run?.name;
    return [view.title, name && `run ${name} (${app.runId})`, `epoch ${now.epoch}`, `recede ${app.root.dataset.version || ""}`.trim()]
      .filter(Boolean).join(" · ");
  }

  const fileName = (app, view, ending) =>
    `recede-${app.runId}-${view.id}-epoch-${app.now.epoch}`.replace(/[^\w.-]/g, "_") + ending;

  function caption(g, app, view, colours) {
    g.font = `11px ${colours.font}`;
    g.textAlign = "left";
    g.textBaseline = "middle";
    g.fillStyle = colours.muted;
    g.fillText(about(app, view), 8, view.plot.height + CAPTION_PX / 2);
  }

  function png(app, view) {
    const { width, height } = view.plot;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * width, 2 * (height + CAPTION_PX)];
    const g = canvas.getContext("2d");
    const colours = app.colours();
    g.scale(2, 2);
    g.fillStyle = colours.surface;
    g.fillRect(0, 0, width, height + CAPTION_PX);
    view.paintAll(g, colours);
    g.globalAlpha = 1;
    caption(g, app, view, colours);
    canvas.toBlob((blob) => explore.copy.save(blob, fileName(app, view, ".png")));
  }

  function svg(app, view) {
    const { width, height } = view.plot;
    const picture = new explore.Picture(width, height + CAPTION_PX);
    const colours = app.colours();
    view.paintAll(picture, colours);
    picture.globalAlpha = 1;
    caption(picture, app, view, colours);
    const text = picture.text(colours.surface, about(app, view));
    explore.copy.save(new Blob([text], { type: "image/svg+xml" }), fileName(app, view, ".svg"));
  }

  /** One value of a table; text with a comma or a quote is quoted. */
  function cell(value) {
    if (value === null || value === undefined || Number.isNaN(value)) return "";
    const text = String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function csv(app, view) {
    const { about: what, columns, rows } = view.table();
    const lines = [`# ${about(app, view)}: ${what}`, columns.join(","), ...rows.map((row) => row.map(cell).join(","))];
    explore.copy.save(new Blob([lines.join("\n"), "\n"], { type: "text/csv" }), fileName(app, view, ".csv"));
  }

  /**
   * The menu that saves the view that is open.
   * @param {() => object|null} open  that view
   */
  function menu(app, open) {
    const { h, icon, named } = explore.dom;
    const ways = [["PNG, as drawn", "png", png], ["SVG, as drawn", "svg", svg], ["CSV, its data", "csv", csv]];
    const node = h("details", { id: "view-export", class: "rx-menu" },
      h("summary", { class: "rx-button rx-square", title: "Save this view", "aria-label": "Save this view" }, icon("down")),
      h("div", { class: "rx-menu-body rx-menu-list" }, ways.map(([label, id, save]) => h("button", {
        ...named(`view-${id}`), type: "button", text: label, onclick: () => {
          app.fresh();
          const view = open();
          if (view?.plot) save(app, view);
          node.open = false;
        },
      }))));
    return { node, stop: explore.copy.closeOutside(node), show: (shown) => explore.dom.mark(node, { hidden: !shown }) };
  }

  explore.exporting = { menu, about };
})();
