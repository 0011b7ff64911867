"""Groups in the store: made whole, found again by their key, cancelled and deleted as one."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticSerializationError

from recede.contract.errors import Conflict, NotFound
from recede.contract.spec.grid import cells
from recede.contract.spec.run import RunSpec
from recede.contract.states import Lane
from recede.store.database.engine import Store
from recede.store.events import log
from recede.store.experiments import (
    groups,
    history,
    runs,
)
from recede.store.queue import jobs, lease
from tests.backend.store.samples import (
    SPEC,
    add_epochs,
    add_run,
)

AXES = {"seed": [5, 3, 9], "lr": [0.1, 0.2]}


def add_group(store: Store, key: str | None = None) -> tuple[str, list[str]]:
    """A group of six queued runs; its id and theirs, in the order of the axes."""
    specs = [RunSpec.model_validate(cell.spec) for cell in cells(SPEC, AXES)]
    with store.write() as session:
        row = groups.create(session, specs, name="six", base=SPEC, axes=AXES, idempotency_key=key)
        return row.id, [run.id for run in groups.members_of(session, [row.id])[row.id]]


def test_a_group_keeps_its_runs_in_the_order_of_the_axes(store: Store):
    group_id, run_ids = add_group(store)
    add_run(store)
    with store.read() as session:
        specs = [runs.get(session, run_id).spec for run_id in run_ids]
        assert [(s["seed"], s["lr"]) for s in specs] == [
            (5, 0.1), (5, 0.2), (3, 0.1), (3, 0.2), (9, 0.1), (9, 0.2)
        ]  # fmt: skip
        assert {run.id for run in runs.page(session, group=group_id)} == set(run_ids)
        group = groups.get(session, group_id)
        assert (group.axes, list(group.axes), group.name) == (AXES, list(AXES), "six")
        assert len(jobs.page(session)) == 7


def test_the_same_key_finds_the_group_again_and_another_body_is_refused(store: Store):
    group_id, _ = add_group(store, key="k")
    with store.read() as session:
        found = groups.known(session, "k", base=SPEC, axes=AXES)
        assert found is not None
        assert found.id == group_id
        assert groups.known(session, None, base=SPEC, axes=AXES) is None
        assert groups.known(session, "other", base=SPEC, axes=AXES) is None
        for base, axes in ((SPEC, {"seed": [1, 2]}), (SPEC.model_copy(update={"lr": 1}), AXES)):
            with pytest.raises(Conflict, match="another group"):
                groups.known(session, "k", base=base, axes=axes)


def test_a_group_that_fails_half_way_leaves_nothing(store: Store):
    broken = SPEC.model_copy(update={"method_params": {"lam": object()}})  # no JSON holds this
    with pytest.raises(PydanticSerializationError), store.write() as session:
        groups.create(session, [SPEC, broken], name="", base=SPEC, axes=AXES)
    with store.read() as session:
        assert groups.page(session, limit=9) == []
        assert runs.page(session) == []


def test_groups_are_listed_newest_first_page_by_page(store: Store):
    made = [add_group(store)[0] for _ in range(3)]
    with store.read() as session:
        first = groups.page(session, limit=2)
        last = first[-1]
        rest = groups.page(session, limit=2, cursor=(last.created_at, last.id))
    assert {row.id for row in (*first, *rest)} == set(made)
    assert len(first) == 2
    assert len(rest) == 1


def test_cancelling_ends_what_waits_and_asks_what_runs(store: Store):
    group_id, run_ids = add_group(store)
    with store.write() as session:
        lease.claim(session, owner="w", lanes=[Lane.TRAINING], device="cpu")
    with store.write() as session:
        groups.cancel(session, group_id)
    with store.read() as session:
        states = [runs.get(session, run_id).state for run_id in run_ids]
        assert states == ["running"] + 5 * ["cancelled"]
        assert jobs.train_job(session, run_ids[0]).cancel_requested_at is not None
    with pytest.raises(NotFound), store.write() as session:
        groups.cancel(session, "none")


def test_a_group_without_work_has_nothing_to_cancel(store: Store):
    group_id, _ = add_group(store)
    with store.write() as session:
        groups.cancel(session, group_id)
    with pytest.raises(Conflict, match="no work"), store.write() as session:
        groups.cancel(session, group_id)


def test_a_group_is_deleted_whole_or_not_at_all(store: Store):
    group_id, run_ids = add_group(store)
    with pytest.raises(Conflict, match=run_ids[0]), store.write() as session:
        groups.remove(session, group_id)
    with store.write() as session:
        groups.cancel(session, group_id)
    with store.write() as session:
        assert groups.remove(session, group_id) == run_ids
    with store.read() as session:
        assert runs.page(session) == []
        assert groups.page(session, limit=9) == []
        told = [row for row in log.after(session, 0) if row.type == "group"]
    assert told[-1].data == {"id": group_id, "deleted": True}


def test_a_group_goes_with_its_last_run(store: Store):
    group_id, run_ids = add_group(store)
    with store.write() as session:
        groups.cancel(session, group_id)
    for run_id in run_ids:
        with store.write() as session:
            assert groups.get(session, group_id)
            runs.remove(session, run_id)
    with store.read() as session, pytest.raises(NotFound):
        groups.get(session, group_id)


def test_a_notice_replaces_the_one_of_its_code_and_is_told(store: Store):
    run_id, _ = add_run(store)
    with store.write() as session:
        runs.notice(session, run_id, code="flat", message="At chance.", epoch=2)
        runs.notice(session, run_id, code="slow", message="Slow.", hint="Wait.")
        runs.notice(session, run_id, code="flat", message="Still at chance.", epoch=3)
        runs.notice(session, run_id, code="flat", message="Still at chance.", epoch=3)
    with store.read() as session:
        kept = runs.get(session, run_id).notices
        told = [row.data for row in log.after(session, 0) if row.type == "notice"]
    assert [(n["code"], n["message"], n["epoch"]) for n in kept] == [
        ("slow", "Slow.", None),
        ("flat", "Still at chance.", 3),
    ]
    assert [one["message"] for one in told] == ["At chance.", "Slow.", "Still at chance."]
    assert told[1] == {"code": "slow", "message": "Slow.", "hint": "Wait.", "epoch": None}


def test_a_notice_that_no_longer_holds_is_taken_back_once(store: Store):
    run_id, _ = add_run(store)
    with store.write() as session:
        runs.notice(session, run_id, code="flat", message="At chance.")
        runs.notice(session, run_id, code="slow", message="Slow.")
        runs.clear_notice(session, run_id, "flat")
        runs.clear_notice(session, run_id, "flat")
    with store.read() as session:
        assert [n["code"] for n in runs.get(session, run_id).notices] == ["slow"]
        told = [row.data for row in log.after(session, 0) if row.type == "notice"]
    assert [one["message"] for one in told] == ["At chance.", "Slow.", None]


def test_polarisation_is_kept_with_its_snapshot(store: Store):
    run_id, _ = add_run(store)
    add_epochs(store, run_id, 2)
    bare, _ = add_run(store)
    with store.read() as session:
        found = history.polarisations(session, run_id)
        latest = history.latest_polarisations(session, [run_id, bare, "none"])
        told = [row.data for row in log.after(session, 0) if row.type == "epoch"]
    assert [epoch for epoch, _ in found] == [0, 1, 2]
    assert set(found[0][1]["layers"]) == {"a", "b"}
    assert latest == {run_id: found[-1][1]}
    assert told[-1]["polarisation"] == found[-1][1]["overall"]
