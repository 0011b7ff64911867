/** The keys of Explore, as the dialog of keys lists them; explore/frame/keys.js listens to them. */

export const EXPLORE_KEYS = [
  { keys: ["←", "→"], what: "Move the threshold (on the line); with Shift in larger steps" },
  { keys: ["[", "]"], what: "Previous or next epoch" },
  { keys: ["Space"], what: "Play or pause the epochs" },
  { keys: ["v"], what: "Next view; with Shift the previous one" },
  { keys: ["b"], what: "More room for the views, or less" },
  { keys: ["l"], what: "Jump to the lossless cut" },
  { keys: ["g"], what: "Jump to the natural gap" },
  { keys: ["m"], what: "Measure this cut" },
  { keys: ["Ctrl", "Z"], what: "Undo the last change of the cut; with Shift, or Ctrl Y, redo it" },
  { keys: ["p"], what: "Plans: save or apply one" },
  { keys: ["a"], what: "Enter a target: MACs, size, accuracy, latency" },
  { keys: [",", "."], what: "Select the previous or next layer" },
  { keys: ["k"], what: "Lock or unlock the selected layer" },
  { keys: ["o"], what: "Enter a ratio for the selected layer, or the first" },
];

