// What the scripts find around them: a window that they share, and node's module in tests.

declare var window: any;
declare var module: { exports: any };
