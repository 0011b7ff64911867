"""The `recede` command against a real service: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recede.cli import app as command
from recede.cli.submit import command as submitting
from recede.cli.terminal.console import (
    count,
    duration,
    percent,
    size,
)
from recede.contract.network.reach import Reach, Share
from recede.contract.schemas import ReachOut, SpecCheck
from recede.contract.states import (
    JobKind,
    Lane,
    State,
)
from recede.store.experiments import history, runs
from recede.store.queue import jobs, lease, reaches
from tests.backend.store.samples import (
    SHAPE,
    SPEC,
    add_run,
    metrics,
    raw_scales,
)

SUBMIT = ["submit", "--dataset", "digits", "--architecture", "tiny", "--method", "rni"]


@pytest.fixture
def run(live, monkeypatch):
    """Runs a command against the service, which has no worker that could be waited for."""
    for name in ("LOOK_S", "SUBMIT_LOOK_S"):
        monkeypatch.setattr(submitting, name, 0.0)

    def invoke(*arguments: str) -> Result:
        environment = {"RECEDE_URL": live, "COLUMNS": "200", "NO_COLOR": "1"}
        result = CliRunner(env=environment).invoke(command, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert "Traceback" not in result.output
        return result

    return invoke


def newest(store):
    with store.read() as session:
        return runs.page(session, limit=1)[0]


def test_submit_queues_what_was_asked(run, store):
    result = run(*SUBMIT, "--width", "0.25", "--shift", "2", "--epochs", "3", "--name", "mine")
    assert result.exit_code == 0, result.output
    row = newest(store)
    assert f"run {row.id}: mine" in result.stdout
    assert row.spec["architecture_params"] == {"width": 0.25}
    assert row.spec["epochs"] == 3
    assert row.spec["method_params"]["shift"] == 2


def test_what_can_be_cut_is_told_before_anything_is_queued(run, store):
    tried = run(*SUBMIT, "--prunable", "all", "--dry-run")
    assert "can be cut: Not known yet" in tried.stdout
    share = Share(params=0.25, macs=0.5)
    with store.write() as session:
        reach = Reach(inner=share, all=share)
        reaches.answer(session, reaches.next_question(session), reach=reach)
    words = "can be cut: At most 25.0 % of the parameters and 50.0 % of the multiply-adds can go."
    assert words in run(*SUBMIT, "--prunable", "all", "--dry-run").stdout
    queued = run(*SUBMIT, "--prunable", "all").stdout
    assert queued.index(words) < queued.index("run ")
    assert newest(store).spec["prunable"] == "all"


def test_a_network_that_a_worker_looks_at_is_waited_for(monkeypatch):
    monkeypatch.setattr(submitting, "ASK_EVERY_S", 0.0)
    answers = [ReachOut(words="", pending=True)] * 3 + [ReachOut(words="All of it.")]

    class Service:
        def check_run(self, spec):
            return SpecCheck(spec=spec, steps=1, reasons={}, reach=answers.pop(0))

    checked = submitting.checked_with_reach(Service(), SPEC.model_dump(), 60.0)
    assert checked.reach.words == "All of it."
    assert answers == []


def test_submit_fits_the_strength_to_the_number_of_steps(run, store):
    result = run(*SUBMIT, "--epochs", "10")
    # 1438 images, a tenth held out, batches of 64: 21 steps per epoch, and λ · steps = 125
    assert newest(store).spec["method_params"]["lam"] == 0.6
    assert "0.6 = 125 ÷ 210 steps" in result.stdout
    run(*SUBMIT, "--lam", "0.01")
    assert newest(store).spec["method_params"]["lam"] == 0.01


def test_submit_takes_any_parameter_by_name(run, store):
    result = run(*SUBMIT, "--param", "width=0.5", "--param", "method.lam=0.2")
    assert result.exit_code == 0, result.output
    spec = newest(store).spec
    assert spec["architecture_params"] == {"width": 0.5}
    assert spec["method_params"]["lam"] == 0.2


def test_submit_demo_is_the_catalogs_and_can_be_changed(run, store):
    assert run("submit", "--demo", "--seed", "7").exit_code == 0
    spec = newest(store).spec
    assert (spec["name"], spec["epochs"], spec["seed"]) == ("demo", 2, 7)
    assert spec["method_params"]["lam"] == 0.05
    assert run("submit", "--demo", "--method", "ucs").exit_code == 0
    assert newest(store).spec["method_params"] == {}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--dataset", "digit"], ["'digit'", "Did you mean 'digits'"]),
        (["--epochs", "-1"], ["epochs", "at least 0"]),
        (["--width", "0.001"], ["0.001", "0.05"]),
        (["--param", "lambda=3"], ["'lambda'", "lam"]),
        (["--param", "lam"], ["KEY=VALUE"]),
        (["--param", "thing.lam=1"], ["thing", "method"]),
        (["--epochs", "x"], ["--epochs"]),
        (["--lr", "nan"], ["--lr was nan", "finite number"]),
        (["--val-fraction", "inf"], ["--val-fraction was inf", "finite number"]),
        (["--lam", "nan"], ["--lam was nan", "finite number"]),
        (["--width", "-inf"], ["--width was -inf", "finite number"]),
        (["--param", "lam=NaN"], ["lam was nan", "finite number"]),
        (["--param", "lam=1e999"], ["lam was inf", "finite number"]),
        (["--param", "lam=[NaN]"], ["JSON"]),
        (["--epoch", "3"], ["'epoch'", "Did you mean 'epochs'"]),
        (["--lam"], ["--lam was given without a value"]),
        (["digits"], ["'digits' was not expected", "--help"]),
        (["--precision", "fp8"], ["--precision", "fp32"]),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_ends_with_2(run, store, more, words):
    result = run(*SUBMIT, *more)
    assert result.exit_code == 2
    assert [word for word in words if word not in result.stderr] == []
    with store.read() as session:
        assert jobs.page(session) == []


@pytest.mark.parametrize("name", ["dataset", "architecture", "method"])
def test_submit_names_the_option_that_is_missing(run, name):
    at = SUBMIT.index(f"--{name}")
    result = run(*SUBMIT[:at], *SUBMIT[at + 2 :])
    assert result.exit_code == 2
    assert f"--{name} is missing" in result.stderr
    assert "--demo" in result.stderr


def test_other_failures_end_with_1(run, finished):
    missing = run("watch", "nope")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "no run 'nope'" in missing.stderr
    assert run("resume", finished.id).exit_code == 1
    nobody = run("runs", "--url", "http://127.0.0.1:9")
    assert nobody.exit_code == 1
    assert "recede up" in nobody.stderr


def test_runs_are_a_table_or_json(run, finished):
    table = run("runs").stdout
    assert finished.id in table
    assert "90 %" in table
    page = json.loads(run("runs", "--json").stdout)
    assert page["items"][0]["id"] == finished.id
    assert run("runs", "--state", "failed").stdout.startswith("No runs")


def test_cancel_and_resume(run, store):
    run_id, _ = add_run(store)
    assert "cancelled" in run("cancel", run_id).stdout
    assert "queued again" in run("resume", run_id).stdout
    with store.write() as session:
        lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
    assert "stopping" in run("cancel", run_id).stdout


def train(store, run_id: str) -> None:
    """What a worker writes for a run of two epochs and its curve."""
    with store.write() as session:
        held = lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
        assert held is not None
        history.put_network(session, run_id, SHAPE)
        lease.beat(session, held, {"stage": "training", "done": 1, "total": 2, "loss": 0.5})
    for epoch in range(3):
        with store.write() as session:
            history.put_epoch(session, run_id, epoch, metrics(epoch), raw_scales(epoch))
    with store.write() as session:
        jobs.enqueue(session, run_id, JobKind.CURVE, {})
        lease.finish(session, held, State.SUCCEEDED)


def test_watch_follows_the_run_and_its_curve_and_ends_with_the_ratio(run, store, finished):
    train(store, finished.id)
    with store.write() as session:
        curve = lease.claim(session, owner="w", lanes=[Lane.INTERACTIVE], device="cpu")
        assert curve is not None
        runs.set_results(session, finished.id, lossless_ratio=0.5, test_correct=88, n_test=100)
        lease.finish(session, curve, State.SUCCEEDED)
    result = run("watch", finished.id)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "lossless ratio: 50 %"
    assert "88 % on 100 test images" in result.stdout
    assert f"recede prune {finished.id} --ratio 0.5" in result.stdout


def test_watch_of_a_failed_run_says_why_and_ends_with_1(run, store):
    run_id, _ = add_run(store)
    with store.write() as session:
        held = lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
        assert held is not None
        error = {"code": "diverged", "message": "The loss is NaN at step 7.", "hint": "Lower lr."}
        lease.finish(session, held, State.FAILED, error=error)
    result = run("watch", run_id)
    assert result.exit_code == 1
    assert "NaN at step 7. Lower lr." in result.stderr
    assert "recede resume" in result.stderr


def test_prune_is_queued_with_its_exact_cost(run, store, finished):
    result = run("prune", finished.id, "--ratio", "0.5", "--override", "a=0.25", "--lock", "b")
    assert result.exit_code == 0, result.output
    assert "parameters" in result.stdout
    with store.read() as session:
        (job,) = jobs.page(session, kind=JobKind.PRUNE)
    assert job.payload["plan"]["overrides"] == {"a": 0.25}
    assert job.payload["plan"]["locks"] == ["b"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--ratio", "1.5"], ["ratio was 1.5", "below 1"]),
        ([], ["ratio", "threshold"]),
        (["--ratio", "0.5", "--threshold", "0.1"], ["--ratio and --threshold"]),
        (["--ratio", "0.5", "--override", "a"], ["LAYER=RATIO"]),
        (["--ratio", "0.5", "--lock", "c"], ["'c'"]),
        (["--ratio", "0.5", "--format", "tflite"], ["tflite"]),
        (["--ratio", "0.5", "--scope", "layer"], ["--scope"]),
    ],
)
def test_a_bad_plan_is_refused_and_nothing_is_queued(run, store, finished, more, words):
    result = run("prune", finished.id, *more)
    assert result.exit_code == 2
    assert [word for word in words if word not in result.stderr] == []
    with store.read() as session:
        assert jobs.page(session, kind=JobKind.PRUNE) == []


def test_prune_with_out_fetches_every_file(run, store, settings, finished, tmp_path, monkeypatch):
    from recede.cli.terminal import following

    def finish(client, job):
        with store.write() as session:
            held = lease.claim(session, owner="w", lanes=[Lane.INTERACTIVE], device="cpu")
            assert held is not None
            result = {"checkpoint_id": finished.weights, "test_correct": 87, "n_test": 100}
            lease.finish(session, held, State.SUCCEEDED, result=result)
        return client.job(job.id)

    monkeypatch.setattr(following, "follow_job", finish)
    out = tmp_path / "made" / "here"
    result = run("prune", finished.id, "--ratio", "0.5", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert "87 % of 100 images" in result.stdout
    assert len(list(out.iterdir())) == 2


def test_download_verifies_and_names_the_file(run, finished, tmp_path: Path):
    out = tmp_path / "out"
    out.mkdir()
    result = run("download", finished.weights, "--out", str(out))
    assert result.exit_code == 0, result.output
    (path,) = out.iterdir()
    assert str(path) in result.stdout
    assert "verified" in result.stdout
    made = run("download", finished.weights, "--out", f"{tmp_path / 'new'}/")
    assert made.exit_code == 0, made.output
    assert [file.name for file in (tmp_path / "new").iterdir()] == [path.name]
    gone = run("download", finished.weights, "--out", str(tmp_path / "no" / "folder" / "x"))
    assert gone.exit_code == 1
    assert "--out" in gone.stderr


def test_following_waits_for_events_that_come_later(live, store, finished):
    """A watcher that began early sees the end of a job that is finished afterwards."""
    from recede.cli.terminal import following
    from recede.client import Event, RecedeClient

    assert following._is_end_of(Event(1, "job", {"job_id": 4, "state": "failed"}), 4)
    assert not following._is_end_of(Event(1, "job", {"job_id": 4, "state": "running"}), 4)
    assert not following._is_end_of(Event(1, "job", {"job_id": 5, "state": "failed"}), 4)
    with RecedeClient(live) as client:
        job = client.cancel_job(finished.job_id)
        assert following.follow_job(client, job).state is State.CANCELLED


def test_numbers_read_well():
    assert [percent(0.5), percent(0.6483), percent(1)] == ["50 %", "64.8 %", "100 %"]
    assert [count(999), count(72_912), count(1_160_000)] == ["999", "72.9 k", "1.16 M"]
    assert [size(10), size(6_990_000)] == ["10 B", "6.67 MiB"]
    assert [duration(9.6), duration(75), duration(3700)] == ["10 s", "1 min 15 s", "1 h 1 min"]
