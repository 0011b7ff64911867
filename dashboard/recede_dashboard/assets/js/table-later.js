/* The table's script is large: it is loaded when the first table is shown.
 *
 * What stands for the table stays in its place for good: another component there would make React
 * build the table anew, and Dash reads from it how changes are to be told (dashRenderType).
 */
(function () {
  "use strict";
  const SCRIPT = "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js";
  const AGAIN_MS = 2000;
  const page = /** @type {any} */ (window);
  /** @type {Promise<any>|null} */
  let loading = null;

  /** The table's own components, and from then on all but the table itself under its name. */
  function load() {
    loading = loading || new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = SCRIPT;
      script.onload = () => {
        const real = page.dash_ag_grid;
        page.dash_ag_grid = { ...real, AgGrid };
        done(real);
      };
      script.onerror = () => {
        loading = null;
        script.remove();
        failed(new Error("The table could not be loaded."));
      };
      document.head.append(script);
    });
    return loading;
  }

  /** Empty until the script is there; tries again if the server did not answer. @param {any} props */
  function AgGrid(props) {
    const { useEffect, useState, createElement } = window.React;
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
    if (found.real) return createElement(found.real, props);
    return createElement("div", { id: props.id, className: props.className, style: props.style, "aria-busy": "true" });
  }
  AgGrid.dashRenderType = true;

  page.dash_ag_grid = {
    AgGrid,
    /** @param {string} id */
    getApiAsync: (id) => load().then((real) => real.getApiAsync(id)),
  };
})();
