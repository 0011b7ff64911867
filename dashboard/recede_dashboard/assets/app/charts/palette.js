/** Colours of the scheme for drawings. */

/** The theme's colours as the canvas needs them, read once for each scheme. @param {Element} node */
export function palette(node) {
  const style = getComputedStyle(node);
  /** @param {string} name @param {string} fallback */
  const read = (name, fallback) => style.getPropertyValue(`--rc-${name}`).trim() || fallback;
  return {
    ink: read("ink", "#1a1f24"), muted: read("muted", "#636b73"), line: read("line", "#e3dfd6"),
    surface: read("surface", "#ffffff"), raised: read("raised", "#fbfaf7"),
    kept: read("kept", "#0e6b82"), gap: read("good", "#2c7a4b"), cut: read("cut", "#c8701a"), focus: read("focus", "#0e6b82"),
    font: style.fontFamily,
  };
}
