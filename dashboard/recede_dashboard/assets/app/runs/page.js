/** The table of runs: pages from the API, rows kept live by events. */

import "./cells.js";
import { go, noUpdate, registerCallbacks, tableComponents } from "../lib/dash.js";
import { dialogIsOpen } from "../lib/page/dialogs.js";
import { complain } from "../lib/page/notices.js";
import { throttle } from "../lib/throttle.js";
import { api } from "../api/client.js";
import { isOnline, onEvent } from "../api/live.js";
import { showSelection } from "./selection.js";

const BLOCK = 50;
const STALE_MS = 10000;
/** The table's name for its column of checkboxes. */
const SELECTION = "ag-Grid-SelectionColumn";
/** @type {any} */
let grid = null;
let outdated = false; // other rows were wanted before the table was there
const wanted = { state: "", search: "" };
/** Cursor of the block that starts at a row. @type {Map<number, string>} */
const cursors = new Map();
/** When each run was last heard of. @type {Map<string, number>} */
const heard = new Map();

const root = () => document.getElementById("runs-root");

/** @param {"loading"|"empty"|"filled"|"failed"} state */
function show(state) {
  const node = root();
  if (node) node.dataset.state = state;
}

/** @param {number} start */
function address(start) {
  const query = new URLSearchParams({ limit: String(BLOCK) });
  if (wanted.state) query.set("state", wanted.state);
  if (wanted.search) query.set("search", wanted.search);
  const group = root()?.dataset.group;
  if (group) query.set("group", group);
  if (cursors.has(start)) query.set("cursor", cursors.get(start));
  return `/runs?${query}`;
}

/** One block of rows for the grid. @param {{startRow: number}} request */
async function block(request) {
  try {
    const page = await api("GET", address(request.startRow));
    const end = request.startRow + page.items.length;
    if (page.next) cursors.set(end, page.next);
    if (request.startRow === 0) settle(page.items.length);
    return { rowData: page.items, rowCount: page.next ? -1 : end };
  } catch (error) {
    if (isOnline() !== false) complain(error, "The runs could not be loaded");
    return { rowData: [], rowCount: request.startRow };
  }
}

/** @param {number} n rows of the first page */
function settle(n) {
  const filtered = wanted.state || wanted.search || root()?.dataset.group;
  show(n || filtered ? "filled" : "empty");
  const nothing = document.getElementById("runs-nothing");
  if (nothing) nothing.dataset.shown = String(!n && !!filtered);
}

const refresh = throttle(() => alive() && grid.refreshInfiniteCache(), 400);

function alive() {
  return grid && !grid.isDestroyed?.() && root();
}

/** @param {string} id @param {object} change */
function patch(id, change) {
  const node = alive() && grid.getRowNode(id);
  if (!node?.data) return;
  node.setData({ ...node.data, ...change });
}

/** @param {string} id */
async function reread(id) {
  heard.set(id, Date.now());
  try {
    patch(id, await api("GET", `/runs/${id}`));
  } catch (error) {
    if (error.status === 404) refresh();
  }
}

/** Runs whose events have dried up may be stalled: only the server knows. */
function lookAfterSilentOnes() {
  if (!alive() || document.hidden) return;
  grid.forEachNode((node) => {
    const run = node.data;
    if (run?.state === "running" && Date.now() - (heard.get(run.id) || 0) > STALE_MS) reread(run.id);
  });
  grid.refreshCells({ columns: ["age"], force: true });
}

onEvent((event) => {
  if (!root()) return;
  if (event.type === "progress" && event.stage === "training") {
    heard.set(event.run_id, Date.now());
    patch(event.run_id, { progress: event, eta_s: event.eta_s, stalled_s: null });
  } else if (event.type === "epoch") {
    reread(event.run_id);
  } else if (["run", "run_deleted", "job", "checkpoint"].includes(event.type)) {
    refresh();
  }
});
for (const name of ["recede:changed", "recede:deleted"]) document.addEventListener(name, refresh);
document.addEventListener("recede:online", (event) => event.detail.back && refresh());
window.setInterval(lookAfterSilentOnes, STALE_MS);

/** Other rows are wanted: ask for them now, or as soon as the table is there. */
function readAgain() {
  cursors.clear();
  outdated = !alive();
  if (!outdated) grid.purgeInfiniteCache();
}

/** Take the filter by group away, from the page and from the address. */
function showAll() {
  const node = root();
  if (!node?.dataset.group) return;
  node.dataset.group = "";
  document.getElementById("group-chip")?.toggleAttribute("hidden", true);
  const url = new URL(window.location.href);
  url.searchParams.delete("group");
  window.history.replaceState(window.history.state, "", url);
  readAgain();
}

/** @param {any} event */
function onKey(event) {
  if (!event.data) return;
  const { key } = event.event;
  if (key === "Enter") go(`/runs/${event.data.id}`);
  if (key === "r" || key === "Delete") {
    const actions = key === "r" ? '[data-action="resume"]' : '[data-action="cancel"], [data-action="delete"]';
    event.event.target.closest(".ag-row")?.querySelector(actions)?.click();
  }
}

/**
 * An arrow key with the focus nowhere leads into the table, to its first row; from there on the
 * table has the keys. @param {KeyboardEvent} event
 */
function enter(event) {
  const vertical = event.key === "ArrowDown" || event.key === "ArrowUp";
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  const nowhere = [null, document.body].includes(document.activeElement) && !dialogIsOpen();
  if (!vertical || !plain || !nowhere || !alive() || !grid.getDisplayedRowAtIndex(0)?.data) return;
  event.preventDefault(); // the page does not scroll as well
  grid.ensureIndexVisible(0);
  grid.setFocusedCell(0, "name");
}
document.addEventListener("keydown", enter);

/** A click beside the name opens the run too. @param {any} event */
function onClick(event) {
  if (event.data && !event.event?.target?.closest(`a, button, input, [col-id="${SELECTION}"]`)) go(`/runs/${event.data.id}`);
}

/**
 * All of the cell around a checkbox selects its row. Pressing the mouse scrolls a row that is partly
 * out of sight into view, so what was pressed on the checkbox may be released beside it.
 * @param {any} event of a cell, but not of a click on the checkbox itself
 */
function onCell(event) {
  if (event.data && event.column.getColId() === SELECTION) event.node.setSelected(!event.node.isSelected());
}

// The name is a real link: with a modifier it opens a new tab, without one it stays in this page.
document.addEventListener("click", (click) => {
  if (click.target.closest?.('[data-action="all-runs"]')) return showAll();
  const link = click.target.closest?.(".cell-name a");
  if (!link || click.ctrlKey || click.metaKey || click.shiftKey || click.altKey || click.button) return;
  click.preventDefault();
  go(link.getAttribute("href"));
});

registerCallbacks({
  async attachRuns() {
    const api = await tableComponents().getApiAsync("runs-table");
    grid = api;
    if (outdated) readAgain();
    api.addEventListener("cellKeyDown", onKey);
    api.addEventListener("rowClicked", onClick);
    api.addEventListener("cellClicked", onCell);
    api.addEventListener("selectionChanged", () => showSelection(api.getSelectedRows()));
  },

  /** @param {any} request of the grid, for rows from startRow on */
  fetchRuns(request) {
    return request ? block(request) : noUpdate();
  },

  /** @param {string} state @param {string} search */
  filterRuns(state, search) {
    const same = wanted.state === (state || "") && wanted.search === (search || "").trim();
    Object.assign(wanted, { state: state || "", search: (search || "").trim() });
    if (!same) readAgain();
  },
});
