/** What the tests use of node; its own types would give timers of the browser another type. */
declare module "node:assert/strict";
declare module "node:fs";
declare module "node:readline";
declare module "node:test";
declare module "node:url";
declare const process: any;
