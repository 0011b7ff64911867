"""The Files tab."""

from __future__ import annotations

from typing import Any

from recede.client import (
    BenchOut,
    CheckpointOut,
    FileSnippet,
)
from recede_dashboard.pages.run.checkpoints.tab import files, measures
from recede_dashboard.pages.run.checkpoints.table import proof_in_words
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


def test_the_snippets_of_a_checkpoint_are_shown_under_their_labels():
    code = 'network = load("x.safetensors")'
    snippet = FileSnippet(name="torch", label="Load it", code=code)
    made = every_format().model_copy(update={"snippets": [snippet]})
    words = text(files([made], samples.run()))
    assert "Load it" in words
    assert code in words


def int8_manifest(**more: Any) -> dict[str, Any]:
    timed = {"n": 50, "device": "A CPU", "threads": 2, "busy": False}
    rows = [
        {
            "network": name,
            "correct": correct,
            "n": 1000,
            "low": 0.8,
            "high": 0.9,
            "size_bytes": size,
            "latency": [
                {"batch": batch, "median_ms": 1.25 * batch, "p95_ms": 2.5 * batch, **timed}
                for batch in (1, 64)
            ],
        }
        for name, correct, size in (("dense", 885, 9e6), ("cut", 880, 4e6), ("int8", 861, 1e6))
    ]
    return {
        **MANIFEST,
        "versions": {"onnxruntime": "1.31.1"},
        "int8": {
            "table": rows,
            "calibration": {"images": 256, "of": "training images", "method": "MinMax"},
            "compared": {"images": 32, "same_top1": 31, "largest_difference": 0.1},
            **more,
        },
    }


def test_int8_stands_beside_dense_and_cut_with_its_conditions():
    words = text(files([samples.checkpoint(**int8_manifest())], samples.run()))
    for said in ("Cut + INT8", "86.1 %", "80.0 to 90.0 %; −1.9 points", "1.00 MB", "80 ms"):
        assert said in words.replace("\u202f", " ").replace("MB", "MB"), said
    assert "onnxruntime 1.31.1 on A CPU, 2 threads" in words
    assert "Calibrated on 256 training images" in words
    assert "31 of 32 validation images" in words


def test_a_large_loss_is_shown_with_its_layers_and_without_int8_there_is_no_table():
    finding = "INT8 costs 1.9 points. Images right again: features.3 +17"
    card = files([samples.checkpoint(**int8_manifest(finding=finding))], samples.run())
    assert finding in text(card)
    assert "INT8" not in text(files([samples.checkpoint(**MANIFEST)], samples.run()))


def test_timings_of_other_devices_stand_at_the_checkpoint_with_the_script():
    timing = BenchOut(
        runtime="onnxruntime", version="1.31.1", provider="CPUExecutionProvider",
        device="a board", threads=4, batch=1, median_ms=3.75, p95_ms=5.5, n=50,
        checkpoint_id="ck1", format="int8", created_at=1.0,
    )  # fmt: skip
    card = files([every_format().model_copy(update={"benches": [timing]})], samples.run())
    words = text(card)
    for said in ("a board", "4 threads", "ONNX, INT8", "onnxruntime 1.31.1", "3.75", "5.5"):
        assert said in words, said
    assert "python recede_bench.py x.onnx --to URL" in words
    link = props(card, data_testid="bench-script-pruned")
    assert (link.href, link.download) == ("/api/v1/bench.py", "recede_bench.py")


def test_weights_that_no_device_timed_have_no_table_of_devices():
    assert "other devices" not in text(files([samples.checkpoint("trained")], samples.run()))


def test_the_proof_is_put_in_words():
    found = {"cut_vs_masked": 0.0, "onnx_vs_memory": 2e-6, "onnx_same_top1": 256, "images": 256}
    said = proof_in_words({"max_difference": found})
    assert "ONNX = memory, max |Δ| = 2.0e-06" in said
    assert "ONNX predicts the same class for 256 of 256 images" in said
