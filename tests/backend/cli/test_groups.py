"""`recede` with grids, groups, notices and polarisation, against a real service."""

from __future__ import annotations

import json

import pytest

from recede.contract.states import Lane, State
from recede.store.experiments import groups, runs
from recede.store.queue import jobs, lease
from tests.backend.api.routes.training.test_groups import finish
from tests.backend.cli.test_commands import (
    SUBMIT,
    newest,
    run,
    train,
)
from tests.backend.store.samples import add_run

__all__ = ["run"]

GRID = ["--grid", "lam=0.01,0.03", "--grid", "seed=0,1,2"]


def only_group(store):
    with store.read() as session:
        (group,) = groups.page(session, limit=9)
        return group, groups.members_of(session, [group.id])[group.id]


def test_a_grid_is_queued_as_one_group(run, store):
    result = run(*SUBMIT, *GRID, "--name", "sweep", "--epochs", "3")
    assert result.exit_code == 0, result.output
    group, members = only_group(store)
    assert f"group {group.id}: sweep: 6 runs" in result.stdout
    assert f"recede watch {group.id}" in result.stdout
    assert group.axes == {"method_params.lam": [0.01, 0.03], "seed": [0, 1, 2]}
    assert members[4].name == "sweep · λ 0.03, seed 1"
    assert {member.spec["epochs"] for member in members} == {3}


@pytest.mark.parametrize(
    ("text", "axis", "values"),
    [
        ("batch-size=32,64", "batch_size", [32, 64]),
        ("width=0.5,1", "architecture_params.width", [0.5, 1]),
        ("method.shift=0,3", "method_params.shift", [0, 3]),
        ("method_params.shift=0,3", "method_params.shift", [0, 3]),
        ("schedule=step, cosine", "schedule", ["step", "cosine"]),
    ],
)
def test_short_names_of_axes_resolve(run, store, text, axis, values):
    result = run(*SUBMIT, "--grid", text)
    assert result.exit_code == 0, result.output
    assert only_group(store)[0].axes == {axis: values}


def test_an_axis_may_be_given_in_parts(run, store):
    assert run(*SUBMIT, "--grid", "seed=1", "--grid", "seed=2").exit_code == 0
    assert only_group(store)[0].axes == {"seed": [1, 2]}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--grid", "sed=1,2"], ["'sed'", "Did you mean 'seed'"]),
        (["--grid", "seed"], ["KEY=VALUE", "--grid lr=0.05,0.1"]),
        (["--grid", "seed="], ["no values"]),
        (["--grid", "seed=1"], ["1 run;", "2 to 64"]),
        (["--grid", "seed=1,1"], ["twice"]),
        (["--grid", "lam=0.1,NaN"], ["finite"]),
        (["--grid", "lam=0.1,-1"], ["-1", "between 0 and 10"]),
        (["--grid", "lam=0.1,-1", "--dry-run"], ["-1", "between 0 and 10"]),
        (["--grid", "seed=1,2", "--epochs", "-1", "--dry-run"], ["epochs was -1"]),
        (["--schedule", "cosin"], ["--schedule"]),
        (["--dataset-param", "size=3"], ["size"]),
        (["--method-param", "lam"], ["--method-param", "KEY=VALUE"]),
        (["--warmup-epochs", "99"], ["shorter"]),
    ],
)
def test_a_bad_grid_is_one_line_on_stderr_and_queues_nothing(run, store, more, words):
    result = run(*SUBMIT, *more)
    assert result.exit_code == 2
    assert [word for word in words if word not in " ".join(result.stderr.split())] == []
    with store.read() as session:
        assert jobs.page(session) == []


def test_every_field_of_the_recipe_has_its_option(run, store):
    options = {
        "--schedule": "cosine",
        "--warmup-epochs": "1",
        "--label-smoothing": "0.1",
        "--precision": "fp32",
        "--method-param": "shift=1",
        "--architecture-param": "width=0.5",
    }
    given = [part for pair in options.items() for part in pair]
    result = run(*SUBMIT, "--epochs", "3", "--compile", *given)
    assert result.exit_code == 0, result.output
    spec = newest(store).spec
    assert (spec["schedule"], spec["warmup_epochs"], spec["label_smoothing"]) == ("cosine", 1, 0.1)
    assert (spec["precision"], spec["compile"]) == ("fp32", True)
    assert spec["method_params"]["shift"] == 1
    assert spec["architecture_params"] == {"width": 0.5}


def test_a_dry_run_says_what_would_be_queued_and_queues_nothing(run, store):
    one = run(*SUBMIT, "--dry-run")
    assert one.exit_code == 0, one.output
    assert "0.6 = 125 ÷ 210 steps" in one.stdout
    assert "210 optimiser steps; nothing was queued" in one.stdout
    assert "no estimate of the time" in one.stdout
    assert "At least 1.8 MB of memory for the images" in one.stdout
    several = run(*SUBMIT, *GRID, "--dry-run")
    assert "λ 0.03, seed 2" in several.stdout
    assert "6 runs; nothing was queued" in several.stdout
    assert several.stdout.count("can be cut: ") == 1
    with store.read() as session:
        assert jobs.page(session) == []


def test_groups_are_a_table_and_one_shows_its_summary(run, store):
    assert run("groups").stdout.startswith("No groups")
    run(*SUBMIT, *GRID)
    finish(store, 80, 84, 91)
    group, members = only_group(store)
    table = run("groups").stdout
    assert group.id in table
    assert "3 succeeded" in table
    shown = run("groups", group.id).stdout
    assert members[5].id in shown
    assert "85.00 ± 5.57 %" in shown
    assert json.loads(run("groups", group.id, "--json").stdout)["id"] == group.id
    assert json.loads(run("groups", "--json").stdout)["items"][0]["id"] == group.id
    listed = run("runs", "--group", group.id, "--limit", "2").stdout
    assert "More than 2" in listed
    assert run("groups", "nope").exit_code == 1


def test_a_watched_group_tells_each_run_and_ends_with_the_summary(run, store):
    run(*SUBMIT, "--grid", "seed=1,2")
    group, members = only_group(store)
    finish(store, 80, 84)
    with store.write() as session:
        for member in members:
            runs.set_results(session, member.id, lossless_ratio=0.5)
        runs.notice(session, members[0].id, code="flat", message="At chance.", epoch=2)
    result = run("watch", group.id)
    assert result.exit_code == 0, result.output
    assert "seed 1: succeeded, epoch 2/10, validation 90 %" in result.stderr
    assert "seed 1: epoch 2: At chance." in result.stderr
    assert "82.00 ± 2.83 %" in result.stdout
    assert "50.00 ± 0.00 %" in result.stdout


def test_a_watched_group_with_a_failure_says_why_and_ends_with_1(run, store):
    run(*SUBMIT, "--grid", "seed=1,2")
    group, _ = only_group(store)
    for _ in range(2):
        with store.write() as session:
            held = lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
            assert held is not None
            lease.finish(session, held, State.FAILED, error={"code": "x", "message": "No disk."})
    result = run("watch", group.id)
    assert result.exit_code == 1
    assert "seed 2): No disk." in result.stderr


def test_a_group_is_cancelled_like_a_run(run, store):
    run(*SUBMIT, "--grid", "seed=1,2")
    group, _ = only_group(store)
    with store.write() as session:
        lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
    assert f"{group.id} is stopping; 1 of its runs" in run("cancel", group.id).stdout
    assert run("cancel", "nope").exit_code == 1


def test_notices_and_polarisation_are_told_as_they_come(capsys):
    from recede.cli.terminal import following
    from recede.client import Event

    notice = {"code": "flat", "message": "At chance.", "hint": None, "epoch": 4, "run_id": "r"}
    epoch = {"epoch": 4, "val_correct": 9, "n_val": 10, "val_loss": 1.0}
    with following.bars() as shown:
        shown.show(Event(1, "notice", notice))
        shown.show(Event(2, "notice", {**notice, "message": None}))
        shown.show(Event(3, "epoch", {**epoch, "polarisation": {"below_01": 0.25}}))
        shown.show(Event(4, "epoch", epoch))
    assert [line.rstrip() for line in capsys.readouterr().err.splitlines() if line.strip()] == [
        "epoch 4: At chance.",
        "epoch 4: validation 90 % of 10 images, loss 1.000, 25 % of the importances under 0.1",
        "epoch 4: validation 90 % of 10 images, loss 1.000",
    ]


def test_notices_stand_at_the_end_and_in_the_list(run, store, finished):
    with store.write() as session:
        runs.notice(
            session, finished.id, code="flat", message="At chance.", hint="Lower λ.", epoch=1
        )
        runs.notice(session, finished.id, code="gone", message="Held for a while.")
        runs.clear_notice(session, finished.id, "gone")
    train(store, finished.id)
    with store.write() as session:
        curve = lease.claim(session, owner="w", lanes=[Lane.INTERACTIVE], device="cpu")
        assert curve is not None
        runs.set_results(session, finished.id, lossless_ratio=0.5)
        lease.finish(session, curve, State.SUCCEEDED)
    result = run("watch", finished.id)
    assert result.exit_code == 0, result.output
    assert "epoch 1: At chance. Lower λ." in result.stderr
    assert "polarisation: 40 % of the importances under 0.1" in result.stdout
    listed = run("runs").stdout
    assert f"{finished.id}: epoch 1: At chance. Lower λ." in listed
    assert "Held for a while" not in listed


def test_polarisation_is_a_table_of_epochs_or_layers(run, store, finished):
    table = run("polarisation", finished.id).stdout
    assert "under 0.01" in table
    assert "Pfister" in table
    assert [line.split()[0] for line in table.splitlines()[1:5]] == ["0", "1", "2", "3"]
    layers = run("polarisation", finished.id, "--layers", "--epoch", "1").stdout.splitlines()
    assert layers[0] == "epoch 1"
    assert [line.split()[0] for line in layers[2:5]] == ["all", "a", "b"]
    told = json.loads(run("polarisation", finished.id, "--epoch", "2", "--json").stdout)
    assert [one["epoch"] for one in told["items"]] == [2]
    wrong = run("polarisation", finished.id, "--epoch", "9")
    assert (wrong.exit_code, "0 to 3" in wrong.stderr) == (2, True)
    fresh, _ = add_run(store)
    assert "No epoch is finished" in run("polarisation", fresh).stdout
