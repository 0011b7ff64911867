/** Buttons with data-action: new run, demo, cancel, resume, delete (with a question), keys. */

import { go, registerCallbacks, setProps } from "../lib/dash.js";
import { openDialog } from "../lib/page/dialogs.js";
import { complain, notify } from "../lib/page/notices.js";
import * as format from "../format/numbers.js";
import { api } from "../api/client.js";
import { deleting } from "../api/deletions.js";

/** @type {((yes: boolean) => void)|null} */
let answer = null;

/**
 * Target a question with a yes; resolves to whether it was said.
 * @param {string} title @param {string} text @param {string} yes the word on the button
 * @returns {Promise<boolean>}
 */
function confirm(title, text, yes) {
  openDialog("confirm"); // what else is pressed rests until the question is there
  setProps("confirm", { title });
  return new Promise((resolve) => {
    answer = resolve;
    setTimeout(() => {
      setProps("confirm-text", { children: text });
      setProps("confirm-yes", { children: yes });
    }, 0);
  });
}

/** @param {boolean} yes */
function say(yes) {
  answer?.(yes);
  answer = null;
  setProps("confirm", { opened: false });
}

registerCallbacks({
  /** Closing the question, with Escape or beside it, is a no. @param {boolean} opened */
  confirmClosed(opened) {
    if (opened === false) {
      answer?.(false);
      answer = null;
    }
  },
});

async function demo() {
  const button = /** @type {?HTMLButtonElement} */ (document.getElementById("demo-button"));
  if (button) button.disabled = true;
  try {
    const { demo: spec } = await api("GET", "/catalog");
    const { run } = await api("POST", "/runs", spec);
    go(`/runs/${run.id}`);
  } catch (error) {
    complain(error, "The demo could not be started");
  } finally {
    if (button) button.disabled = false;
  }
}

/** @param {string} id */
async function cancel(id) {
  await api("POST", `/runs/${id}/cancel`);
  document.dispatchEvent(new CustomEvent("recede:changed", { detail: { run_id: id } }));
}

/** @param {string} id */
async function resume(id) {
  await api("POST", `/runs/${id}/resume`);
  document.dispatchEvent(new CustomEvent("recede:changed", { detail: { run_id: id } }));
}

/** @param {string} id */
async function remove(id) {
  const run = await api("GET", `/runs/${id}`);
  const files = await api("GET", `/runs/${id}/checkpoints`);
  const n = files.items.length;
  const epochs = `${format.plural(run.epochs_done, "epoch")} of importances and curves`;
  const what = `${epochs}, ${format.plural(n, "set")} of weights and its logs`;
  const text = `This deletes “${run.name}” with ${what}. It frees ${format.bytes(run.disk_bytes)} and cannot be undone.`;
  if (!(await confirm("Delete this run?", text, "Delete"))) return;
  deleting.add(id);
  const { freed_bytes } = await api("DELETE", `/runs/${id}`).catch((error) => {
    deleting.delete(id);
    throw error;
  });
  notify("Deleted", `${run.name}: ${format.bytes(freed_bytes)} freed.`, "good");
  document.dispatchEvent(new CustomEvent("recede:deleted", { detail: { run_id: id } }));
}

/** @param {string} id */
async function cancelGroup(id) {
  await api("POST", `/groups/${id}/cancel`);
  document.dispatchEvent(new CustomEvent("recede:changed", { detail: { group_id: id } }));
}

/** @param {string} id */
async function removeGroup(id) {
  const group = await api("GET", `/groups/${id}`);
  const bytes = format.bytes(group.runs.reduce((sum, run) => sum + run.disk_bytes, 0));
  const text = `This deletes “${group.name}” with its ${format.plural(group.runs.length, "run")}: importances, curves, weights and logs. It frees ${bytes} and cannot be undone.`;
  if (!(await confirm("Delete this group?", text, "Delete all"))) return;
  const { freed_bytes } = await api("DELETE", `/groups/${id}`);
  notify("Deleted", `${group.name}: ${format.bytes(freed_bytes)} freed.`, "good");
  go("/");
}

const ON_ONE = {
  cancel: [cancel, "The run was not cancelled"],
  resume: [resume, "The run was not resumed"],
  delete: [remove, "The run was not deleted"],
  "cancel-group": [cancelGroup, "The group was not cancelled"],
  "delete-group": [removeGroup, "The group was not deleted"],
};

document.addEventListener("click", async (event) => {
  const button = /** @type {?HTMLButtonElement} */ (event.target.closest?.("[data-action], #confirm-yes, #confirm-no"));
  if (!button) return;
  if (button.id === "confirm-yes") return say(true);
  if (button.id === "confirm-no") return say(false);
  const { action, runId, groupId } = button.dataset;
  if (action === "new-run") return openDialog("run-drawer");
  if (action === "keys") return openDialog("keys-dialog");
  if (action === "demo") return demo();
  const known = ON_ONE[action];
  if (!known) return;
  button.disabled = true;
  try {
    await known[0](runId || groupId);
  } catch (error) {
    complain(error, known[1]);
  } finally {
    button.disabled = false;
  }
});
