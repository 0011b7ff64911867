"""Numbers in words: what a person reads, in Python and in the browser alike."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from recede_dashboard.words import numbers as say

SCRIPT = Path(say.__file__).parents[1] / "assets" / "js" / "format.js"


@pytest.mark.parametrize(
    ("share", "n", "words"),
    [(0.5, 60, "50 %"), (0.9722, 360, "97.2 %"), (0.9128, 10_000, "91.28 %"), (1, 1, "100 %")],
)
def test_a_percentage_has_the_digits_that_its_images_deserve(share, n, words):
    assert say.percent(share, n) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.6, "1 min 00 s"),
        (161, "2 min 41 s"),
        (3_725, "1 h 02 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_duration_is_told_in_two_units(seconds, words):
    assert say.duration(seconds) == words


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [(0, "0 MB"), (999, "999 B"), (2_048, "2.0 kB"), (24_600_000, "25 MB"), (1.7e8, "170 MB")],
)
def test_sizes_are_decimal(n_bytes, words):
    assert say.size(n_bytes) == words


@pytest.mark.parametrize(
    ("n", "words"), [(7, "7"), (577_000, "577 k"), (9_586_000, "9.59 M"), (313.2e6, "313 M")]
)
def test_large_counts_have_three_figures(n, words):
    assert say.short_count(n) == words


def test_a_missing_accuracy_is_a_dash():
    assert say.accuracy(None) == say.counted(None) == say.counted({"n": 0}) == "–"


def in_node(expression: str):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; the browser tests run this script too")
    code = f"""global.window = {{}}; require({json.dumps(str(SCRIPT))});
        const f = window.recede.format; console.log(JSON.stringify({expression}))"""
    return json.loads(subprocess.run([node, "-e", code], capture_output=True, check=True).stdout)


def test_browser_and_server_say_numbers_alike():
    cases = [[0.5, 60], [0.9722, 360], [0.9128, 10_000], [0.88, 5999]]
    seconds = [0, 44.5001, 59.6, 161, 3599.7, 3_725, 90_000]
    sizes = [0, 999, 2_048, 9_990_000, 24_600_000, 5e9]
    got = in_node(
        f"[{json.dumps(cases)}.map(([s, n]) => f.percent(s, n)),"
        f" {json.dumps(seconds)}.map(f.duration), {json.dumps(sizes)}.map(f.bytes)]"
    )
    assert got == [
        [say.percent(s, n) for s, n in cases],
        [say.duration(s) for s in seconds],
        [say.size(int(s)) for s in sizes],
    ]


@pytest.mark.parametrize(
    ("run", "key", "words"),
    [
        ({"state": "running", "stalled_s": 40, "epochs_done": 17}, "stalled", "Stalled 40 s"),
        ({"state": "queued", "queue_position": 1}, "queued", "2nd in queue"),
        ({"state": "queued", "queue_position": 10}, "queued", "11th in queue"),
        ({"state": "running", "cancel_requested_at": 3}, "cancelling", "Cancelling…"),
        ({"state": "cancelled", "cancel_requested_at": 3}, "cancelled", "Cancelled"),
        ({"state": "succeeded"}, "succeeded", "Finished"),
    ],
)
def test_states_are_told_in_words(run, key, words):
    told = in_node(f"f.state({json.dumps(run)})")
    assert (told["key"], told["text"]) == (key, words)


def test_progress_counts_the_batches_of_the_present_epoch():
    run = {
        "state": "running",
        "epochs_done": 2,
        "spec": {"epochs": 4},
        "progress": {"epoch": 3, "batch": 5, "batches": 10},
    }
    assert in_node(f"f.done({json.dumps(run)})") == 0.625


@pytest.mark.parametrize(
    ("place", "said"), [(0, "1st"), (1, "2nd"), (2, "3rd"), (3, "4th"), (10, "11th"), (21, "22nd")]
)
def test_places_in_the_queue_are_counted_from_the_first(place, said):
    assert say.ordinal(place) == said
