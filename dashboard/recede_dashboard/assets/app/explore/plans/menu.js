/** Plans kept with the run: saved under a name, taken up again, compared, changed, shared. */

import { copyText } from "../../lib/clipboard.js";
import { h, icon, named, setAttributes, setText } from "../../lib/elements.js";
import { errorWords } from "../../lib/errors.js";
import { showToast } from "../feedback/toast.js";
import { Diff } from "./diff.js";
import { planWords, samePlan, stateOfPlan, tidyPlan } from "../state/plan.js";

/** @import { Explore } from "../types.js" */

export class Plans {
  /** @param {Explore} app */
  constructor(app) {
    this.app = app;
    this.items = null;
    this.error = null;
    this.editing = null;
    this.key = "";
    this.build();
    this.load();
  }

  build() {
    this.label = h("span", { text: "Plans" });
    this.summary = h("summary", { ...named("plans-button"), class: "rx-button rx-small" }, icon("bookmark"), this.label);
    this.form = this.saveForm();
    this.said = h("p", { ...named("plans-said"), class: "rx-said", role: "alert", hidden: true });
    this.list = h("ul", { ...named("plans-list"), class: "rx-plans" });
    this.body = h("div", { class: "rx-menu-body rx-plans-body" }, this.form, this.said, this.list);
    this.menu = h("details", { ...named("plans-menu"), class: "rx-menu rx-plans-menu", "data-also": "dialog, .rx-toast" }, this.summary, this.body);
    this.summary.addEventListener("click", (event) => {
      event.preventDefault(); // details would open now, but tell of it too late for the next key
      this.turn();
    });
    this.diff = new Diff(this.app, this);
    this.app.els.find("#scope-slot").prepend(this.menu);
  }

  saveForm() {
    this.name = h("input", { ...named("plan-name"), class: "rx-text", maxlength: 80, placeholder: "Plan name", "aria-label": "Plan name", autocomplete: "off" });
    this.notes = h("input", { ...named("plan-notes"), class: "rx-text", maxlength: 10000, placeholder: "Notes (optional)", "aria-label": "Notes", autocomplete: "off" });
    this.saveButton = h("button", { ...named("plan-save"), type: "submit", class: "rx-button", text: "Save" });
    return h("form", {
      class: "rx-save", onsubmit: (event) => {
        event.preventDefault();
        this.save();
      },
    }, this.name, this.saveButton, this.notes);
  }

  destroy() {
    this.diff.destroy();
  }

  /** Open with the cursor in the name before the next key is pressed, or close. */
  turn() {
    this.menu.open = !this.menu.open;
    if (this.menu.open) this.opened();
  }

  opened() {
    const box = this.summary.getBoundingClientRect();
    Object.assign(this.body.style, {
      top: `${box.bottom + 6}px`, right: `${Math.max(8, document.documentElement.clientWidth - box.right - 60)}px`,
      maxHeight: `${window.innerHeight - box.bottom - 20}px`,
    });
    this.tell("");
    this.load();
    this.app.dirty();
    this.name.focus();
  }

  // ---- the server ----------------------------------------------------------------------

  /** Read all plans anew; what the address named is taken up once they are known. */
  async load() {
    try {
      const { items } = await this.app.source.ofRun("/plans");
      this.items = items;
      this.error = null;
      this.fromAddress();
    } catch (error) {
      if (error.name === "AbortError") return;
      this.error = error;
    }
    this.app.dirty();
  }

  fromAddress() {
    const { app } = this;
    if (this.resolved) return;
    this.resolved = true;
    const { plan: id } = app.state;
    if (!app.given.has("plan") || id === null) return;
    const found = this.items.find((one) => one.id === id);
    if (found) app.assign(stateOfPlan(found.plan));
    else {
      app.refused.push(`plan=${id} (no longer saved with this run)`);
      app.assign({ plan: null });
    }
  }

  /** Target for a change, say in words what went wrong, then show what is kept now. @param {string} path */
  async change(path, method, body) {
    try {
      const read = method === "DELETE" ? "response" : "json";
      const answer = await this.app.source.ofRun(`/plans${path}`, { method, body, read });
      this.tell("");
      await this.load();
      return answer;
    } catch (error) {
      if (error.name !== "AbortError") this.tell(errorWords(error));
      return null;
    }
  }

  async save() {
    const { plan } = this.app.fresh();
    const name = this.name.value.trim();
    if (!name) {
      this.tell("Give the plan a name first.");
      return this.name.focus();
    }
    if (!plan) return undefined;
    const made = await this.change("", "POST", { name, notes: this.notes.value.trim(), plan });
    if (made) {
      [this.name.value, this.notes.value] = ["", ""];
      this.app.assign({ plan: made.id });
    }
    return made;
  }

  async remove(one) {
    if (!(await this.change(`/${one.id}`, "DELETE"))) return;
    const again = { name: one.name, notes: one.notes, plan: one.plan };
    showToast(this.app, `Plan “${one.name}” deleted.`, "Undo", () => this.change("", "POST", again));
  }

  /** @param {string} words */
  tell(words) {
    this.said.hidden = !words;
    setText(this.said, words);
  }

  // ---- what is shown -------------------------------------------------------------------

  /** The saved plan that the present choices are, the one of the address first. */
  get present() {
    const { app } = this;
    const same = (one) => samePlan(one.plan, app.now.plan, app.source.bestEpoch);
    const known = this.items?.filter(same) || [];
    return known.find((one) => one.id === app.state.plan) || known[0] || null;
  }

  apply(one) {
    const plan = tidyPlan(one.plan);
    const shield = this.app.source.run?.protected || [];
    const barred = Object.keys(plan.overrides || {}).filter((name) => shield.includes(name));
    for (const name of barred) delete plan.overrides[name];
    this.app.applyPlan(plan, `plan “${one.name}”`);
    if (barred.length) showToast(this.app, `${barred.join(", ")} is always kept in this run: its own ratio was left out.`);
  }

  render() {
    const { app } = this;
    const present = app.now.plan ? this.present : null;
    if (this.items && app.now.plan && this.resolved && app.state.plan !== (present?.id ?? null)) {
      app.state.plan = present?.id ?? null;
      app.address();
    }
    setText(this.label, present ? present.name : this.items?.length ? `Plans ${this.items.length}` : "Plans");
    setAttributes(this.summary, {
      "data-saved": present?.id, title: present ? `The current cut is the saved plan “${present.name}” (p)` : "Plans saved with this run (p)",
    });
    if (!this.menu.open) return;
    setAttributes(this.saveButton, { disabled: !app.now.plan || app.source.offline, title: app.source.offline ? "The server does not answer" : null });
    this.renderList(present);
  }

  renderList(present) {
    const words = this.emptyWords();
    const key = JSON.stringify([this.items, present?.id, this.editing, words]);
    if (key === this.key) return;
    this.key = key;
    const rows = (this.items || []).map((one) => (this.editing === one.id ? this.editor(one) : this.row(one, one.id === present?.id)));
    const held = this.holdFocus();
    this.list.replaceChildren(...rows, ...(words ? [h("li", { class: "rx-plans-empty", text: words })] : []));
    held();
  }

  /** The list is made anew: what had the focus has it again, or what stands in its place. */
  holdFocus() {
    const now = /** @type {?HTMLElement} */ (document.activeElement);
    if (!this.list.contains(now)) return () => {};
    const plan = now.closest("li").dataset.testid;
    const { tool } = now.dataset;
    return () => {
      const row = this.list.querySelector(`[data-testid="${plan}"]`);
      const same = tool && row?.querySelector(`[data-tool="${tool}"]:not(:disabled)`);
      (same || row?.querySelector("input, button") || this.name).focus();
    };
  }

  emptyWords() {
    if (this.error) return this.error.status === 0 ? "The server does not answer. Saved plans appear once it is back." : this.error.message;
    if (!this.items) return "Loading…";
    return this.items.length ? "" : "No plans yet. A saved plan stores epoch, cut, locks and per-layer ratios, and has its own link.";
  }

  row(one, isPresent) {
    return h("li", { class: "rx-plan", "data-testid": `plan-${one.id}`, "data-present": isPresent },
      h("button", { type: "button", class: "rx-plan-main", title: "Apply this plan", onclick: () => this.apply(one) },
        h("b", { text: one.name }), isPresent ? h("em", { ...named("plan-present"), class: "rx-badge", text: "current" }) : null,
        h("span", { text: planWords(one.plan) }), one.notes ? h("i", { text: one.notes }) : null),
      h("span", { class: "rx-plan-tools" },
        this.tool("compare", `Compare ${one.name} with the current cut`, () => this.diff.open("present", one.id)),
        this.tool("link", `Copy a link to ${one.name}`, (button) => copyText(this.link(one), button)),
        this.tool("edit", `Rename ${one.name} or change its notes`, () => this.edit(one.id)),
        this.tool("update", `Save the current cut as ${one.name}`, () => this.change(`/${one.id}`, "PATCH", { plan: this.app.fresh().plan }), isPresent),
        this.tool("bin", `Delete ${one.name}`, () => this.remove(one))));
  }

  /** @param {string} name @param {string} words */
  tool(name, words, onclick, disabled = false) {
    const button = h("button", { type: "button", class: "rx-tool", title: words, "aria-label": words, disabled, "data-tool": name, onclick: () => onclick(button) }, icon(name));
    return button;
  }

  link(one) {
    return `${location.origin}${location.pathname}?tab=explore&plan=${one.id}`;
  }

  /** @param {string} id */
  edit(id) {
    this.editing = id;
    this.app.fresh();
    this.renderList(this.present);
    const name = /** @type {?HTMLInputElement} */ (this.list.querySelector(".rx-plan-form input"));
    name?.focus();
    name?.select();
  }

  editor(one) {
    const name = h("input", { ...named("plan-rename"), class: "rx-text", maxlength: 80, value: one.name, "aria-label": "Name" });
    const notes = h("textarea", { ...named("plan-renotes"), class: "rx-text", maxlength: 10000, rows: 2, "aria-label": "Notes" });
    notes.value = one.notes;
    const done = () => {
      this.editing = null;
      this.app.dirty();
    };
    return h("li", { class: "rx-plan", "data-testid": `plan-${one.id}` }, h("form", {
      class: "rx-plan-form", onsubmit: async (event) => {
        event.preventDefault();
        if (await this.change(`/${one.id}`, "PATCH", { name: name.value, notes: notes.value })) done();
      },
      onkeydown: (event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        done();
      },
    }, name, notes, h("div", { class: "rx-row" },
      h("button", { type: "submit", class: "rx-button rx-small", text: "Save changes" }),
      h("button", { type: "button", class: "rx-button rx-small", text: "Cancel", onclick: done }))));
  }
}

