/** The page's parts, empty: three areas in one frame; the panels fill them. */

import { h, icon, named } from "../../lib/elements.js";

function distribution(h, named, icon) {
  return h("section", { class: "rx-dist", "aria-label": "Distribution of the importances" },
    h("div", { class: "rx-head" },
      h("h3", { ...named("epoch-label"), class: "rx-epoch" }),
      h("span", { ...named("epoch-note"), class: "rx-note" }),
      h("div", { id: "axis-slot", class: "rx-tools" })),
    h("div", { class: "rx-scrub" },
      h("button", {
        ...named("epoch-play"), type: "button", class: "rx-button rx-square", "aria-pressed": "false",
      }, icon("play")),
      h("div", { class: "rx-range", id: "epoch-slot" }),
      h("button", {
        ...named("epoch-follow"), type: "button", class: "rx-button", "aria-pressed": "false",
        title: "Show each new epoch as it is trained", text: "Follow latest",
      })),
    h("dl", { ...named("polarisation"), class: "rx-polar", "aria-label": "Polarisation", hidden: true }),
    h("div", { id: "explore-plot", class: "rx-plot" },
      h("canvas", { ...named("distribution"), role: "img" }),
      h("div", {
        ...named("threshold-line"), class: "rx-line", role: "slider", tabindex: 0,
        "aria-label": "Threshold on the importance", "aria-orientation": "horizontal",
      },
      h("span", { class: "rx-line-left" }), h("span", { class: "rx-handle" }),
      h("span", { class: "rx-line-right" })),
      h("p", { class: "rx-plot-note", hidden: true })));
}

function curve(h, named) {
  return h("section", {
    class: "rx-curve", id: "view-curve", role: "tabpanel", "aria-label": "Accuracy after the cut",
  },
  h("div", { class: "rx-head rx-view-head" },
    h("h3", { class: "sr-only", text: "Accuracy after the cut" }),
    h("span", { class: "rx-note" }, h("span", named("curve-note")), " ",
      h("button", { ...named("curve-exact"), type: "button", class: "rx-link", hidden: true })),
    h("div", { id: "curve-slot", class: "rx-tools" })),
  h("div", { ...named("curve"), class: "rx-curve-plot" }));
}

/** Below the distribution: tabs, the curve, and the views that explore/views adds. */
function lower(h, named) {
  return h("div", { class: "rx-lower" },
    h("div", { class: "rx-lower-head" },
      h("div", { ...named("view-tabs"), class: "rx-tabs", role: "tablist", "aria-label": "Views of this run" }),
      h("div", { id: "view-slot", class: "rx-tools" })),
    curve(h, named),
    h("div", { class: "rx-views", id: "explore-views" }));
}

/** One line of the ledger: what, cut value, dense value, share kept, and a bar. */
function ledgerRow(h, named, id, label) {
  return h("div", { class: "rx-entry" },
    h("span", { class: "rx-entry-label" }, label, h("em", { class: "rx-kind", text: "exact" })),
    h("output", { ...named(id), class: "rx-big" }),
    h("span", { class: "rx-entry-dense" }),
    h("span", { class: "rx-entry-share" }),
    h("span", { class: "rx-bar", "aria-hidden": "true" }, h("i")));
}

function ledger(h, named) {
  return h("div", { class: "rx-ledger" },
    ledgerRow(h, named, "removed-count", "Neurons removed"),
    ledgerRow(h, named, "cost-params", "Parameters"), ledgerRow(h, named, "cost-macs", "MACs"));
}

function accuracy(h, named) {
  return h("div", { class: "rx-accuracy" },
    h("div", { class: "rx-entry-label" }, "Validation accuracy", h("em", { class: "rx-kind" })),
    h("output", { ...named("accuracy-value"), class: "rx-big", "aria-live": "off" }),
    h("span", { ...named("accuracy-delta"), class: "rx-delta" }),
    h("p", { ...named("accuracy-band"), class: "rx-band" }),
    h("div", { class: "rx-row" },
      h("button", { ...named("measure-button"), type: "button", class: "rx-button", text: "Measure this cut" }),
      h("label", { class: "rx-check", title: "Measure automatically whenever the line is released" },
        h("input", { ...named("auto-measure"), type: "checkbox" }), "after each drag")),
    h("p", { ...named("measure-status"), class: "rx-status", role: "status" }));
}

function cut(h, named, icon) {
  return h("section", { class: "rx-cut", "aria-label": "The cut" },
    h("div", { class: "rx-head" },
      h("h3", { text: "The cut" }), h("div", { id: "scope-slot", class: "rx-tools" })),
    h("div", { id: "control-slot", class: "rx-controls" }),
    ledger(h, named),
    accuracy(h, named),
    h("div", { ...named("warnings"), class: "rx-warnings", role: "status" }),
    h("label", { class: "rx-check rx-with-int8", title: "Quantise the cut network too, calibrated on training images, and measure what that costs" },
      h("input", { ...named("prune-int8"), type: "checkbox" }), "Prune with an INT8 file"),
    h("div", { class: "rx-actions" },
      h("button", {
        ...named("prune-button"), type: "button", class: "rx-button rx-primary",
        text: "Prune",
      }),
      h("button", { ...named("finetune-button"), type: "button", class: "rx-button", text: "Fine-tune…" }),
      h("details", { id: "copy-menu", class: "rx-menu" },
        h("summary", { class: "rx-button", "aria-label": "Copy as command, curl or Python" },
          icon("copy"), h("span", { class: "rx-wide", text: "Copy as" })),
        h("div", { class: "rx-menu-body" }))),
    h("div", { ...named("prune-result"), class: "rx-result" }));
}

function layers(h, named) {
  return h("section", { class: "rx-layers", "aria-label": "Layers" },
    h("div", { class: "rx-head" },
      h("h3", { text: "Layers" }), h("span", { class: "rx-note", id: "layer-note" })),
    h("div", { class: "rx-layer-list", ...named("layer-list") }));
}

/** Build everything below the mount and return the elements by name. */
export function buildLayout(mount) {
  const frame = h("div", { class: "rx", "data-state": "loading" },
    h("div", { ...named("explore-message"), class: "rx-message", role: "alert", hidden: true }),
    distribution(h, named, icon), lower(h, named), cut(h, named, icon), layers(h, named),
    h("div", { ...named("explore-empty"), class: "rx-empty", hidden: true }));
  mount.replaceChildren(frame);
  const find = (selector) => frame.querySelector(selector);
  return {
    frame, find, message: find("#explore-message"), empty: find("#explore-empty"),
    plot: find("#explore-plot"), canvas: find("#distribution"), line: find("#threshold-line"),
  };
}
