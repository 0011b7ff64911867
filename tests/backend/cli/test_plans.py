"""`recede keep` and `recede plans`: named plans on the command line."""

from __future__ import annotations

import json

import pytest

from recede.cli.cuts.plans import in_words
from recede.contract.spec.run import Plan
from recede.contract.states import JobKind
from recede.store.queue import jobs
from tests.backend.cli.test_commands import run

__all__ = ["run"]


def kept(run, run_id):
    return json.loads(run("plans", run_id, "--json").stdout)


def test_a_plan_is_kept_with_all_its_options_listed_and_deleted(run, finished):
    options = ["--ratio", "0.4", "--lock", "a", "--round-to", "4", "--epoch", "2"]
    result = run("keep", finished.id, "for the phone", *options, "--notes", "by Friday")
    assert result.exit_code == 0, result.output
    (plan,) = kept(run, finished.id)
    assert f"plan {plan['id']}: for the phone: epoch 2, 40 %, a locked" in result.stdout
    assert f"/runs/{finished.id}?tab=explore&plan={plan['id']}" in result.stdout
    wanted = Plan(epoch=2, ratio=0.4, locks=("a",), round_to=4)
    assert Plan.model_validate(plan["plan"]) == wanted
    listed = run("plans", finished.id).stdout
    assert "for the phone" in listed
    assert "by Friday" in listed
    assert run("plans", finished.id, "--delete", "for the phone").exit_code == 0
    assert kept(run, finished.id) == []
    assert "recede keep" in run("plans", finished.id).stdout


def test_a_target_is_solved_before_the_plan_is_kept(run, finished):
    result = run("keep", finished.id, "half", "--macs", "50%")
    assert result.exit_code == 0, result.output
    (plan,) = kept(run, finished.id)
    assert 0 < plan["plan"]["ratio"] < 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["x", "--ratio", "1"], "ratio"),
        (["x"], "--ratio"),
        (["x", "--ratio", "0.5", "--lock", "nowhere"], "nowhere"),
        ([" ", "--ratio", "0.5"], "name"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_in_words(run, finished, more, words):
    result = run("keep", finished.id, *more)
    assert result.exit_code == 2
    assert words in result.stderr
    assert kept(run, finished.id) == []


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_kept_plan_is_looked_at_measured_and_cut_as_it_was_kept(run, finished, store, by):
    run("keep", finished.id, "for the phone", "--ratio", "0.5", "--lock", "a", "--epoch", "3")
    (plan,) = kept(run, finished.id)
    chosen = ["--plan", str(plan[by])]
    shown = json.loads(run("preview", finished.id, *chosen, "--json").stdout)
    assert shown["kept"]["a"] == 8
    pruned = run("prune", finished.id, *chosen)
    assert pruned.exit_code == 0, pruned.output
    with store.read() as session:
        (job,) = jobs.active(session, finished.id, JobKind.PRUNE)
    assert Plan.model_validate(job.payload["plan"]) == Plan(epoch=3, ratio=0.5, locks=("a",))


@pytest.mark.parametrize("command", ["prune", "evaluate", "latency", "preview"])
def test_a_name_under_which_nothing_is_kept_is_told_by_every_command(run, finished, command):
    run("keep", finished.id, "one", "--ratio", "0.5")
    result = run(command, finished.id, "--plan", "two")
    assert result.exit_code == 2
    assert "'two'; it has: one" in result.stderr


def test_a_plan_that_is_not_there_is_named_with_those_that_are(run, finished):
    run("keep", finished.id, "one", "--ratio", "0.5")
    result = run("plans", finished.id, "--delete", "two")
    assert result.exit_code == 2
    assert "'two'; it has: one" in result.stderr
    assert len(kept(run, finished.id)) == 1


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(ratio=0.5), "best epoch, 50 %"),
        (Plan(epoch=3, threshold=0.05, criterion="l1"), "epoch 3, threshold 0.05, l1"),
        (
            Plan(ratio=0.25, scope="local", overrides={"a": 0.5}, min_channels=4, bias="fold"),
            "best epoch, 25 %, local, a at 50 %, at least 4 channels, bias folded",
        ),
    ],
)
def test_a_plan_is_told_in_words(plan, words):
    assert in_words(plan) == words
