/** What pruning gave: progress, then the files with their SHA-256 and the proof line. */

import { copyText } from "../../lib/clipboard.js";
import { putProps } from "../../lib/dash.js";
import { h, named, setAttributes } from "../../lib/elements.js";
import * as format from "../../format/numbers.js";

/** @import { Explore } from "../types.js" */

const FILES = [
  ["zip", "ZIP", "everything, with README and SHA-256 sums"],
  ["safetensors", "Weights", "plain PyTorch state_dict"],
  ["python", "model.py", "builds the network; needs only torch"],
  ["pt2", "torch.export program", "runs without model code"],
  ["onnx", "ONNX", "for ONNX Runtime and others"],
  ["int8", "ONNX, INT8", "quantised: smaller, close to the cut network but not the same"],
  ["manifest", "Manifest", "what was cut and how it was measured"],
];

/** @param {string} label @param {string} title */
function download(format_, file, label, title) {
  return h("a", {
    href: file.url, download: file.filename, class: "rx-file", "data-testid": `download-${format_}`,
    id: `download-${format_}`, "data-sha256": file.sha256,
    title: `${file.filename}: ${title}; SHA-256 ${file.sha256}`,
  }, h("b", { text: label }), h("span", { text: format.bytes(file.size_bytes) }));
}

/** Cut and masked network agree; accuracy of the file after it was loaded again. */
function proof(prune) {
  const { result } = prune;
  const n = result.n_test;
  const parts = [];
  if (n) parts.push(`Test accuracy ${format.percent(result.test_correct / n, n)}, measured on the reloaded file, n = ${format.integer(n)}.`);
  if (Number.isFinite(result.max_difference)) {
    parts.push(`Cut and masked network agree to ${result.max_difference.toExponential(1)}.`);
  }
  return parts.join(" ");
}

/** On the run's page the tab is switched; elsewhere the link is followed. */
function toFiles(event) {
  if (putProps?.("run-tabs", { value: "files" })) event.preventDefault();
}

/** @param {Explore} app */
function done(app) {
  const { prune } = app;
  const files = prune.checkpoint.files;
  const sha = prune.result.sha256 || prune.checkpoint.sha256;
  return [
    h("div", { class: "rx-result-title" },
      h("b", { text: `Pruned: epoch ${prune.epoch}, ${format.share(prune.ratio)} of the neurons removed` }),
      h("a", { ...named("files-link"), class: "rx-link", href: `${location.pathname}?tab=files`, text: "Files tab", onclick: toFiles })),
    h("div", { class: "rx-files" },
      FILES.filter(([name]) => files[name]).map(([name, label, title]) => download(name, files[name], label, title))),
    h("p", { ...named("prune-proof"), class: "rx-proof", text: proof(prune) }),
    h("p", { class: "rx-sha", title: "SHA-256 of the weights" }, "SHA-256 ",
      h("code", { ...named("prune-sha256"), "data-value": sha, text: sha }),
      h("button", {
        type: "button", class: "rx-link", text: "Copy", onclick: (event) => copyText(sha, event.target),
      })),
  ];
}

function busy(prune, stage) {
  const share = prune.progress?.total ? prune.progress.done / prune.progress.total : null;
  return [h("div", { class: "rx-result-title" }, h("span", { text: `Pruning: ${stage(prune.progress)}` })),
    h("progress", { ...named("prune-progress"), max: 1, value: share })];
}

/** @param {Explore} app */
function content(app, say) {
  const { prune } = app;
  if (prune.status === "busy") return busy(prune, say.stage);
  if (prune.status === "failed") {
    return [h("p", { class: "rx-status", "data-tone": "bad", role: "alert",
      text: `Not pruned. ${say.words(prune.error)}` })];
  }
  return prune.status === "done" ? done(app) : [];
}

/** Keep the result area up to date; rebuilt only when something changed. @param {Explore} app */
export function showPruneResult(app, node, say) {
  const { prune } = app;
  const key = JSON.stringify([prune.status, prune.progress, prune.checkpoint?.id, prune.error?.message]);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  setAttributes(node, { "data-state": prune.status, "data-checkpoint": prune.checkpoint?.id });
  node.replaceChildren(...content(app, say));
  if (prune.status === "done") node.scrollIntoView({ block: "nearest" });
}
