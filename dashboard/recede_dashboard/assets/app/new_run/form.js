/** The form of a new run: mistakes are brought into sight when it is submitted; options of lists. */

import { onEvent } from "../api/live.js";
import { noUpdate, react, registerCallbacks, registerRenderers, setProps } from "../lib/dash.js";

const REVEAL_MS = [50, 900]; // at once, and when the server has answered

/** Bring the first field that is wrong into sight and put the cursor there. */
function reveal() {
  const wrong = document.querySelector('#run-form [aria-invalid="true"]');
  if (!wrong) return;
  const folded = /** @type {?HTMLDetailsElement} */ (wrong.closest("details"));
  if (folded) folded.open = true;
  wrong.scrollIntoView({ block: "center" });
  wrong.focus({ preventScroll: true });
}

const TEXTS = ["TextInput", "NumberInput", "Autocomplete"].map((kind) => `#run-form .mantine-${kind}-input`).join();
/** Fields typed into since the last look. @type {Set<HTMLInputElement>} */
const typed = new Set();

document.addEventListener("input", ({ target }) => {
  if (target instanceof HTMLInputElement && target.id.startsWith("{") && target.matches(TEXTS)) typed.add(target);
});

/** A field hands its text over a tick after the key; on a busy machine that is after the click. */
function handOver() {
  for (const input of typed) {
    if (input.isConnected) setProps(JSON.parse(input.id), { value: input.value });
  }
  typed.clear();
}

// In the capture phase: before Dash sees the click.
document.addEventListener(
  "click",
  (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#submit-run")) return;
    handOver();
    for (const wait of REVEAL_MS) window.setTimeout(reveal, wait);
  },
  true,
);

// Enter opens a list that can be searched too, as it opens any other.
document.addEventListener(
  "keydown",
  (event) => {
    const list = event.target;
    const plain = event.key === "Enter" && !event.ctrlKey && !event.metaKey;
    if (!plain || !(list instanceof HTMLElement) || !list.matches("#run-form .mantine-Select-input:not([aria-controls])")) return;
    event.preventDefault();
    event.stopPropagation();
    list.click();
  },
  true,
);

/** An option with a quiet fact at its right. @param {{option: {label: string, note?: string}, checked?: boolean}} given */
function pluginOption({ option, checked }) {
  const h = react().createElement;
  return h(
    "span",
    { className: "option", "data-checked": Boolean(checked) },
    h("span", { className: "option-label" }, option.label),
    option.note && h("span", { className: "option-note", "aria-hidden": true }, option.note),
  );
}

registerRenderers({ pluginOption });

// A worker knows how much of a network can go, and which data sets there are: what is said of those in the form is
// asked for anew.
const HEEDED = ["reach", "worker"];

onEvent((event) => {
  if (HEEDED.includes(event.type) && document.getElementById("run-form")) setProps("run-form-again", { data: event.id });
});

/** @typedef {{props: {id?: any, value?: any, children?: any}}} Part a component as Dash writes it */

/** All inputs within a component. @param {Part | Part[] | string | null | undefined} part @returns {Part[]} */
function inputs(part) {
  if (Array.isArray(part)) return part.flatMap(inputs);
  if (!part || typeof part === "string") return [];
  return part.props.id?.type === "run-field" ? [part] : inputs(part.props.children);
}

/** @param {{path: string, owner: string}} id */
const keyOf = ({ path, owner }) => `${path}@${owner}`;

registerCallbacks({
  /**
   * Remembers what the fields of plug-ins hold.
   * @param {any[]} values @param {{path: string, owner: string}[]} ids @param {Record<string, any>} kept
   */
  keepTyped(values, ids, kept) {
    const owned = ids.flatMap((id, i) => (id.owner ? [[keyOf(id), values[i]]] : []));
    return { ...kept, ...Object.fromEntries(owned) };
  },

  /**
   * The panel of the plug-in that was chosen, with what was typed into it before.
   * @param {string} chosen @param {Record<string, Part>} panels @param {Record<string, any>} kept
   */
  showPanel(chosen, panels, kept) {
    const panel = structuredClone(panels[chosen] ?? null);
    for (const { props } of inputs(panel)) {
      const key = keyOf(props.id);
      if (key in kept) props.value = kept[key];
    }
    return panel;
  },

  /**
   * Counts up where the answer that is shown is not of what the form holds now.
   * @param {[any[], boolean] | null} reviewed @param {any[]} values @param {boolean} swept @param {number} times
   */
  reviewAgain(reviewed, values, swept, times) {
    const same = !reviewed || JSON.stringify(reviewed) === JSON.stringify([values, swept]);
    return same ? noUpdate() : times + 1;
  },
});
