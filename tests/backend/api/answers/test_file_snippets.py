"""How the files of a checkpoint are loaded and verified."""

from __future__ import annotations

import ast
from pathlib import Path

from recede.api.answers.snippets.checkpoints import file_snippets
from recede.client import CheckpointOut, FileOut

README = Path(__file__).parents[4] / "README.md"


def checkpoint(*formats: str, stem: str = "recede-x-e9", **manifest) -> CheckpointOut:
    names = {"safetensors": f"{stem}.safetensors", "python": f"{stem.replace('-', '_')}.py"}
    files = {
        name: FileOut(
            size_bytes=1, sha256="0", url="/", filename=names.get(name, f"{stem}.{name}")
        )
        for name in ("safetensors", "python", *formats)
    }
    return CheckpointOut(
        id="ck",
        run_id="x",
        kind="pruned",
        epoch=9,
        created_at=0,
        size_bytes=1,
        sha256="0",
        formats=list(files),
        files=files,
        manifest=manifest,
    )


def code(made: CheckpointOut) -> dict[str, str]:
    return {snippet.name: snippet.code for snippet in file_snippets(made)}


def test_old_files_are_loaded_with_torch_and_safetensors_alone():
    (found,) = code(checkpoint()).values()
    imports = [n for n in ast.walk(ast.parse(found)) if isinstance(n, ast.ImportFrom)]
    assert [node.module for node in imports] == ["safetensors.torch", "recede_x_e9"]
    assert 'load_file("recede-x-e9.safetensors")' in found


def test_there_is_one_for_torch_for_onnxruntime_and_for_the_proof():
    made = checkpoint("onnx", "proof", "zip", needs=["torch"], input={"shape": [1, 8, 8]})
    found = code(made)
    assert list(found) == ["torch", "onnx", "verify"]
    assert found["torch"] == (
        'from recede_x_e9 import load\n\nnetwork = load("recede-x-e9.safetensors")'
    )
    assert 'InferenceSession("recede-x-e9.onnx")' in found["onnx"]
    assert "(1, 1, 8, 8)" in found["onnx"]
    assert found["verify"] == "recede verify recede-x-e9.zip"


def test_the_int8_file_is_loaded_like_the_float_one():
    found = code(checkpoint("onnx", "int8", input={"shape": [1, 8, 8]}))
    assert list(found) == ["torch", "onnx", "int8"]
    assert found["int8"] == found["onnx"].replace("recede-x-e9.onnx", "recede-x-e9.int8")


def test_the_readme_loads_a_file_as_the_snippet_does():
    made = checkpoint(stem="recede-m7er8kph-pruned-e4-r55", needs=["torch"])
    readme = README.read_text(encoding="utf-8")
    for line in code(made)["torch"].splitlines():
        assert line in readme


def test_a_checkpoint_comes_with_its_snippets(recede, finished):
    made = recede.checkpoint(finished.weights)
    assert made.snippets == file_snippets(made)
    assert made.files["safetensors"].filename in made.snippets[0].code
