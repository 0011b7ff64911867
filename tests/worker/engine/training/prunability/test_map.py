"""The prunability map: what it measures, and that training never notices it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from recede.contract.spec.run import Plan
from recede.store.experiments import history, runs
from recede.store.queue import lease as leases
from recede.store.results import evaluations, maps
from recede.store.results.maps import RATIOS
from recede_worker.core.cutting.surgery import Surgeon
from recede_worker.engine.evaluation.evaluate_job import accuracy_of_cut
from recede_worker.engine.job.stop import Cancelled
from recede_worker.engine.training.prunability.budget import (
    Budget,
    Costs,
    Ledger,
)
from recede_worker.engine.training.prunability.map import Prunability, undisturbed
from recede_worker.engine.training.trainer_state import load_state
from tests.worker.engine.claimed_job import (
    SMALL,
    claimed,
    snapshots,
)

PLACE = {"criterion": "importance", "scope": "global", "bias": "drop"}
SPEC = SMALL.model_copy(update={"val_fraction": 0.3})


def rich(patch: pytest.MonkeyPatch, n: int | None = None) -> None:
    """Time enough for a map of every epoch; on n images, or on all."""
    earn = Ledger.earn

    def generous(ledger: Ledger, epoch_s: float) -> None:
        earn(ledger, epoch_s if ledger.share == 0 else 1e6)

    patch.setattr(Ledger, "earn", generous)
    if n is not None:
        patch.setattr(Costs, "images", lambda *_: n)
        patch.setattr("recede_worker.engine.training.prunability.budget.ENOUGH", n)


def points(job):
    with job.store.read() as session:
        return list(maps.points(session, job.run_id, PLACE))


def at_cut(job, epoch: int, act) -> None:
    """Do something in the middle of an epoch's map, after some of its cuts."""
    original = job.publish

    def publish(progress):
        original(progress)
        if (progress["stage"], progress["done"], progress.get("epoch")) == ("measuring", 4, epoch):
            act()

    job.publish = publish


@pytest.fixture(scope="module")
def mapped(tmp_path_factory) -> Iterator:
    """A run whose map was measured on a part of the images, trained once for this module."""
    from recede.store.database.engine import open_store, sqlite_url
    from recede_worker.engine.job.settings import WorkerSettings

    folder = tmp_path_factory.mktemp("mapped")
    settings = WorkerSettings(sqlite_url(folder / "db"), folder / "files", (folder,), threads=1)
    store = open_store(settings.store_url)
    with store.write() as session:
        runs.create(session, SPEC)
    job = claimed(settings, store)
    said: list[str] = []
    job.log = said.append
    with pytest.MonkeyPatch.context() as patch:
        rich(patch, n=200)
        job.perform()
    yield job, said
    store.close()


def test_each_epoch_has_a_point_for_every_ratio_and_the_log_says_what_it_took(mapped):
    job, said = mapped
    found = points(job)
    assert [(p.epoch, p.ask) for p in found] == [(e, r) for e in (1, 2, 3) for r in RATIOS]
    assert sum("validation images in" in line for line in said) == 3


def test_points_are_cuts_of_that_epoch_with_their_real_ratio_and_cost(mapped):
    job, _ = mapped
    for epoch in (1, 3):
        trained = job.trained(epoch)
        for point in points(job)[16 * (epoch - 1) : 16 * epoch : 5]:
            plan = Plan(epoch=epoch, ratio=point.ask)
            selection = job.select(trained, plan)
            assert (point.digest, point.ratio) == (selection.digest, selection.ratio)
            cost = trained.cost(selection)
            assert (point.params, point.macs) == (cost.params, cost.macs)


def test_a_point_says_that_it_is_estimated_and_from_how_many_images(mapped):
    job, _ = mapped
    for point in points(job):
        whole = point.ask == 0
        assert point.kind == ("measured" if whole else "estimated")
        assert point.n == (point.n_split if whole else 200)
        assert point.low <= point.split_low <= point.value <= point.split_high <= point.high
        assert (point.split_low == point.split_high) == whole


def test_the_dense_point_is_the_epochs_own_accuracy(mapped):
    job, _ = mapped
    with job.store.read() as session:
        rows = history.epochs(session, job.run_id, after=0)
    dense = [point.value for point in points(job) if point.ask == 0]
    assert dense == [row.val_correct / row.n_val for row in rows]


def test_estimates_agree_with_the_whole_split(mapped):
    """All cuts of three epochs: nearly all intervals hold what the whole split gives."""
    job, _ = mapped
    inside = []
    for epoch in (1, 2, 3):
        trained = job.trained(epoch)
        for point in points(job)[16 * (epoch - 1) + 1 : 16 * epoch : 3]:
            row = accuracy_of_cut(job.handle, trained, Plan(epoch=epoch, ratio=point.ask))
            inside.append(point.split_low <= row.correct / row.n <= point.split_high)
    assert sum(inside) >= len(inside) - 1


def test_training_is_the_same_to_the_last_bit_with_and_without_the_map(
    mapped, submit, store, settings
):
    with_map, _ = mapped
    plain = submit(SPEC.model_copy(update={"map_budget": 0.0}))
    plain.perform()
    assert points(plain) == []
    ours, theirs = (load_state(c.folder) for c in (with_map, plain))
    assert ours is not None
    assert theirs is not None
    assert all(torch.equal(ours.model[name], theirs.model[name]) for name in theirs.model)
    for mine, other in zip(
        ours.optimiser["state"].values(), theirs.optimiser["state"].values(), strict=True
    ):
        assert torch.equal(mine["momentum_buffer"], other["momentum_buffer"])
    assert snapshots(with_map)[1].tobytes() == snapshots(plain)[1].tobytes()


def test_random_numbers_drawn_meanwhile_are_given_back():
    torch.manual_seed(3)
    with undisturbed(torch.device("cpu")):
        torch.rand(10)
    after = torch.rand(4)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(4))


def test_equal_cuts_are_measured_once_and_protected_layers_stay_whole(
    mapped, submit, store, monkeypatch
):
    cuts: list[bytes] = []
    cut = Surgeon.cut

    def counting(surgeon, mask, *more, **options):
        cuts.append(mask.tobytes())
        return cut(surgeon, mask, *more, **options)

    monkeypatch.setattr(Surgeon, "cut", counting)
    rich(monkeypatch)
    job = submit(SPEC.model_copy(update={"epochs": 1}))
    with store.write() as session:
        first, *others = shape_of(mapped[0]).groups
        protected = [group.name for group in others]
        runs.set_results(session, job.run_id, protected=protected)
    job.perform()
    assert first.size < len(RATIOS)  # so some ratios ask for the same cut
    found = points(job)
    distinct = {point.digest for point in found}
    assert len(distinct) < len(found) == 16
    assert len(set(cuts)) <= len(distinct)
    assert len(cuts) <= len(distinct) + 1  # one more says how long a cut takes
    for digest in distinct:
        same = {(p.value, p.n, p.ratio) for p in found if p.digest == digest}
        assert len(same) == 1
    assert max(point.ratio for point in found) <= first.size / shape_of(job).n_neurons


def shape_of(job):
    with job.store.read() as session:
        return history.network(session, job.run_id)


def test_a_map_on_all_images_is_measured_and_equals_the_evaluation(submit, monkeypatch):
    rich(monkeypatch)
    job = submit(SPEC.model_copy(update={"epochs": 1}))
    job.perform()
    trained = job.trained(1)
    for point in points(job)[::4]:
        row = accuracy_of_cut(job.handle, trained, Plan(epoch=1, ratio=point.ask))
        assert (point.kind, point.n) == ("measured", row.n)
        assert point.value == row.correct / row.n


def test_when_nothing_fits_there_is_no_map_and_no_time_is_spent(submit, monkeypatch):
    spent: list[float] = []
    monkeypatch.setattr(Ledger, "pay", lambda _ledger, seconds: spent.append(seconds))
    monkeypatch.setattr(Budget, "images", lambda *_: 0)
    job = submit(SPEC.model_copy(update={"epochs": 1}))
    job.perform()
    assert points(job) == []
    assert all(seconds >= 0 for seconds in spent[1:]) or not spent


@pytest.mark.parametrize("stop", ["cancelled", "killed"])
def test_stopped_in_the_middle_of_the_map_nothing_is_half_there(
    mapped, submit, store, settings, monkeypatch, stop
):
    whole, _ = mapped
    rich(monkeypatch, n=200)
    job = submit(SPEC)

    class Killed(BaseException):
        """The process ends here: nothing after this line is done."""

    def act() -> None:
        if stop == "killed":
            raise Killed
        job.cancelled.set()

    at_cut(job, 2, act)
    with pytest.raises(Cancelled if stop == "cancelled" else Killed):
        job.perform()
    assert {point.epoch for point in points(job)} == {1}
    assert snapshots(job)[0] == [0, 1, 2]  # the epoch itself was recorded before
    with store.write() as session:
        leases.hand_back(session, job.lease)
    resumed = claimed(settings, store)
    resumed.perform()
    assert {point.epoch for point in points(resumed)} == {1, 3}
    assert snapshots(resumed)[1].tobytes() == snapshots(whole)[1].tobytes()


def test_a_job_that_was_taken_over_adds_nothing_to_the_map(submit, store, settings, monkeypatch):
    rich(monkeypatch, n=200)
    job = submit(SPEC)

    def lose() -> None:
        with store.write() as session:
            leases.hand_back(session, job.lease)
        claimed(settings, store)

    at_cut(job, 1, lose)
    with pytest.raises(leases.LeaseLost):
        job.perform()
    assert points(job) == []


def test_a_map_that_cannot_be_measured_ends_with_a_notice_and_the_training_goes_on(
    submit, store, monkeypatch
):
    rich(monkeypatch, n=200)

    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(Prunability, "_surgeon", broken)
    job = submit(SPEC)
    job.perform()
    with store.read() as session:
        run = runs.get(session, job.run_id)
    assert run.epochs_done == 3
    (told,) = [one for one in run.notices if one["code"] == "map_ended"]
    assert "out of memory" in told["message"]
    assert told["epoch"] == 1
    assert points(job) == []


def test_weights_that_can_be_cut_are_those_of_the_kept_epochs(mapped):
    job, _ = mapped
    with job.store.read() as session:
        rows = evaluations.checkpoints(session, job.run_id)
        kept = maps.kept_epochs(session, job.run_id)
    assert kept == sorted(row.epoch for row in rows)
