"""The Files tab and the texts to copy."""

from __future__ import annotations

import ast
import json
import shlex

import pytest

from recede.client import (
    DEFAULT_URL,
    CheckpointOut,
    Init,
    RunSpec,
)
from recede_dashboard.pages.run.file_table import proof_in_words
from recede_dashboard.pages.run.files import files, measures
from recede_dashboard.words import snippets
from tests.dashboard import samples
from tests.dashboard.layouts import (
    props,
    text,
    walk,
)

MANIFEST = {
    "ratio": 0.6,
    "accuracy": {
        "test": {"correct": 880, "n": 1000},
        "dense_test": {"correct": 885, "n": 1000},
    },
    "cost": {"params": 90_000, "macs": 2_000_000},
    "dense_cost": {"params": 360_000, "macs": 8_000_000},
    "max_difference": {"cut_vs_masked": 4.8e-7, "file_vs_memory": 0.0},
}


def test_a_pruned_file_says_what_it_is_worth():
    words = text(files([samples.checkpoint(**MANIFEST)], samples.run()))
    assert "60 % of the neurons removed" in words
    assert "88.0 %" in words
    assert "n = 1,000; dense 88.5 %" in words
    assert "25.0 % of 360.0 k" in words
    assert "cut = masked, max |Δ| = 4.8e-07" in words


def test_an_empty_manifest_is_shown_with_dashes():
    card = files([samples.checkpoint()], samples.run())
    assert [value for _, value in measures({})] == ["–"] * 4
    assert proof_in_words({}) == []
    assert text(card).count("–") == 4


def test_the_best_epoch_gets_the_test_accuracy_of_the_run():
    words = text(files([samples.checkpoint("trained", 9)], samples.run()))
    assert "88.5 %" in words
    other = text(files([samples.checkpoint("trained", 10)], samples.run()))
    assert "88.5 %" not in other


def test_pruned_files_come_first():
    cards = files([samples.checkpoint("trained"), samples.checkpoint(**MANIFEST)], samples.run())
    assert text(cards).index("Pruned") < text(cards).index("Trained")


def test_downloads_are_plain_links():
    card = files([samples.checkpoint(**MANIFEST)], samples.run())
    link = props(card, data_testid="download-safetensors-pruned")
    assert type(link).__name__ == "A"
    assert (link.href, link.download) == ("/api/x", "recede-x-e9.safetensors")


def test_without_files_it_is_said_when_they_come():
    assert "from epoch 1 on" in text(files([], samples.run()))


def test_the_whole_hash_can_be_copied():
    card = files([samples.checkpoint()], samples.run())
    hashes = [c.to_plotly_json()["props"].get("data-copy") for c in walk(card)]
    assert "ab" * 32 in hashes


def test_the_loading_snippet_needs_torch_and_safetensors_alone():
    code = snippets.loading(samples.checkpoint())
    imports = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.ImportFrom)]
    assert [node.module for node in imports] == ["safetensors.torch", "recede_x_e9"]
    assert 'load_file("recede-x-e9.safetensors")' in code


def every_format() -> CheckpointOut:
    made = samples.checkpoint(**MANIFEST, needs=["torch"], input={"shape": [1, 8, 8]})
    weights = made.files["safetensors"]
    more = {
        name: weights.model_copy(update={"filename": f"x.{name}", "sha256": name * 8})
        for name in ("zip", "onnx", "pt2", "proof")
    }
    return made.model_copy(update={"files": {**made.files, **more}})


def test_every_file_is_listed_with_its_size_and_its_hash_the_zip_first():
    made = every_format()
    card = files([made], samples.run())
    words = text(card)
    places = [words.index(name) for name in ("ZIP", "weights", "model.py", "ONNX")]
    assert places == sorted(places)
    hashes = {c.to_plotly_json()["props"].get("data-copy") for c in walk(card)}
    assert {file.sha256 for file in made.files.values()} <= hashes
    assert "defines the network; needs only torch" in words


def test_a_network_that_needs_its_library_says_so():
    made = every_format()
    made.manifest["needs"] = ["torch", "timm"]
    assert "needs torch and timm" in text(files([made], samples.run()))


def test_snippets_are_given_for_torch_onnxruntime_and_the_proof():
    made = every_format()
    assert 'network = load("recede-x-e9.safetensors")' in snippets.loading(made)
    assert "from recede_x_e9 import load" in snippets.loading(made)
    code = snippets.loading_onnx(made)
    assert 'InferenceSession("x.onnx")' in code
    assert "(1, 1, 8, 8)" in code
    words = text(files([made], samples.run()))
    assert snippets.verifying(made) == "recede verify x.zip"
    for snippet in (code, "recede verify x.zip"):
        assert snippet in words


def test_the_proof_is_put_in_words():
    found = {"cut_vs_masked": 0.0, "onnx_vs_memory": 2e-6, "onnx_same_top1": 256, "images": 256}
    said = proof_in_words({"max_difference": found})
    assert "ONNX = memory, max |Δ| = 2.0e-06" in said
    assert "ONNX predicts the same class for 256 of 256 images" in said


def test_the_command_line_names_what_differs_from_the_defaults():
    words = shlex.split(snippets.command_line(samples.SPEC, DEFAULT_URL).replace("\\\n", ""))
    assert words[:2] == ["recede", "submit"]
    assert "architecture.width=0.25" in words
    assert "method.lam=0.05" in words
    assert words[words.index("--name") + 1] == "first"
    assert "--epochs" not in words  # ten, as is the default
    assert words[words.index("--batch-size") + 1] == "100"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8417", "https://gpu.example"])
def test_every_command_names_the_service_unless_it_looks_there_by_itself(origin):
    axes = {"seed": [0, 1]}
    for line in (
        snippets.command_line(samples.SPEC, origin),
        snippets.sweep_command_line(samples.SPEC, axes, origin),
    ):
        words = shlex.split(line.replace("\\\n", ""))
        assert words[words.index("--url") + 1] == origin
    for line in (
        snippets.command_line(samples.SPEC, DEFAULT_URL),
        snippets.sweep_command_line(samples.SPEC, axes, DEFAULT_URL),
    ):
        assert "--url" not in line


def test_the_command_line_of_a_training_from_a_run_takes_nothing_over_unsaid():
    spec = samples.SPEC.model_copy(update={"init": Init(run="abc"), "keep_weights_mb": 7})
    words = shlex.split(snippets.command_line(spec, DEFAULT_URL).replace("\\\n", ""))
    for option, value in (("--epochs", "10"), ("--schedule", "step"), ("--keep-weights-mb", "7")):
        assert words[words.index(option) + 1] == value


def test_curl_carries_the_spec():
    words = shlex.split(snippets.curl(samples.SPEC, "http://127.0.0.1:8400").replace("\\\n", ""))
    assert "http://127.0.0.1:8400/api/v1/runs" in words
    assert RunSpec(**json.loads(words[-1])) == samples.SPEC


@pytest.mark.parametrize("name", ["plain", 'it\'s "quoted"'])
def test_the_python_text_submits_the_same_spec(name):
    spec = samples.SPEC.model_copy(update={"name": name, "dataset_params": {"noise": True}})
    tree = ast.parse(snippets.python(spec, "http://127.0.0.1:8400"))
    given = next(ast.literal_eval(n) for n in ast.walk(tree) if isinstance(n, ast.Dict))
    assert RunSpec(**given) == spec
