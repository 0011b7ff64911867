"""`recede curve`: what it prints of what is known, and how it measures what is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from recede.contract.spec.run import Plan
from recede.contract.states import (
    JobKind,
    Lane,
    State,
)
from recede.store.database.engine import Store
from recede.store.queue import jobs, lease
from tests.backend.api.routes.pruning.test_curves import GUESS, add_point
from tests.backend.cli.test_commands import run
from tests.backend.store.samples import (
    add_checkpoint,
    add_epochs,
    add_evaluation,
    add_run,
)
from tests.worker_process import eventually

__all__ = ["run"]


def queued(store: Store) -> list[dict]:
    with store.read() as session:
        return [job.payload for job in jobs.page(session, kind=JobKind.CURVE)]


@contextmanager
def measuring(store: Store, work: Callable[[], None] = lambda: None, **end) -> Iterator[None]:
    """A worker that takes the curve as soon as it is queued, does its work and ends the job."""

    def take() -> lease.Lease | None:
        with store.write() as session:
            return lease.claim(
                session, owner="w", lanes=[Lane.INTERACTIVE], device="cpu", kinds=[JobKind.CURVE]
            )

    def serve() -> None:
        held = eventually(take, "the curve's job")
        work()
        with store.write() as session:
            lease.finish(session, held, **end)

    worker = threading.Thread(target=serve)
    worker.start()
    yield
    worker.join()


def rows(stdout: str) -> list[list[str]]:
    """Cells of the table: its lines end before the one on the lossless ratio."""
    return [line.split("  ") for line in stdout.splitlines()[1:-1]]


def asked(stdout: str) -> list[str]:
    return [next(cell for cell in row if cell.strip()).strip() for row in rows(stdout)]


def test_a_known_curve_is_a_table_with_its_lossless_ratio_and_queues_nothing(run, store, finished):
    result = run("curve", finished.id)
    assert result.exit_code == 0, result.output
    assert asked(result.stdout) == ["0 %", "25 %", "50 %", "75 %"]
    assert result.stdout.splitlines()[-1] == "lossless ratio of epoch 3: 50 %"
    assert "95 % interval" in result.stderr
    assert queued(store) == []


def test_fewer_rows_are_printed_on_demand_but_always_the_lossless_one(run, finished):
    assert asked(run("curve", finished.id, "--every", "75").stdout) == ["0 %", "50 %", "75 %"]
    assert run("curve", finished.id, "--every", "0").exit_code == 2


def test_an_estimate_says_from_how_many_images_and_how_sure(run, store, finished):
    add_point(store, finished.id, 0.3, GUESS)
    shown = run("curve", finished.id).stdout
    line = next(line for line in shown.splitlines() if line.strip().startswith("30 %"))
    assert line.split()[-8:] == ["1.00", "estimated", "60", "78", "%", "to", "90", "%"]
    assert "exact" in next(x for x in shown.splitlines() if x.strip().startswith("25 %"))


def test_all_points_are_json_for_programs(run, http, finished):
    told = json.loads(run("curve", finished.id, "--json").stdout)
    assert told == http.get(f"/api/v1/runs/{finished.id}/curve").json()


def test_what_is_not_known_is_measured_first(run, store, settings):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 3)
    add_checkpoint(store, settings.artifacts, run_id, 3)

    def work() -> None:
        for ratio, correct in ((0.0, 90), (0.5, 90), (0.75, 20)):
            plan = Plan(epoch=3, ratio=ratio)
            add_evaluation(store, run_id, plan, epoch=3, correct=correct, on_curve=True)

    with measuring(store, work, state=State.SUCCEEDED):
        result = run("curve", run_id, "--scope", "global")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "lossless ratio of epoch 3: 50 %"
    assert [payload["scope"] for payload in queued(store)] == ["global"]


def test_estimates_are_measured_exactly_on_demand_and_a_failure_is_told(run, store, finished):
    add_point(store, finished.id, 0.3, GUESS)
    error = {"code": "storage", "message": "The weights are gone.", "hint": "Train again."}
    with measuring(store, state=State.FAILED, error=error):
        result = run("curve", finished.id, "--exact")
    assert result.exit_code == 1
    assert "The weights are gone. Train again." in result.stderr
    assert "The job is failed." in result.stderr
    assert [payload["exact"] for payload in queued(store)] == [True]


def test_an_epoch_that_does_not_exist_is_refused_in_words(run, finished):
    result = run("curve", finished.id, "--epoch", "9")
    assert result.exit_code in (1, 2)
    assert "9" in result.stderr
