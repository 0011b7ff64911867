"""The commands that try a cut, and the options that say how much to cut."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from recede.cli import app as command
from recede.cli.cuts.plan_options import asked
from recede.contract.cut.targets import Target
from recede.contract.errors import InvalidInput
from recede.contract.spec.run import Plan
from recede.contract.states import CheckpointKind
from recede.store.queue import jobs
from recede.store.results import scores
from tests.backend.bench.onnx_files import add_cut, body, network
from tests.backend.store.samples import SHAPE, add_checkpoint, raw_scales


@pytest.fixture
def run(live):
    """Runs a command against the service."""

    def invoke(*arguments):
        environment = {"RECEDE_URL": live, "COLUMNS": "200", "NO_COLOR": "1"}
        result = CliRunner(env=environment).invoke(command, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert "Traceback" not in result.output
        return result

    return invoke


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({"macs": "30%"}, Target(kind="macs", value=0.3, relative=True)),
        ({"macs": "120M"}, Target(kind="macs", value=120e6)),
        ({"params": "1.2 M"}, Target(kind="params", value=1.2e6)),
        ({"params": "950"}, Target(kind="params", value=950.0)),
        ({"size": "5MB"}, Target(kind="bytes", value=5e6)),
        ({"size": "2MiB"}, Target(kind="bytes", value=2.0**21)),
        ({"accuracy": "90%"}, Target(kind="accuracy", value=0.9)),
        ({"accuracy": "0.9"}, Target(kind="accuracy", value=0.9)),
        ({"drop": "0.5"}, Target(kind="drop", value=0.005)),
        ({"drop": "0.5%"}, Target(kind="drop", value=0.005)),
    ],
)
def test_a_target_is_read_in_the_units_that_people_write(options, target):
    found = asked(**options).target
    assert found.model_copy(update={"value": 0.0}) == target.model_copy(update={"value": 0.0})
    assert found.value == pytest.approx(target.value)


def test_a_latency_is_read_in_milliseconds():
    assert asked(latency="4ms").latency_ms == 4
    assert asked(latency="0.5s").latency_ms == 500


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "none of them"),
        ({"ratio": 0.5, "macs": "30%"}, "--ratio and --macs"),
        ({"ratio": 0.5, "plan": "x"}, "--ratio and --plan"),
        ({"plan": "x", "lock": ["a"], "round_to": 8}, "--lock and --round-to"),
        ({"macs": "30 parrots"}, "30% (of the dense network)"),
        ({"size": "big"}, "5MB"),
        ({"accuracy": "90"}, "share"),
        ({"macs": "130%"}, "share"),
        ({"latency": "30%"}, "4ms"),
        ({"ratio": 1.5}, "below 1"),
        ({"ratio": 0.5, "round_to": 0}, "at least 1"),
        ({"ratio": 0.5, "override": ["a"]}, "LAYER=RATIO"),
        ({"ratio": 0.5, "lock": ["a"], "override": ["a=0.1"]}, "both locked and overridden"),
        ({"macs": "30%", "lock": ["a"], "override": ["a=0.1"]}, "both locked and overridden"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(options, words):
    with pytest.raises(InvalidInput) as refusal:
        asked(**options)
    assert words in refusal.value.message + (refusal.value.hint or "")


def test_every_option_reaches_the_plan():
    found = asked(
        ratio=0.5,
        scope="local",
        epoch=2,
        criterion="taylor",
        round_to=8,
        min_channels=4,
        bias="fold",
        lock=["a"],
        override=["b=0.25"],
    )
    assert found.plan == Plan(
        ratio=0.5,
        scope="local",
        epoch=2,
        criterion="taylor",
        round_to=8,
        min_channels=4,
        bias="fold",
        locks=("a",),
        overrides={"b": 0.25},
    )


def test_a_preview_shows_costs_accuracy_and_layers(run, finished):
    shown = run("preview", finished.id, "--ratio", "0.9")
    assert shown.exit_code == 0, shown.output
    assert "a: 3 kept, held at its minimum" in shown.stdout
    assert "MACs" in shown.stdout
    known = run("preview", finished.id, "--ratio", "0.5")
    assert "89 % (measured on 100 images" in known.stdout
    told = json.loads(run("preview", finished.id, "--ratio", "0.5", "--json").stdout)
    assert told["kept"].keys() == {"a", "b"}


def test_a_target_is_solved_before_it_is_shown(run, finished):
    told = json.loads(run("preview", finished.id, "--macs", "40%", "--json").stdout)
    assert told["cost"]["macs"] <= 0.4 * told["dense"]["macs"]


def test_a_target_out_of_reach_says_what_can_be_had(run, finished):
    result = run("prune", finished.id, "--macs", "1%", "--lock", "a")
    assert result.exit_code == 2
    assert "can be had" in result.stderr
    assert "MACs at least" in result.stderr


def test_an_evaluation_that_is_known_comes_at_once(run, finished):
    result = run("evaluate", finished.id, "--ratio", "0.5")
    assert result.exit_code == 0, result.output
    assert "89 % (measured on 100 images" in result.stdout


def test_protected_layers_are_chosen_shown_and_freed(run, finished):
    assert "protected: none" in run("protect", finished.id).stdout
    assert "protected: a" in run("protect", finished.id, "a").stdout
    assert "protected: a" in run("protect", finished.id).stdout
    assert "a: 8 kept, locked" not in run("preview", finished.id, "--ratio", "0.0").stdout
    refused = run("protect", finished.id, "c")
    assert refused.exit_code == 2
    assert "'c'" in refused.stderr
    assert "protected: none" in run("protect", finished.id, "--none").stdout
    assert run("protect", finished.id, "a", "--none").exit_code == 2


def test_known_scores_are_not_computed_again(run, store, finished):
    with store.write() as session:
        scores.put(session, finished.id, 3, "taylor", raw_scales(1))
    result = run("score", finished.id, "taylor")
    assert result.exit_code == 0, result.output
    assert "epoch 3 is scored by taylor" in result.stdout
    with store.read() as session:
        assert [job.kind for job in jobs.active(session, finished.id)] == ["train"]
    told = run("preview", finished.id, "--criterion", "taylor", "--ratio", "0.5", "--json")
    kept = np.array(list(json.loads(told.stdout)["kept"].values()))
    assert kept.sum() == SHAPE.n_neurons / 2


def test_the_files_of_a_run_are_listed_with_what_int8_costs(run, store, settings, finished):
    assert "no cut networks yet" in run("files", finished.id).stdout
    pruned = add_checkpoint(
        store, settings.artifacts, finished.id, 3, kind=CheckpointKind.PRUNED, **int8_manifest()
    )
    shown = run("files", finished.id)
    assert shown.exit_code == 0, shown.output
    assert f"{pruned}: pruned, epoch 3, 60.4 % of the neurons removed" in shown.stdout
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["cut", "+", "INT8", "86.1", "%", "80", "%", "to", "90", "%", "977", "KiB",
            "1.25", "ms,", "95", "%", "2.5"] in lines  # fmt: skip
    assert "1000 test images; on A CPU, threads 2" in shown.stdout
    assert "features.3 +17" in shown.stdout
    assert len(run("files", finished.id, "--all").stdout.splitlines()) > len(lines)
    told = json.loads(run("files", finished.id, "--json").stdout)
    assert [item["id"] for item in told["items"]] == [pruned]


def int8_manifest():
    timed = {"batch": 1, "median_ms": 1.25, "p95_ms": 2.5, "device": "A CPU", "threads": 2}
    rows = [
        {"network": name, "correct": correct, "n": 1000, "low": 0.8, "high": 0.9,
         "size_bytes": size, "latency": [timed]}
        for name, correct, size in (("dense", 885, 9e6), ("cut", 880, 4e6), ("int8", 861, 1e6))
    ]  # fmt: skip
    return {"manifest": {"int8": {"table": rows, "finding": "right again: features.3 +17"}}}


def test_a_latency_elsewhere_is_solved_among_the_cuts_timed_there(run, recede, store, finished):
    for i, (ratio, median) in enumerate(((0.3, 9.0), (0.5, 4.0))):
        add_cut(store, finished.id, f"{i:064x}", ratio)
        recede.add_benches(body(f"{i:064x}", median))
    found = run("preview", finished.id, "--latency", "4ms", "--on", "a board")
    assert found.exit_code == 0, found.output
    assert "ratio 0.5:" in found.stdout
    assert "50 % removed takes 4 ms there (onnx, onnxruntime" in found.stderr
    assert "of 2 networks that were timed" in found.stderr
    missed = run("preview", finished.id, "--latency", "3ms", "--on", "a board")
    assert missed.exit_code == 2
    assert "the fastest takes 4 ms, at a ratio of 0.5" in missed.stderr
    assert "a board" in run("files", finished.id).stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on": "a board", "ratio": 0.5}, "--on names the device of a --latency"),
        ({"on": "a board", "latency": "4ms", "lock": ["a"]}, "given beside it was --lock"),
    ],
)
def test_a_device_goes_with_a_latency_alone(options, words):
    with pytest.raises(InvalidInput) as refusal:
        asked(**options)
    assert words in refusal.value.message


def test_bench_times_a_file_and_sends_the_rows(run, recede, store, live, finished, tmp_path):
    path = tmp_path / "x.onnx"
    checkpoint = add_cut(store, finished.id, network(path), 0.5)
    shown = run("bench", str(path), "--batch", "2", "--name", "a board", "--to", live)
    assert shown.exit_code == 0, shown.output
    assert "a board" in shown.stdout
    assert f"kept with checkpoint {checkpoint} of run {finished.id}" in shown.stderr
    (timed,) = recede.checkpoint(checkpoint).benches
    assert (timed.device, timed.batch, timed.format) == ("a board", 2, "onnx")
    (told,) = json.loads(run("bench", str(path), "--batch", "2", "--json").stdout)
    assert told["rows"][0].keys() == body("", 1.0)["rows"][0].keys()
    refused = run("bench", str(path), "--provider", "abacus")
    assert refused.exit_code == 2
    assert "no provider 'abacus'" in refused.stderr


def test_bench_says_what_a_folder_lacks(run, tmp_path):
    result = run("bench", str(tmp_path))
    assert result.exit_code == 2
    assert "no manifest" in result.stderr
