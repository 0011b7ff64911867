"""`recede bench`: every format is timed, and nothing of a stranger is run for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from recede.contract.schemas import BenchBody
from recede_worker.programs.bench_files import Asked, bench
from tests.worker.engine.checkpoint_files import folder, pruned
from tests.worker.engine.verification.test_verify import EVIL, copy, rewritten

__all__ = ["copy", "folder", "pruned"]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def timed(capsys):
    """The answer of the program about a path."""

    def run(path: Path, **options: Any) -> dict[str, Any]:
        asked = Asked(**{"batches": (1,), "threads": 1, "providers": ("cpu",), **options})
        code = bench(path, asked)
        answer: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert code == (0 if answer["ok"] else 1)
        return answer

    return run


def test_every_format_of_a_folder_is_timed_in_rows_that_the_service_takes(folder, timed):
    answer = timed(folder, batches=(1, 2), name="a board")
    manifest = json.loads((folder / "manifest.json").read_text())
    files = ["model.safetensors", "model.pt2", "model.onnx", "model-int8.onnx"]
    assert [report["file"] for report in answer["reports"]] == files
    assert answer["skipped"] == {}
    for report in answer["reports"]:
        rows = BenchBody.model_validate(report).rows
        assert report["sha256"] == manifest["files"][report["file"]]["sha256"]
        assert [(row.batch, row.device, row.threads) for row in rows] == [
            (1, "a board", 1), (2, "a board", 1),
        ]  # fmt: skip
        assert all(0 < row.median_ms <= row.p95_ms for row in rows)
    assert [report["rows"][0]["runtime"] for report in answer["reports"]] == [
        *("torch", "torch", "onnxruntime", "onnxruntime")
    ]


@pytest.mark.parametrize(
    ("name", "file"),
    [("model.py", "model.safetensors"), ("model.pt2", "model.pt2"), ("model-int8.onnx",) * 2],
)
def test_one_file_is_timed_alone(folder, timed, name, file):
    assert [report["file"] for report in timed(folder / name)["reports"]] == [file]


def test_the_code_of_a_stranger_is_not_run_to_time_it(copy, tmp_path, monkeypatch, timed):
    path = copy / "model.py"
    path.write_text(EVIL + path.read_text())
    rewritten(copy, path.name)
    monkeypatch.chdir(tmp_path)
    answer = timed(path)
    assert not answer["ok"]
    assert "more than layers" in answer["skipped"]["model.safetensors"]
    assert not (tmp_path / "harm").exists()
    assert timed(path, trust=True)["ok"]
    assert (tmp_path / "harm").exists()


def test_a_program_that_is_more_than_data_is_not_read(copy, timed, monkeypatch):
    monkeypatch.setattr(
        "recede_worker.programs.bench_files.safe_program.why_not", lambda _: "it calls 'os'"
    )
    answer = timed(copy / "model.pt2")
    assert "it calls 'os'" in answer["skipped"]["model.pt2"]
    assert timed(copy / "model.pt2", trust=True)["ok"]


def test_an_altered_file_is_refused(copy, timed):
    path = copy / "model.onnx"
    path.write_bytes(path.read_bytes() + b"x")
    assert "cut off" in timed(path)["error"]["message"]


def test_a_pickle_and_a_file_that_is_no_network_are_refused(copy, timed):
    torch.save({}, copy / "x.pt")
    assert "pickle" in timed(copy / "x.pt")["error"]["message"]
    assert "no network" in timed(copy / "proof.safetensors")["error"]["message"]


def test_a_model_without_its_weights_is_refused(copy, timed):
    (copy / "model.safetensors").unlink()
    assert "not beside it" in timed(copy / "model.py")["error"]["message"]


def test_a_damaged_network_costs_only_its_own_rows(copy, timed):
    path = copy / "model.onnx"
    path.write_bytes(b"no network")
    rewritten(copy, path.name)
    answer = timed(copy)
    assert answer["ok"]
    assert "cannot open model.onnx" in answer["skipped"]["model.onnx"]
    assert len(answer["reports"]) == 3


def test_a_device_that_is_not_here_is_said(folder, timed):
    answer = timed(folder / "model.pt2", providers=("abacus",))
    assert "torch has cpu" in answer["skipped"]["model.pt2"]
