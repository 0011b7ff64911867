/** A latency on a device elsewhere: the least cut among those that were timed there. */

import { h, named } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";
import * as format from "../../format/numbers.js";
import { showToast } from "../feedback/toast.js";
import { stateOfPlan } from "../state/plan.js";
import { plainNumber } from "../state/target_words.js";

/** @import { Target, Explore } from "../types.js" */

const HERE = "";

export class Devices {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.asked = false;
    this.select = h("select", {
      ...named("latency-device"), class: "rx-select", "aria-label": "Device", hidden: true,
      title: "The worker measures cuts; elsewhere the cuts whose files were timed there are compared",
      onchange: () => app.dirty(),
    });
  }

  /** The device that is chosen; empty for the worker's own. */
  get chosen() {
    return this.select.value || HERE;
  }

  /** Ask which devices reported. */
  async load() {
    this.asked = true;
    try {
      const { items } = await this.app.source.ofRun("/benches");
      const names = [...new Set(items.map((one) => one.device))];
      const before = this.chosen;
      this.select.replaceChildren(
        h("option", { value: HERE, text: "Worker" }), ...names.map((name) => h("option", { value: name, text: name })));
      this.select.value = names.includes(before) ? before : HERE;
      this.select.hidden = !names.length;
    } catch (error) {
      if (error.name === "AbortError") return;
      this.select.hidden = true; // the worker's own device can still be asked
    }
    this.app.dirty();
  }

  /** Take the plan of the cut that is fast enough there, or say that there is none. @param {Target} target */
  async find(target) {
    const { app, chosen } = this;
    const body = { device: chosen, target_ms: target.value, batch: target.batch || 1 };
    try {
      const found = await app.source.ofRun("/benches/solve", { method: "POST", body });
      if (found.reached) {
        app.choose(stateOfPlan(found.plan));
        app.released();
      }
      showToast(app, wordsOf(found, target));
    } catch (error) {
      if (error.name !== "AbortError") showToast(app, errorWords(error));
    }
  }
}

/** @param {Target} target */
function wordsOf(found, target) {
  const { timing, compared } = found;
  /** @param {number} value */
  const ms = (value) => `${plainNumber(Number(value.toPrecision(3)))}${format.THIN}ms`;
  const networks = format.plural(compared, "network");
  const takes = `${ms(timing.median_ms)} on ${timing.device} (${timing.format}, batch ${timing.batch})`;
  if (!found.reached) return `None of the ${networks} timed there takes ${ms(target.value)} or less; the fastest takes ${takes}.`;
  return `${format.share(found.ratio)} removed takes ${takes}: the least removed that is fast enough, of ${networks} timed there.`;
}
