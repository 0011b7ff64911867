"""`recede verify`: what proves a checkpoint, and everything that it refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file

from recede.cli.files.verify import _verdict
from recede_worker.engine.verification import safe_program
from recede_worker.engine.verification.archive import Unverifiable, open_archive
from recede_worker.engine.verification.safe_source import why_not
from recede_worker.engine.verification.verify import Check, verified
from recede_worker.programs.verify_files import prove
from tests.worker.engine.checkpoint_files import folder, pruned

__all__ = ["folder", "pruned"]


def checks(path: Path, *, trust: bool = False) -> dict[str, Check]:
    with open_archive(path) as found:
        return {check.what: check for check in verified(found, trust=trust)}


def failed(path: Path, **options: bool) -> dict[str, str]:
    return {c.what: c.detail for c in checks(path, **options).values() if c.state == "failed"}


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """A copy of the files to do harm to."""
    target = tmp_path / "copy"
    shutil.copytree(folder, target)
    return target


def rewritten(copy: Path, name: str) -> None:
    """Make the manifest agree with a file that was altered, as a forger would."""
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    data = (copy / name).read_bytes()
    entry = {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest["files"][name] = entry
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["", "all.zip", "model.safetensors", "manifest.json"])
def test_whole_files_are_proved_without_trust(folder, name):
    found = checks(folder / name)
    assert {check.state for check in found.values()} == {"ok"}
    assert sum("= masked network" in what for what in found) == 3


def test_downloads_under_other_names_are_known_by_their_bytes(copy):
    for old, new in (("model.onnx", "recede-x.onnx"), ("manifest.json", "recede-x.json")):
        (copy / old).rename(copy / new)
    assert not failed(copy / "recede-x.onnx")


def test_one_altered_byte_is_found(copy):
    path = copy / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert "altered" in failed(copy)["model.safetensors: bytes"]


def test_a_truncated_file_is_found(copy):
    path = copy / "model.onnx"
    path.write_bytes(path.read_bytes()[:-100])
    assert "cut off" in failed(copy)["model.onnx: bytes"]


def test_weights_that_compute_something_else_are_found_although_the_sums_agree(copy):
    path = copy / "model.safetensors"
    weights = load_file(path)
    weights["classifier.bias"][0] += 1e-3
    save_file(weights, path)
    rewritten(copy, path.name)
    assert set(failed(copy)) == {"model.py + weights = masked network, float64"}


def test_weights_of_another_network_are_refused_by_name_and_shape(copy):
    path = copy / "model.safetensors"
    weights = load_file(path)
    weights["features.0.weight"] = torch.zeros(3, 3)
    save_file(weights, path)
    rewritten(copy, path.name)
    said = failed(copy)["model.py"]
    assert "another network" in said
    assert "features.0.weight is (3, 3), not (" in said


def test_an_int8_file_of_another_function_is_found_although_the_sums_agree(copy):
    path = copy / "model-int8.onnx"
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.name == "classifier.bias_quantized":
            moved = onnx.numpy_helper.to_array(tensor) + 100_000
            tensor.CopyFrom(onnx.numpy_helper.from_array(moved, tensor.name))
    onnx.save(model, path)
    rewritten(copy, path.name)
    assert set(failed(copy)) == {"model-int8.onnx ≈ masked network"}


def test_the_int8_file_is_held_to_what_was_measured(copy):
    found = checks(copy)["model-int8.onnx ≈ masked network"]
    assert found.state == "ok"
    assert "when it was written" in found.detail
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text())
    for given in ({}, {"compared": {"largest_difference": float("nan")}}, {"compared": "much"}):
        path.write_text(json.dumps({**manifest, "int8": given}))
        assert checks(copy)["model-int8.onnx ≈ masked network"].state == "skipped"


def test_an_int8_file_alone_is_no_proof_of_the_cut(copy, capsys):
    kept = ("manifest.json", "model-int8.onnx", "proof.safetensors")
    for path in copy.iterdir():
        if path.name not in kept:
            path.unlink()
    assert prove(copy, trust=False) == 1
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["ok"], answer["wrong"]) == (False, False)
    assert "no float file was computed" in _verdict(answer)[0]


EVIL = "import os\nos.mkdir('harm')\n"


def test_the_code_of_a_stranger_is_not_run(copy, tmp_path, monkeypatch):
    path = copy / "model.py"
    path.write_text(EVIL + path.read_text())
    rewritten(copy, path.name)
    monkeypatch.chdir(tmp_path)
    found = checks(copy)
    assert found["model.py"].state == "skipped"
    assert "--trust" in found["model.py"].detail
    assert not (tmp_path / "harm").exists()
    assert checks(copy, trust=True)["model.py"].state == "ok"
    assert (tmp_path / "harm").exists()


NETWORK = "import torch\nfrom torch import nn\nclass A(nn.Module):\n    def forward(self, x):\n"


@pytest.mark.parametrize(
    "line",
    [
        "open('x')",
        "__import__('os')",
        "torch.hub.load('a', 'b')",
        "torch.load('x')",
        "torch.from_file('x')",
        "torch.ops.aten.from_file('x')",
        "nn.functional.torch.hub",
        "nn.modules",
        "(lambda: 1)()",
        "x.numpy().tofile('x')",
        "self.__class__",
        "self.forward.__globals__['os']",
        "().__class__.__bases__",
        "self.g.gi_frame.f_builtins['exec']",
        "getattr(self, 'for' + 'ward')",
        "getattr(self, '__class__')",
        "exec('1')",
        "print(x)",
        "super().__getattribute__('x')",
    ],
)
def test_a_source_that_is_more_than_layers_is_seen_through(line):
    assert why_not(f"{NETWORK}        {line}\n") is not None


@pytest.mark.parametrize(
    "line", ["t = torch", "f = nn.functional", "g = getattr", "torch.load = len", "len = 3"]
)
def test_a_source_cannot_give_names_another_meaning(line):
    assert why_not(f"{NETWORK}        {line}\n        return x\n") is not None


@pytest.mark.parametrize("extra", ["x = 3\n", "for i in range(3):\n    pass\n", "build()\n"])
def test_a_source_does_nothing_when_it_is_read(extra):
    assert why_not(f"{NETWORK}        return x\n{extra}") is not None


def test_a_program_with_a_pickle_or_with_code_is_not_read(folder, tmp_path):
    def altered(change: Callable[[str, bytes], bytes], extra: str = "") -> str | None:
        target = tmp_path / "x.pt2"
        with zipfile.ZipFile(folder / "model.pt2") as old, zipfile.ZipFile(target, "w") as new:
            for name in old.namelist():
                new.writestr(name, change(name, old.read(name)))
            if extra:
                new.writestr(extra, b"")
        return safe_program.why_not(target)

    assert altered(lambda _, data: data) is None
    assert "holds" in str(altered(lambda _, data: data, extra="model/data/aotinductor/a.so"))
    swap = (b'"use_pickle": false', b'"use_pickle": true')
    assert "pickle" in str(altered(lambda _, data: data.replace(*swap)))
    target = (b"torch.ops.aten.relu_.default", b"torch.hub.load_state_dict_from_url")
    assert "calls" in str(altered(lambda _, data: data.replace(*target)))
    guards = (b'"guards_code": []', b'"guards_code": ["print(1)"]')
    assert "guards" in str(altered(lambda _, data: data.replace(*guards)))


@pytest.mark.parametrize("name", ["x.pt", "x.pth", "x.bin", "x.ckpt", "x.pkl"])
def test_a_pickle_is_never_opened(tmp_path, name):
    torch.save({"a": torch.zeros(1)}, tmp_path / name)
    with pytest.raises(Unverifiable, match="pickle"), open_archive(tmp_path / name):
        pass


def archive(path: Path, files: dict[str, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("files", "options", "words"),
    [
        ({"../harm": b""}, {}, "outside"),
        ({"/harm": b""}, {}, "outside"),
        ({"a/b": b""}, {}, "outside"),
        ({"archive/data.pkl": b""}, {}, "pickle"),
        ({"a": bytes(2**25)}, {"compression": zipfile.ZIP_DEFLATED}, "bomb"),
        ({f"f{i}": b"" for i in range(100)}, {}, "100 files"),
        ({"a": b""}, {}, "no manifest.json"),
        ({"manifest.json": b"{}"}, {}, "not a manifest of Recede"),
        ({"manifest.json": b'{"format": "recede/1", "files": {"../x": {}}}'}, {}, "plain file"),
    ],
)
def test_a_zip_that_recede_does_not_write_is_refused(tmp_path, files, options, words):
    path = archive(tmp_path / "x.zip", files, **options)
    before = sorted(tmp_path.parent.rglob("*"))
    with pytest.raises(Unverifiable, match=words), open_archive(path):
        pass
    assert sorted(tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize("keep", [0, 10, 5000, -3])
def test_a_zip_that_was_cut_off_is_refused(folder, tmp_path, keep):
    path = tmp_path / "x.zip"
    path.write_bytes((folder / "all.zip").read_bytes()[:keep])
    with pytest.raises(Unverifiable, match="cut off"), open_archive(path):
        pass


def test_what_is_not_there_or_has_no_manifest_is_said(tmp_path, capsys):
    assert prove(tmp_path / "nothing", trust=False) == 1
    assert "There is no" in capsys.readouterr().out
    assert prove(tmp_path, trust=False) == 1
    assert "no manifest" in capsys.readouterr().out


def test_bytes_alone_are_no_proof(copy, capsys):
    for path in copy.iterdir():
        if path.name not in ("manifest.json", "model.safetensors"):
            path.unlink()
    assert prove(copy, trust=False) == 1
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert not answer["ok"]
    assert not answer["wrong"]
