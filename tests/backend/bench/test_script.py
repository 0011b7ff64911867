"""The script for other devices: it runs with onnxruntime and numpy alone, and sends its rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recede.bench import onnx_latency
from tests.backend.bench.onnx_files import add_cut, network

BLOCKED = """
import runpy, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"recede", "recede_worker", "torch", "httpx", "onnx", *%s}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def script(recede, tmp_path) -> Path:
    """As it is downloaded from the service."""
    path = tmp_path / "recede_bench.py"
    path.write_text(recede.bench_script())
    return path


def alone(script: Path, *arguments: object, also_without: tuple[str, ...] = ()):
    """Run it where neither Recede nor torch can be imported."""
    return subprocess.run(
        [sys.executable, "-I", "-c", BLOCKED % list(also_without), script, *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=script.parent,
    )  # fmt: skip


def test_it_times_a_file_without_recede_and_torch(script, tmp_path):
    digest = network(tmp_path / "x.onnx")
    done = alone(script, "x.onnx", "--batch", 1, "--batch", 3, "--threads", 1, "--json",
                 "--name", "a board")  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["sha256"], found["file"]) == (digest, "x.onnx")
    assert [row["batch"] for row in found["rows"]] == [1, 3]
    for row in found["rows"]:
        assert (row["device"], row["threads"], row["runtime"]) == ("a board", 1, "onnxruntime")
        assert row["provider"] == "CPUExecutionProvider"
        assert 0 < row["median_ms"] <= row["p95_ms"]
        assert row["n"] == onnx_latency.PASSES


def test_its_rows_appear_at_the_checkpoint(script, live, store, recede, finished, tmp_path):
    checkpoint = add_cut(store, finished.id, network(tmp_path / "x.onnx"), 0.5)
    done = alone(script, "x.onnx", "--to", live, "--token", "t")
    assert done.returncode == 0, done.stderr
    assert "95 % under" in done.stdout
    assert f"{checkpoint} of run {finished.id}" in done.stderr
    benches = recede.checkpoint(checkpoint).benches
    assert [(one.format, one.batch) for one in benches] == [("onnx", 1), ("onnx", 64)]


def test_the_service_refuses_in_its_words(script, live, tmp_path):
    network(tmp_path / "x.onnx")
    done = alone(script, "x.onnx", "--to", live)
    assert done.returncode == 1
    assert "No checkpoint has a network file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "without", "words"),
    [
        (["nothing.onnx"], (), "There is no file nothing.onnx"),
        (["recede_bench.py"], (), "onnxruntime cannot open recede_bench.py"),
        (["fixed.onnx", "--batch", "2"], (), "ask for --batch 1"),
        (["fixed.onnx", "--provider", "tpu"], (), "no provider 'tpu' here; there is: cpu"),
        (["fixed.onnx", "--batch", "1", "--to", "ftp://x"], (), "http or https"),
        (["fixed.onnx", "--batch", "1", "--to", "http://127.0.0.1:9"], (), "does not answer"),
        (["fixed.onnx"], ("onnxruntime",), "onnxruntime is not installed"),
    ],
)
def test_what_cannot_be_timed_or_sent_is_said(script, tmp_path, arguments, without, words):
    network(tmp_path / "fixed.onnx", batch=1)
    done = alone(script, *arguments, also_without=without)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_goes_along_as_a_bearer(monkeypatch):
    sent = []

    def answers(request, timeout):
        sent.append(request)
        raise OSError("away")

    monkeypatch.setattr(onnx_latency.urllib.request, "urlopen", answers)
    for token in ("secret", ""):
        with pytest.raises(onnx_latency.Refused, match="away"):
            onnx_latency.send({"rows": []}, "http://x/", token)
    assert [one.get_header("Authorization") for one in sent] == ["Bearer secret", None]
    assert sent[0].full_url == "http://x/api/v1/benches"


def test_at_least_ten_passes_are_timed_however_long_they_take():
    moments = iter(range(0, 10_000, 100))
    times_ms = onnx_latency.timed(lambda: None, clock=lambda: next(moments))
    assert len(times_ms) == onnx_latency.LEAST
    assert set(times_ms) == {100_000.0}
