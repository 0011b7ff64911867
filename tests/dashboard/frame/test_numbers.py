"""Numbers as text, by the examples that the browser's formatter satisfies too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recede_dashboard.words import numbers

TABLE = Path(__file__).parents[2] / "js" / "format_cases.json"
CASES = json.loads(TABLE.read_text("utf-8"))
NAMES = {"bytes": "size"}
"""Names in Python where they differ: `bytes` is a builtin."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['fn']}({case['args']})")
def test_python_formats_as_the_shared_table_says(case):
    assert getattr(numbers, NAMES.get(case["fn"], case["fn"]))(*case["args"]) == case["expect"]


def test_the_table_covers_every_shared_format():
    assert {case["fn"] for case in CASES} == {
        *("integer", "compact", "decimals", "percent", "interval", "points", "share"),
        *("threshold", "bytes", "duration", "ordinal", "plural"),
    }


def test_a_missing_accuracy_is_a_dash():
    missing = [
        numbers.accuracy(None),
        numbers.manifest_accuracy(None),
        numbers.manifest_accuracy({"n": 0}),
    ]
    assert missing == [numbers.NOTHING] * len(missing)


@pytest.mark.parametrize(
    ("value", "words"), [(0.6, "60 %"), (0.125, "12.5 %"), (1 / 3, "33.33 %"), (1, "100 %")]
)
def test_a_chosen_share_has_no_zeros_at_its_end(value, words):
    assert numbers.short_share(value).replace(numbers.THIN, " ") == words
