/**
 * What eslint checks in the browser's modules and in their tests on node.
 *
 * Why eslint: it is the linter that most JavaScript engineers know, it reads modules without a
 * build step, and its licence is MIT. It is needed for development only.
 */

import js from "@eslint/js";
import globals from "globals";

const MODULES = "dashboard/recede_dashboard/assets/app/**/*.js";
const TESTS = "tests/js/*.mjs";
const OF_DASH = [
  "dash_clientside", "dash_ag_grid", "dashAgGridComponentFunctions", "dashMantineFunctions", "Plotly", "React", "recede",
];
const WHY = "Only lib/dash.js touches what Dash, Plotly and React put on the window.";

/** On every window, and easily meant to be a variable of our own. */
const MISTAKEN = ["event", "name", "length", "status", "top", "parent", "closed", "origin"];

export default [
  { ignores: ["**/node_modules/**", "**/vendor/**"] },
  {
    files: [MODULES, TESTS],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: { ecmaVersion: 2023, sourceType: "module" },
    rules: {
      ...js.configs.recommended.rules,
      eqeqeq: "error",
      "no-implicit-globals": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "all" }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  { files: [MODULES], languageOptions: { globals: globals.browser } },
  { files: [TESTS], languageOptions: { globals: globals.nodeBuiltin } },
  {
    files: [MODULES],
    ignores: ["**/lib/dash.js"],
    rules: {
      "no-restricted-globals": ["error", ...MISTAKEN, ...["globalThis", "self", ...OF_DASH].map((name) => ({ name, message: WHY }))],
      "no-restricted-properties": ["error", ...["window", "globalThis"].flatMap((object) =>
        OF_DASH.map((property) => ({ object, property, message: WHY })))],
    },
  },
];
