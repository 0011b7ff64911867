// The glossary on its own, on node: every term whole, every label claimed by one term alone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { findTerm as find, glossary } from "../../dashboard/recede_dashboard/assets/app/shell/terms/glossary.js";

const terms = Object.entries(glossary);

test("every term has a title, a meaning, a formula and a source", () => {
  assert.ok(terms.length > 30);
  for (const [name, term] of terms) {
    for (const part of ["title", "text", "formula", "source"]) {
      assert.equal(typeof term[part], "string", `${name}.${part}`);
      assert.ok(term[part].length > 3, `${name}.${part}`);
    }
    assert.ok(Array.isArray(term.labels), name);
  }
});

test("a label belongs to one term", () => {
  const fits = (label, text) => (typeof label === "string" ? label === text : label.test(text));
  const plain = terms.flatMap(([name, { labels }]) =>
    labels.filter((label) => typeof label === "string").map((label) => [label, name]));
  for (const [label, name] of plain) {
    assert.equal(find(label), name, label);
    const claimed = terms.filter(([, { labels }]) => labels.some((one) => fits(one, label)));
    assert.deepEqual(claimed.map(([other]) => other), [name], label);
  }
});

test("words that only contain a term are no labels", () => {
  for (const words of ["", "Layers", "Network", "macs", "Thresholds", "Learning", "My epoch run", "Epoch run"]) {
    assert.equal(find(words), undefined, words);
  }
  assert.equal(find("Epoch 3 of 160"), "epoch");
  assert.equal(find("measured, n = 6,000"), "measured");
  assert.equal(find("method_params.lam"), "lambda");
});
