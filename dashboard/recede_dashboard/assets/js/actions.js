/* Buttons with data-action: new run, demo, cancel, resume, delete (with a question), keys. */
(function () {
  "use strict";
  const recede = (window.recede = window.recede || {});
  /** @type {((yes: boolean) => void)|null} */
  let answer = null;
  /** Runs whose deletion was asked for in this tab: it says by itself what was freed. */
  const deleting = (recede.deleting = new Set());

  /**
   * Ask a question with a yes; resolves to whether it was said.
   * @param {string} title @param {string} text @param {string} yes the word on the button
   * @returns {Promise<boolean>}
   */
  function confirm(title, text, yes) {
    const { set_props } = window.dash_clientside;
    recede.open("confirm"); // what else is pressed rests until the question is there
    set_props("confirm", { title });
    return new Promise((resolve) => {
      answer = resolve;
      setTimeout(() => {
        set_props("confirm-text", { children: text });
        set_props("confirm-yes", { children: yes });
      }, 0);
    });
  }

  /** @param {boolean} yes */
  function say(yes) {
    answer?.(yes);
    answer = null;
    window.dash_clientside.set_props("confirm", { opened: false });
  }

  const clientside = (window.dash_clientside = window.dash_clientside || {});
  clientside.shell = Object.assign(clientside.shell || {}, {
    /** Closing the question, with Escape or beside it, is a no. @param {boolean} opened */
    confirmClosed(opened) {
      if (opened === false) {
        answer?.(false);
        answer = null;
      }
    },
  });

  async function demo() {
    const button = document.getElementById("demo-button");
    if (button) button.disabled = true;
    try {
      const { demo: spec } = await recede.api("GET", "/catalog");
      const { run } = await recede.api("POST", "/runs", spec);
      recede.go(`/runs/${run.id}`);
    } catch (error) {
      recede.complain(error, "The demo could not be started");
    } finally {
      if (button) button.disabled = false;
    }
  }

  /** @param {string} id */
  async function cancel(id) {
    await recede.api("POST", `/runs/${id}/cancel`);
    document.dispatchEvent(new CustomEvent("recede:changed", { detail: { run_id: id } }));
  }

  /** @param {string} id */
  async function resume(id) {
    await recede.api("POST", `/runs/${id}/resume`);
    document.dispatchEvent(new CustomEvent("recede:changed", { detail: { run_id: id } }));
  }

  /** @param {string} id */
  async function remove(id) {
    const run = await recede.api("GET", `/runs/${id}`);
    const files = await recede.api("GET", `/runs/${id}/checkpoints`);
    const n = files.items.length;
    const epochs = `${run.epochs_done} epoch${run.epochs_done === 1 ? "" : "s"} of importances and curves`;
    const what = `${epochs}, ${n} set${n === 1 ? "" : "s"} of weights and its logs`;
    const text = `This deletes “${run.name}” with ${what}. It frees ${recede.format.bytes(run.disk_bytes)} and cannot be undone.`;
    if (!(await confirm("Delete this run?", text, "Delete"))) return;
    deleting.add(id);
    const { freed_bytes } = await recede.api("DELETE", `/runs/${id}`).catch((error) => {
      deleting.delete(id);
      throw error;
    });
    recede.notify("Deleted", `${run.name}: ${recede.format.bytes(freed_bytes)} freed.`, "good");
    document.dispatchEvent(new CustomEvent("recede:deleted", { detail: { run_id: id } }));
  }

  /** @param {string} id */
  async function cancelGroup(id) {
    await recede.api("POST", `/groups/${id}/cancel`);
    document.dispatchEvent(new CustomEvent("recede:changed", { detail: { group_id: id } }));
  }

  /** @param {string} id */
  async function removeGroup(id) {
    const group = await recede.api("GET", `/groups/${id}`);
    const bytes = recede.format.bytes(group.runs.reduce((sum, run) => sum + run.disk_bytes, 0));
    const text = `This deletes “${group.name}” with its ${group.runs.length} runs: their importances, curves, weights and logs. It frees ${bytes} and cannot be undone.`;
    if (!(await confirm("Delete this group?", text, "Delete all"))) return;
    const { freed_bytes } = await recede.api("DELETE", `/groups/${id}`);
    recede.notify("Deleted", `${group.name}: ${recede.format.bytes(freed_bytes)} freed.`, "good");
    recede.go("/");
  }

  const ON_ONE = {
    cancel: [cancel, "The run was not cancelled"],
    resume: [resume, "The run was not resumed"],
    delete: [remove, "The run was not deleted"],
    "cancel-group": [cancelGroup, "The group was not cancelled"],
    "delete-group": [removeGroup, "The group was not deleted"],
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-action], #confirm-yes, #confirm-no");
    if (!button) return;
    if (button.id === "confirm-yes") return say(true);
    if (button.id === "confirm-no") return say(false);
    const { action, runId, groupId } = button.dataset;
    if (action === "new-run") return recede.open("run-drawer");
    if (action === "keys") return recede.open("keys-dialog");
    if (action === "demo") return demo();
    const known = ON_ONE[action];
    if (!known) return;
    button.disabled = true;
    try {
      await known[0](runId || groupId);
    } catch (error) {
      recede.complain(error, known[1]);
    } finally {
      button.disabled = false;
    }
  });
})();
