/** Cells of the table of runs, as React elements. */

import { react, registerCells } from "../lib/dash.js";
import { errorWords } from "../lib/errors.js";
import * as format from "../format/numbers.js";
import { accuracyTitle, age, bestMetric, remaining, runState, shareDone } from "../format/runs.js";

const h = (...args) => react().createElement(...args);
/** @type {Record<string, (props: any) => any>} */
const cells = {};

/** A cell that waits for its row shows a quiet bar. @param {(run: any) => any} draw */
const cell = (draw) => (props) => (props.data ? draw(props.data) : h("span", { className: "cell-wait" }));

cells.StateCell = cell((run) => {
  const { key, text, more } = runState(run);
  const title = run.error ? errorWords(run.error) : undefined;
  const words = more ? h("span", { className: "cell-two" }, `${text}, `, h("span", null, more)) : text;
  return h("span", { className: "state", "data-state": key, title }, words);
});

cells.NameCell = cell((run) =>
  h(
    "span",
    { className: "cell-name" },
    // Names of a group differ at their end: that is what stays in sight.
    h(
      "a",
      { href: `/runs/${run.id}`, tabIndex: -1, title: run.name, className: run.group_id ? "cell-end" : undefined },
      h("bdi", null, run.name),
    ),
    h(
      "span",
      { className: "muted cell-id" },
      h("span", { className: "mono" }, run.id),
      run.group_id && h("a", { className: "cell-group", href: `/groups/${run.group_id}`, tabIndex: -1, title: "The group this run belongs to" }, "group"),
    ),
  ),
);

cells.ProgressCell = cell((run) => {
  const total = run.spec.epochs;
  const live = ["running", "queued"].includes(run.state);
  const left = live && run.eta_s !== null && run.stalled_s === null ? remaining(run.eta_s) : "";
  const done = shareDone(run);
  return h(
    "span",
    { className: "cell-progress" },
    h(
      "span",
      { className: "cell-progress-text" },
      total ? h("span", null, `${run.epochs_done}/${total}`, h("span", { className: "muted" }, total === 1 ? " epoch" : " epochs")) : h("span", { className: "muted" }, "Not trained here"),
      left && h("span", { className: "muted" }, left),
    ),
    run.state === "succeeded"
      ? null
      : h(
          "span",
          {
            className: "meter",
            role: "progressbar",
            "aria-valuenow": Math.round(100 * done),
            "aria-label": `Progress of ${run.name}`,
            "data-live": live,
          },
          h("span", { style: { width: `${100 * done}%` } }),
        ),
  );
});

cells.SpecCell = (props) => {
  if (!props.data) return null;
  const value = props.data.spec[props.column.getColId()];
  const params = props.data.spec[`${props.column.getColId()}_params`] || {};
  const title = Object.entries(params).map(([name, v]) => `${name} ${v}`).join(", ");
  return h("span", { title: title || value }, value);
};

cells.AccuracyCell = cell((run) => {
  const a = run.test_accuracy || run.val_accuracy;
  if (!a && run.recording?.metric) return h("span", { title: `${run.recording.metric.name} at epoch ${run.best_epoch}` }, bestMetric(run));
  if (!a) return h("span", { className: "muted" }, "–");
  return h(
    "span",
    { title: accuracyTitle(a) },
    format.percent(a.value, a.n),
    h("span", { className: "cell-split" }, a.split === "test" ? "test" : "val"),
  );
});

cells.LosslessCell = cell((run) => {
  if (run.lossless_ratio === null) return h("span", { className: "muted" }, "–");
  const cut = 100 * run.lossless_ratio;
  return h(
    "span",
    { className: "cell-lossless", title: `${cut.toFixed(0)} % of the neurons can be removed without a measurable drop` },
    h("span", { className: "cutbar", "aria-hidden": true }, h("span", { style: { width: `${cut}%` } })),
    `${cut.toFixed(0)} %`,
  );
});

cells.DiskCell = cell((run) => h("span", null, run.disk_bytes ? format.bytes(run.disk_bytes) : "–"));

cells.AgeCell = cell((run) =>
  h("span", { title: new Date(1000 * run.created_at).toLocaleString() }, age(run.created_at)),
);

/** @param {any} run @param {string} action @param {string} icon @param {string} label */
const button = (run, action, icon, label) =>
  h(
    "button",
    {
      key: action,
      className: "icon-button",
      "data-action": action,
      "data-run-id": run.id,
      "data-testid": `row-${action}`,
      title: `${label} this run`,
      "aria-label": `${label} ${run.name}`,
      tabIndex: -1,
    },
    h("span", { className: `i i-${icon}`, "aria-hidden": true }),
  );

cells.ActionsCell = cell((run) => {
  const active = ["queued", "running"].includes(run.state);
  if (run.recording) return h("span", { className: "cell-actions" }, button(run, "delete", "trash", "Delete"));
  const shown = active
    ? [!run.cancel_requested_at && button(run, "cancel", "stop", "Cancel")]
    : [
        ["failed", "cancelled"].includes(run.state) && button(run, "resume", "resume", "Resume"),
        button(run, "delete", "trash", "Delete"),
      ];
  return h("span", { className: "cell-actions" }, ...shown.filter(Boolean));
});

registerCells(cells);
