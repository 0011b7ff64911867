/** Building DOM for Explore: elements, segmented switches, colours of the theme. */
(function () {
  "use strict";
  const explore = ((window.recede = window.recede || {}).explore = window.recede.explore || {});
  const SVG = "http://www.w3.org/2000/svg";

  function fill(node, props, children) {
    for (const [name, value] of Object.entries(props)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name === "text") node.textContent = value;
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return node;
  }

  /** An HTML element; `onclick` and the like listen, `text` is its text, the rest attributes. */
  const h = (tag, props = {}, ...children) => fill(document.createElement(tag), props, children);

  /** The same for SVG. */
  const svg = (tag, props = {}, ...children) =>
    fill(document.createElementNS(SVG, tag), props, children);

  /** An icon that is drawn by CSS (theme masks --i-NAME or ours --rx-NAME). */
  const icon = (name) => h("span", { class: `rx-icon rx-icon-${name}`, "aria-hidden": "true" });

  /** `id` and `data-testid` in one. */
  const named = (id) => ({ id, "data-testid": id });

  /** Write text only where it changed, so that a drag touches few nodes. */
  function say(node, text) {
    if (node.firstChild?.nodeType === Node.TEXT_NODE && !node.firstChild.nextSibling) {
      if (node.firstChild.data !== text) node.firstChild.data = text;
    } else if (node.textContent !== text) node.textContent = text;
  }

  /** Set attributes only where they changed; null removes. */
  function mark(node, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) {
        if (node.hasAttribute(name)) node.removeAttribute(name);
      } else {
        const text = value === true ? "" : String(value);
        if (node.getAttribute(name) !== text) node.setAttribute(name, text);
      }
    }
  }

  /**
   * A segmented switch (radio group with arrow keys).
   * @param {{id: string, label: string, options: [string, string, string][], pick: Function}} spec
   *   options: value, text, explanation
   */
  function segmented({ id, label, options, pick }) {
    const buttons = options.map(([value, text, title]) =>
      h("button", {
        type: "button", role: "radio", class: "rx-seg", "data-value": value, title, text,
        onclick: () => pick(value),
      }));
    const node = h("div", { ...named(id), class: "rx-segs", role: "radiogroup", "aria-label": label }, buttons);
    node.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const at = buttons.findIndex((button) => button.getAttribute("aria-checked") === "true");
      const next = buttons[(at + step + buttons.length) % buttons.length];
      if (next.disabled) return;
      pick(next.dataset.value);
      next.focus();
    });
    const show = (value) => {
      mark(node, { "data-value": value });
      for (const button of buttons) {
        const on = button.dataset.value === value;
        mark(button, { "aria-checked": String(on), tabindex: on ? 0 : -1 });
      }
    };
    return { node, show, buttons };
  }

  /**
   * A choice of one as a drop-down: the same spec as `segmented`, in less room.
   * Returns {node, show}.
   */
  function select({ id, label, options, pick }) {
    const node = h("select", { ...named(id), class: "rx-pick", "aria-label": label, onchange: () => pick(node.value) },
      options.map(([value, text, title]) => h("option", { value, text, title })));
    const show = (value) => {
      mark(node, { "data-value": value });
      if (node.value !== value) node.value = value;
    };
    return { node, show };
  }

  /** The theme's colours as the canvas needs them, read once for each scheme. */
  function palette(node) {
    const style = getComputedStyle(node);
    const read = (name, fallback) => style.getPropertyValue(`--rc-${name}`).trim() || fallback;
    return {
      ink: read("ink", "#1a1f24"), muted: read("muted", "#636b73"), line: read("line", "#e3dfd6"),
      surface: read("surface", "#ffffff"), raised: read("raised", "#fbfaf7"),
      kept: read("kept", "#0e6b82"), gap: read("good", "#2c7a4b"), cut: read("cut", "#c8701a"), focus: read("focus", "#0e6b82"),
      font: style.fontFamily,
    };
  }

  explore.dom = { h, svg, icon, named, say, mark, segmented, select, palette };
})();
