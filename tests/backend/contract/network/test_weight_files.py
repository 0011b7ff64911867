"""Files to start from: only below the data roots, and refused at a glance when damaged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from recede.contract.network import weight_files
from recede.contract.network.weight_files import UnusableWeights


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "datasets", tmp_path / "more"
    (first / "mine").mkdir(parents=True)
    second.mkdir()
    return first, second


def write(path: Path) -> Path:
    save_file({"a": np.zeros((2, 3), np.float32), "b": np.ones(4, np.float32)}, path)
    return path


def test_a_path_is_looked_for_below_each_root(roots):
    inner = write(roots[0] / "mine" / "w.safetensors")
    other = write(roots[1] / "v.safetensors")
    assert weight_files.find(roots, "mine/w.safetensors") == inner
    assert weight_files.find(roots, "v.safetensors") == other
    assert weight_files.find(roots, str(inner)) == inner
    weight_files.check(inner)


def test_links_and_dots_may_lead_from_root_to_root(roots):
    other = write(roots[1] / "v.safetensors")
    (roots[0] / "link.safetensors").symlink_to(other)
    assert weight_files.find(roots, "link.safetensors") == other
    assert weight_files.find(roots, "../more/v.safetensors") == other


@pytest.mark.parametrize(
    "given", ["../secret.pt", "mine/../../secret.pt", "ABS", "link.pt", "way/x"]
)
def test_nothing_leads_out_of_the_roots(roots, tmp_path: Path, given: str):
    secret = write(tmp_path / "secret.pt")
    (roots[0] / "link.pt").symlink_to(secret)
    (roots[0] / "way").symlink_to(tmp_path)
    with pytest.raises(UnusableWeights, match="is outside the data roots") as error:
        weight_files.find(roots, str(secret) if given == "ABS" else given)
    assert error.value.field == "init.file"


def test_outside_is_refused_alike_whether_the_file_exists_or_not(roots, tmp_path: Path):
    write(tmp_path / "there.pt")
    said = []
    for name in ("there.pt", "gone.pt"):
        with pytest.raises(UnusableWeights) as error:
            weight_files.find(roots, f"../{name}")
        said.append(error.value.message.replace(name, ""))
    assert said[0] == said[1]


@pytest.mark.parametrize("given", ["none.pt", "mine/none.pt", "a" * 300 + ".pt"])
def test_a_file_that_is_not_there_is_said(roots, given: str):
    with pytest.raises(UnusableWeights, match="no file"):
        weight_files.find(roots, given)


def test_a_loop_of_links_is_refused(roots):
    (roots[0] / "loop.pt").symlink_to(roots[0] / "loop.pt")
    with pytest.raises(UnusableWeights):
        weight_files.find(roots, "loop.pt")


def header(value: object) -> bytes:
    text = json.dumps(value).encode()
    return len(text).to_bytes(8, "little") + text


TENSOR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 bytes"),
        (b"abc", "not a safetensors"),
        (b"\xff" * 64, "not a safetensors"),
        ((20).to_bytes(8, "little") + b"not json, but so long", "not understood"),
        (header([1]), "not understood"),
        (header({"a": 3}), "not understood"),
        (header({"a": {**TENSOR, "data_offsets": None}}), "not understood"),
        (header({}), "no tensors"),
        (header({"__metadata__": {"x": "y"}}), "no tensors"),
        (header({"a": TENSOR}) + bytes(3), "its header says"),
        (header({"a": TENSOR}) + bytes(5), "its header says"),
        (b"[" * 50_000, "not a safetensors"),
        ((40_000).to_bytes(8, "little") + b"[" * 40_000, "not understood"),
    ],
)
def test_damaged_safetensors_are_refused_in_words(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(UnusableWeights, match=words) as error:
        weight_files.check(path)
    assert error.value.hint


def test_every_cut_of_a_good_file_is_noticed(tmp_path: Path):
    whole = write(tmp_path / "w.safetensors").read_bytes()
    for length in range(len(whole)):
        path = tmp_path / "cut.safetensors"
        path.write_bytes(whole[:length])
        with pytest.raises(UnusableWeights):
            weight_files.check(path)


def test_an_archive_without_its_end_is_refused(tmp_path: Path):
    path = tmp_path / "w.pt"
    path.write_bytes(b"PK\x03\x04" + bytes(500))
    with pytest.raises(UnusableWeights, match="end of the archive"):
        weight_files.check(path)


@pytest.mark.parametrize("name", ["w.h5", "w", "w.onnx", "w.tar"])
def test_other_endings_are_refused_with_those_that_are_known(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UnusableWeights, match=r"\.safetensors, \.pt"):
        weight_files.check(tmp_path / name)


def test_folders_pipes_and_giants_are_refused(tmp_path: Path):
    (tmp_path / "folder.pt").mkdir()
    os.mkfifo(tmp_path / "pipe.pt")
    with (tmp_path / "giant.pt").open("wb") as stream:
        stream.truncate(weight_files.MAX_BYTES + 1)
    for name, words in (("folder", "not a file"), ("pipe", "not a file"), ("giant", "at most")):
        with pytest.raises(UnusableWeights, match=words):
            weight_files.check(tmp_path / f"{name}.pt")
