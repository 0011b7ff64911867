/** The table's script is large: it is loaded when the first table is shown.
 *
 * What stands for the table stays in its place for good: another component there would make React
 * build the table anew, and Dash reads from it how changes are reported (dashRenderType).
 */

import { react, setTableComponents, tableComponents } from "../lib/dash.js";

const SCRIPT = "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js";
const AGAIN_MS = 2000;
/** @type {Promise<any>|null} */
let loading = null;
/** @type {() => Promise<any>} */
let prepared = async () => undefined;

/** The table's own components, and from then on all but the table itself under its name. */
function load() {
  loading = loading || prepared().then(() => new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = SCRIPT;
    script.onload = () => {
      const real = tableComponents();
      setTableComponents({ ...real, AgGrid });
      done(real);
    };
    script.onerror = () => {
      script.remove();
      failed(new Error("The table could not be loaded."));
    };
    document.head.append(script);
  })).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/**
 * The table alone holds which rows are selected. Told of it, Dash hands it back a moment later, and
 * the table then undoes what was clicked in between.
 * @param {(change: object) => void} setProps
 */
const withoutSelection = (setProps) => (/** @type {object} */ change) => {
  const others = Object.entries(change).filter(([name]) => name !== "selectedRows");
  if (others.length) setProps(Object.fromEntries(others));
};

/** Empty until the script is there; tries again if the server did not answer. @param {any} props */
function AgGrid(props) {
  const { useEffect, useState, createElement } = react();
  const [found, set] = useState(/** @type {{real: any, tries: number}} */ ({ real: null, tries: 0 }));
  useEffect(() => {
    let timer = 0;
    if (!found.real) {
      load().then((real) => set({ real: real.AgGrid, tries: 0 }), () => {
        timer = window.setTimeout(() => set({ real: null, tries: found.tries + 1 }), AGAIN_MS);
      });
    }
    return () => window.clearTimeout(timer);
  }, [found.tries]);
  if (found.real) return createElement(found.real, { ...props, setProps: withoutSelection(props.setProps) });
  return createElement("div", { id: props.id, className: props.className, style: props.style, "aria-busy": "true" });
}
AgGrid.dashRenderType = true;

/**
 * Let Dash find the table.
 * @param {() => Promise<any>} before what must be there first: its cells
 */
export function offerTable(before) {
  prepared = before;
  setTableComponents({
    AgGrid,
    /** @param {string} id */
    getApiAsync: (id) => load().then((real) => real.getApiAsync(id)),
  });
}
