"""The state and progress of a run in words, as the browser has them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from recede_dashboard.words import numbers

SCRIPT = Path(numbers.__file__).parents[1] / "assets" / "js" / "format.js"


def in_node(expression: str):
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; the browser tests run this script too")
    code = f"""global.window = {{}}; require({json.dumps(str(SCRIPT))});
        const f = window.recede.format; console.log(JSON.stringify({expression}))"""
    return json.loads(subprocess.run([node, "-e", code], capture_output=True, check=True).stdout)


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
def test_states_are_said_in_words(run, key, words):
    found = in_node(f"f.state({json.dumps(run)})")
    assert (found["key"], found["text"]) == (key, words)


def test_progress_counts_the_batches_of_the_present_epoch():
    run = {
        "state": "running",
        "epochs_done": 2,
        "spec": {"epochs": 4},
        "progress": {"epoch": 3, "batch": 5, "batches": 10},
    }
    assert in_node(f"f.done({json.dumps(run)})") == 0.625
