/** The page of a group: refreshed when its runs go on, figures painted in the colours of the scheme. */

import "../charts/plotly_saving.js";
import { noUpdate, registerCallbacks, setProps } from "../lib/dash.js";
import { currentScheme } from "../lib/scheme.js";
import { throttle } from "../lib/throttle.js";
import { onEvent } from "../api/live.js";

const REFRESH_MS = 1200;
const CURVES = ["run", "evaluation", "checkpoint", "job"];
/** Whether the next refresh draws the curves anew. */
let curves = false;

const here = () => document.getElementById("group-root")?.dataset.groupId || null;
const holds = (id) => document.querySelector(`#group-table [data-run-id="${CSS.escape(id)}"]`) !== null;

const refresh = throttle(() => {
  if (!here()) return;
  setProps("group-tick", { data: { at: Date.now(), curves } });
  curves = false;
}, REFRESH_MS);

/** @param {boolean} withCurves */
function again(withCurves) {
  curves = curves || withCurves;
  refresh();
}

onEvent((event) => {
  const id = here();
  if (!id) return;
  if (event.type === "group" && event.id === id) return again(true);
  if (event.type === "progress" && event.stage !== "training") return;
  if (event.run_id && (event.type === "run_deleted" || holds(event.run_id))) again(CURVES.includes(event.type));
});
for (const name of ["recede:changed", "recede:deleted"]) {
  document.addEventListener(name, () => here() && again(true));
}
document.addEventListener("recede:online", (event) => event.detail.back && here() && again(true));

/** The colour of a step, from the template's ramp. @param {any} meta @param {any} template */
function colourOf(meta, template) {
  const ramp = template.layout.colorscale.sequential;
  const last = ramp.length - 1;
  const at = meta.steps > 1 ? Math.round((meta.step / (meta.steps - 1)) * last) : 1;
  return ramp[at][1];
}

/** The signs in the table have the colours of the curves. @param {any} template */
function paintSigns(template) {
  for (const sign of document.querySelectorAll(".step-sign")) {
    const meta = { step: Number(sign.dataset.step), steps: Number(sign.dataset.of) };
    sign.style.setProperty("--step", colourOf(meta, template));
  }
}

/** @param {any} trace @param {any} template */
function painted(trace, template) {
  const colour = colourOf(trace.meta, template);
  return { ...trace, line: { ...trace.line, color: colour }, marker: { ...trace.marker, color: colour } };
}

registerCallbacks({
  /** @param {any} figures @param {string} scheme @param {any} templates @param {string} name of the figure */
  paintGroup(figures, scheme, templates, name) {
    if (!figures) return noUpdate();
    const template = templates[scheme || currentScheme()];
    window.setTimeout(() => paintSigns(template), 0);
    const { data, layout } = figures[name];
    return { data: data.map((trace) => painted(trace, template)), layout: { ...layout, template } };
  },

  /** The table was drawn anew. @param {any} _rows @param {any} templates */
  paintSigns(_rows, templates) {
    window.setTimeout(() => paintSigns(templates[currentScheme()]), 0);
  },

  /** What happened between the answer of the server and now is read once. @param {any} data */
  attachGroup(data) {
    if (data) again(true);
  },
});
