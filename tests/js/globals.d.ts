/** What the browser's modules find beyond the DOM's own types; each page of Dash puts it there. */

import type { LiveEvent } from "../../dashboard/recede_dashboard/assets/app/api/types.js";

declare global {
  /** Dash's own functions for callbacks in the browser. */
  interface DashClientside {
    set_props(id: string, props: object): void;
    no_update: unknown;
    [namespace: string]: any;
  }

  interface Window {
    dash_clientside: DashClientside;
    /** plotly.js, as dcc.Graph loads it. */
    Plotly: any;
    React: any;
  }

  interface RecedeEvents {
    "recede:event": CustomEvent<LiveEvent>;
    "recede:online": CustomEvent<{ back: boolean }>;
    "recede:offline": CustomEvent<{ back: boolean }>;
    "recede:scheme": CustomEvent<{ scheme: "light" | "dark" }>;
  }
  interface DocumentEventMap extends RecedeEvents {}
  interface WindowEventMap extends RecedeEvents {}

  // To look for what cannot be there is no mistake: the answer is that it is not.
  interface Array<T> {
    includes(searchElement: unknown, fromIndex?: number): boolean;
  }
  interface Map<K, V> {
    get(key: unknown): V | undefined;
    has(key: unknown): boolean;
  }

  // What our modules look up on a page is HTML.
  interface ParentNode {
    querySelector(selectors: string): HTMLElement | null;
    querySelectorAll(selectors: string): NodeListOf<HTMLElement>;
  }
  interface Element {
    closest(selectors: string): HTMLElement | null;
  }
  interface EventTarget {
    /** Of elements; the document and the window have none. */
    closest?(selectors: string): HTMLElement | null;
  }

  // The DOM writes numbers as text.
  interface URLSearchParams {
    set(name: string, value: string | number): void;
  }
  interface CSSStyleDeclaration {
    setProperty(property: string, value: string | number | null, priority?: string): void;
  }
}
