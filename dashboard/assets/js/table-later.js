/* The table's script is large: it is loaded when the first table is shown, and then takes over. */
(function () {
  "use strict";
  const SCRIPT = "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js";
  /** @type {Promise<any>|null} */
  let loading = null;

  function load() {
    loading = loading || new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = SCRIPT;
      script.onload = () => done(/** @type {any} */ (window).dash_ag_grid.AgGrid);
      script.onerror = () => {
        loading = null;
        script.remove();
        failed(new Error("The table could not be loaded."));
      };
      document.head.append(script);
    });
    return loading;
  }

  /** Stands for the table until its script is there; tries again if the server did not answer. @param {any} props */
  function AgGrid(props) {
    const { useEffect, useState, createElement } = window.React;
    const [found, set] = useState(/** @type {{real: any, tries: number}} */ ({ real: null, tries: 0 }));
    useEffect(() => {
      let timer = 0;
      if (!found.real) {
        load().then((real) => set({ real, tries: 0 }), () => {
          timer = window.setTimeout(() => set({ real: null, tries: found.tries + 1 }), 2000);
        });
      }
      return () => window.clearTimeout(timer);
    }, [found.tries]);
    if (found.real) return createElement(found.real, props);
    return createElement("div", { id: props.id, className: props.className, style: props.style, "aria-busy": "true" });
  }

  const page = /** @type {any} */ (window);
  page.dash_ag_grid = page.dash_ag_grid || {
    AgGrid,
    /** @param {string} id */
    getApiAsync: (id) => load().then(() => page.dash_ag_grid.getApiAsync(id)),
  };
})();
