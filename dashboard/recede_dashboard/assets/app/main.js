/**
 * Where the browser's code begins: the frame of all pages now, each page when it is shown.
 *
 * The server joins modules into files and says in the page which files belong to which path
 * (serving/modules.py).
 */

import "./new_run/form.js";
import { registerLater } from "./lib/dash.js";
import { watchMenus } from "./lib/menus.js";
import { complain } from "./lib/page/notices.js";
import { connect } from "./api/live.js";
import { onPageShown } from "./shell/page.js";
import { offerTable } from "./shell/table.js";

/** @type {Record<string, () => Promise<any>>} */
const PAGES = {
  "compare/page.js": () => import("./compare/page.js"),
  "explore/page.js": () => import("./explore/page.js"),
  "group/page.js": () => import("./group/page.js"),
  "run/page.js": () => import("./run/page.js"),
  "runs/page.js": () => import("./runs/page.js"),
  "settings/page.js": () => import("./settings/page.js"),
};

/** @type {{base: string, pages: {path: string, entries: string[], files: string[]}[]}} */
const served = JSON.parse(document.getElementById("modules")?.textContent ?? "");

/** Let the browser fetch files side by side that would else be found one after the other. @param {string[]} files */
function preload(files) {
  for (const file of files) {
    const href = served.base + file;
    if (document.querySelector(`link[rel="modulepreload"][href="${href}"]`)) continue;
    const link = document.createElement("link");
    Object.assign(link, { rel: "modulepreload", href });
    document.head.append(link);
  }
}

/** Load what a path shows. @param {string} path */
async function loadPage(path) {
  const page = served.pages.find((one) => new RegExp(one.path).test(path));
  if (!page) return;
  preload(page.files);
  try {
    await Promise.all(page.entries.map((entry) => PAGES[entry]()));
  } catch (error) {
    complain(error, "Part of this page could not be loaded; reload it");
  }
}

registerLater(["attachRuns", "fetchRuns", "filterRuns"], PAGES["runs/page.js"]);
registerLater(
  ["attachRun", "showTab", "showFilled", "renameRun", "drawEpochs", "attachLog", "showTimes"],
  PAGES["run/page.js"],
);
registerLater(["paintGroup", "paintSigns", "attachGroup"], PAGES["group/page.js"]);
registerLater(["attachNotices"], PAGES["settings/page.js"]);
offerTable(PAGES["runs/page.js"]);
onPageShown(loadPage);
watchMenus();
connect();
loadPage(location.pathname);
