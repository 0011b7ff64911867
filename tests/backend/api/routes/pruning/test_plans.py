"""/runs/{id}/plans: cuts that are kept with a run under a name."""

from __future__ import annotations

import pytest

from recede.contract.spec.run import Plan
from recede.store.events import log
from recede.store.experiments import plans, runs
from tests.backend.api.routes.training.test_runs import refused
from tests.backend.store.samples import add_epochs, add_run

PLAN = {"epoch": 2, "ratio": 0.5, "locks": ["a"], "round_to": 4}


@pytest.fixture
def kept(finished):
    """Where the plans of a finished run are."""
    return f"/api/v1/runs/{finished.id}/plans"


def told(store, run_id):
    with store.read() as session:
        rows = log.after(session, 0, run_id=run_id)
        return [row.data for row in rows if row.type == "plan"]


def test_a_plan_is_kept_listed_and_read_back_as_it_was_given(http, kept):
    body = {"name": "  small  ", "notes": "for the phone", "plan": PLAN}
    answer = http.post(kept, json=body)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["notes"]) == ("small", "for the phone")
    assert Plan.model_validate(made["plan"]) == Plan.model_validate(PLAN)
    assert made["created_at"] == made["updated_at"]
    assert http.get(kept).json() == {"items": [made], "next": None}
    assert http.get(f"{kept}/{made['id']}").json() == made


def test_plans_are_listed_in_the_order_in_which_they_were_saved(http, kept):
    for name in ("b", "c", "a"):
        http.post(kept, json={"name": name, "plan": {"ratio": 0.1}})
    assert [plan["name"] for plan in http.get(kept).json()["items"]] == ["b", "c", "a"]


@pytest.mark.parametrize(
    "patch", [{"name": "other"}, {"notes": "why"}, {"plan": {**PLAN, "ratio": 0.25}}, {}]
)
def test_what_a_change_leaves_out_stays(http, kept, patch):
    made = http.post(kept, json={"name": "one", "notes": "first", "plan": PLAN}).json()
    changed = http.patch(f"{kept}/{made['id']}", json=patch).json()
    assert changed["updated_at"] >= made["updated_at"]
    if "plan" in patch:
        patch = {"plan": Plan.model_validate(patch["plan"]).model_dump(mode="json")}
    assert {**changed, "updated_at": 0} == {**made, **patch, "updated_at": 0}
    assert http.get(f"{kept}/{made['id']}").json() == changed


def test_a_deleted_plan_is_gone_and_its_name_is_free_again(http, kept):
    made = http.post(kept, json={"name": "one", "plan": PLAN}).json()
    answer = http.delete(f"{kept}/{made['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert http.get(kept).json()["items"] == []
    for method in ("GET", "DELETE"):
        assert "no plan" in refused(http.request(method, f"{kept}/{made['id']}"), 404)["message"]
    assert http.post(kept, json={"name": "one", "plan": PLAN}).status_code == 201


def test_a_name_is_used_once_in_a_run_and_freely_in_another(http, store, kept):
    http.post(kept, json={"name": "one", "plan": PLAN})
    again = http.post(kept, json={"name": "one", "plan": PLAN})
    assert (refused(again, 409)["field"], len(http.get(kept).json()["items"])) == ("name", 1)
    two = http.post(kept, json={"name": "two", "plan": PLAN}).json()
    assert refused(http.patch(f"{kept}/{two['id']}", json={"name": "one"}), 409)["field"] == "name"
    assert http.patch(f"{kept}/{two['id']}", json={"name": "two"}).status_code == 200
    other, _ = add_run(store)
    add_epochs(store, other, 2)
    elsewhere = http.post(f"/api/v1/runs/{other}/plans", json={"name": "one", "plan": PLAN})
    assert elsewhere.status_code == 201
    assert refused(http.get(f"{kept}/{elsewhere.json()['id']}"), 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"plan": PLAN}, "name"),
        ({"name": "", "plan": PLAN}, "name"),
        ({"name": "   ", "plan": PLAN}, "name"),
        ({"name": "x" * 81, "plan": PLAN}, "name"),
        ({"name": "a\0b", "plan": PLAN}, "name"),
        ({"name": "x", "notes": 3, "plan": PLAN}, "notes"),
        ({"name": "x", "notes": "n" * 10_001, "plan": PLAN}, "notes"),
        ({"name": "x"}, "plan"),
        ({"name": "x", "plan": {}}, "plan"),
        ({"name": "x", "plan": {"ratio": 1}}, "plan.ratio"),
        ({"name": "x", "plan": {"ratio": 0.5, "epoch": 99}}, "plan.epoch"),
        ({"name": "x", "plan": {"ratio": 0.5, "locks": ["c"]}}, "plan.locks"),
        ({"name": "x", "plan": {"ratio": 0.5, "overrides": {"c": 0.1}}}, "plan.overrides.c"),
        ({"name": "x", "plan": {"ratio": 0.5, "round_to": 0}}, "plan.round_to"),
        ({"name": "x", "plan": PLAN, "note": ""}, "note"),
    ],
)
def test_a_plan_that_cannot_be_used_is_refused_at_its_field_and_nothing_is_kept(
    http, kept, body, field
):
    assert refused(http.post(kept, json=body))["field"] == field
    assert http.get(kept).json()["items"] == []


def test_a_bad_change_leaves_the_plan_as_it_was(http, kept):
    made = http.post(kept, json={"name": "one", "plan": PLAN}).json()
    for patch in ({"name": ""}, {"plan": {"ratio": 0.5, "epoch": 99}}, {"id": 3}):
        assert refused(http.patch(f"{kept}/{made['id']}", json=patch))
    assert http.get(f"{kept}/{made['id']}").json() == made


def test_a_run_keeps_a_bounded_number_of_plans(http, store, kept, finished):
    with store.write() as session:
        for number in range(plans.MOST):
            plans.create(session, finished.id, name=str(number), notes="", plan=Plan(ratio=0.5))
    refusal = refused(http.post(kept, json={"name": "one more", "plan": PLAN}), 409)
    assert "Delete one" in refusal["hint"]
    assert len(http.get(kept).json()["items"]) == plans.MOST


def test_a_run_without_epochs_keeps_no_plan_yet(http, store):
    run_id, _ = add_run(store)
    answer = http.post(f"/api/v1/runs/{run_id}/plans", json={"name": "x", "plan": PLAN})
    assert "no finished epoch" in refused(answer, 409)["message"]


@pytest.mark.parametrize("plan_id", ["0", "nope", "-1", "1.5", "99999999999999999999"])
def test_ids_that_are_none_are_not_found(http, kept, plan_id):
    for method in ("GET", "DELETE"):
        assert refused(http.request(method, f"{kept}/{plan_id}"), 404)
    assert refused(http.patch(f"{kept}/{plan_id}", json={"name": "x"}), 404)


def test_plans_of_a_run_that_does_not_exist_are_not_found(http):
    for method in ("GET", "POST"):
        body = {"name": "x", "plan": PLAN} if method == "POST" else None
        assert refused(http.request(method, "/api/v1/runs/nope/plans", json=body), 404)


def test_every_change_is_told_to_who_listens(http, store, kept, finished):
    made = http.post(kept, json={"name": "one", "plan": PLAN}).json()["id"]
    http.patch(f"{kept}/{made}", json={"name": "two"})
    http.delete(f"{kept}/{made}")
    assert told(store, finished.id) == [
        {"id": made, "name": "one", "deleted": False},
        {"id": made, "name": "two", "deleted": False},
        {"id": made, "name": "two", "deleted": True},
    ]


def test_plans_go_with_their_run(http, store, kept, finished):
    http.post(kept, json={"name": "one", "plan": PLAN})
    http.post(f"/api/v1/runs/{finished.id}/cancel")
    assert http.delete(f"/api/v1/runs/{finished.id}").status_code == 200
    with store.read() as session:
        assert plans.of_run(session, finished.id) == []
        assert runs.page(session, limit=1) == []


def test_the_client_saves_changes_and_deletes(recede, finished):
    made = recede.save_plan(finished.id, "one", Plan(ratio=0.5), notes="first")
    assert recede.plans(finished.id).items == [made]
    changed = recede.change_plan(finished.id, made.id, name="two", plan=Plan(threshold=0.2))
    assert (changed.name, changed.notes, changed.plan.threshold) == ("two", "first", 0.2)
    assert recede.plan(finished.id, made.id) == changed
    assert recede.delete_plan(finished.id, made.id) is None
    assert recede.plans(finished.id).items == []
