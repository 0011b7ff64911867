/**
 * What Dash, React, Plotly and the table put on `window`: this module alone touches it.
 *
 * Callbacks that run in the browser are functions of one namespace, which the server names in
 * serving/clientside.py. Those of a page that is not loaded yet wait for it.
 */

const page = /** @type {any} */ (globalThis);
const NAMESPACE = "shell";

/** Set properties of a component. @param {string} id @param {object} props */
export function setProps(id, props) {
  page.dash_clientside.set_props(id, props);
}

/**
 * Set properties of a component if it is on the page; says whether it was.
 * @param {string} id @param {object} props
 */
export function putProps(id, props) {
  if (!document.getElementById(id)) return false;
  setProps(id, props);
  return true;
}

/** What a callback returns to leave its output as it is. */
export const noUpdate = () => page.dash_clientside.no_update;

/** @returns {Record<string, (...args: any[]) => any>} */
function callbacks() {
  page.dash_clientside = page.dash_clientside || {};
  page.dash_clientside[NAMESPACE] = page.dash_clientside[NAMESPACE] || {};
  return page.dash_clientside[NAMESPACE];
}

/** Offer functions to Dash. @param {Record<string, (...args: any[]) => any>} functions */
export function registerCallbacks(functions) {
  Object.assign(callbacks(), functions);
}

/**
 * Offer functions that a module registers once it is loaded.
 * @param {string[]} names @param {() => Promise<any>} load
 */
export function registerLater(names, load) {
  for (const name of names) {
    callbacks()[name] ??= async (...args) => {
      await load();
      return callbacks()[name](...args);
    };
  }
}

/** Go to another address of the dashboard without loading the document anew. @param {string} href */
export function go(href) {
  window.history.pushState({}, "", href);
  window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  window.scrollTo(0, 0);
}

export const react = () => page.React;

export const plotly = () => page.Plotly;

/** Where Dash's own charts ask for Plotly, too. */
const PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js";
/** @type {Promise<any> | null} */
let arriving = null;

/** Plotly, fetched once: by us, or by a chart of Dash's that asked first. */
export function loadPlotly() {
  if (page.Plotly) return Promise.resolve(page.Plotly);
  arriving ??= new Promise((resolve, reject) => {
    const asked = [...document.scripts].find((script) => script.src.endsWith(PLOTLY));
    const script = asked ?? Object.assign(document.createElement("script"), { src: PLOTLY });
    script.addEventListener("load", () => resolve(page.Plotly));
    script.addEventListener("error", () => {
      script.remove();
      arriving = null; // the next chart asks again
      reject(new Error("Plotly could not be loaded"));
    });
    if (!asked) document.head.append(script);
  });
  return arriving;
}

/** Cells of tables, as React components. @param {Record<string, any>} cells */
export function registerCells(cells) {
  page.dashAgGridComponentFunctions = Object.assign(page.dashAgGridComponentFunctions || {}, cells);
}

/** Functions that properties of Mantine's components name. @param {Record<string, any>} functions */
export function registerRenderers(functions) {
  page.dashMantineFunctions = Object.assign(page.dashMantineFunctions || {}, functions);
}

/** The components of the table's script, as Dash looks them up. */
export const tableComponents = () => page.dash_ag_grid;

/** @param {object} components */
export function setTableComponents(components) {
  page.dash_ag_grid = components;
}
