/** Notices of the page: a few words in its corner. */

import { setProps } from "../dash.js";
import { errorWords } from "../errors.js";

/** @param {string} title @param {string} message @param {"good"|"bad"|"info"} [kind] */
export function notify(title, message, kind = "info") {
  const notice = {
    action: "show",
    title,
    message,
    className: `notice notice-${kind}`,
    autoClose: kind === "bad" ? 12000 : 6000,
    position: "bottom-left",
  };
  setProps("notices", { sendNotifications: [notice] });
}

/** Show an error in words, with what to do. @param {Error & {hint?: string}} error @param {string} title */
export function complain(error, title) {
  notify(title, errorWords(error), "bad");
}

