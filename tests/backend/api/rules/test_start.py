"""`init` of a submission: what a run cannot start from is refused before it is queued."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from recede.contract.spec.run import RunSpec
from recede.store.experiments import runs
from recede.store.queue import workers
from tests.backend.api.routes.training.test_runs import (
    RUNS,
    SPEC,
    n_jobs,
    refused,
)
from tests.backend.catalog import CATALOG
from tests.backend.store.samples import (
    SHAPE,
    add_checkpoint,
    add_epochs,
)


@pytest.fixture
def parent(http, store, settings) -> str:
    """A run of the catalog's network with three epochs and the weights of the last two."""
    run_id = http.post(RUNS, json=SPEC).json()["run"]["id"]
    add_epochs(store, run_id, 3)
    for epoch in (2, 3):
        add_checkpoint(store, settings.artifacts, run_id, epoch)
    return run_id


PLAIN = {"method": "ucs", "method_params": {}}
"""A method with ordinary batch norm."""


def spec_from(init: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**SPEC, "init": init, **changes}


def refusal(http, store, body: dict[str, Any], status: int = 422) -> dict[str, str]:
    before = n_jobs(store)
    error = refused(http.post(RUNS, json=body), status)
    assert n_jobs(store) == before
    return error


def test_a_fine_tuning_has_no_penalty_unless_one_is_asked_for(http, parent):
    init = {"run": parent, "plan": {"ratio": 0.5}}
    made = http.post(RUNS, json=spec_from(init)).json()["run"]["spec"]
    assert made["method_params"] == {"lam": 0.0, "shift": 3.0}
    assert made["init"]["plan"]["ratio"] == 0.5
    asked = http.post(RUNS, json=spec_from(init, method_params={"lam": 0.01}))
    assert asked.json()["run"]["spec"]["method_params"]["lam"] == 0.01
    other = http.post(RUNS, json=spec_from(init, method="ucs"))
    assert other.json()["run"]["spec"]["method_params"] == {}


def test_a_run_that_goes_on_from_another_is_penalised_as_usual(http, parent):
    made = http.post(RUNS, json=spec_from({"run": parent})).json()["run"]["spec"]
    usual = http.post(RUNS, json=SPEC).json()["run"]["spec"]
    assert made["method_params"] == usual["method_params"]
    assert made["method_params"]["lam"] > 0


@pytest.mark.parametrize(
    ("changes", "of_parent", "scale"),
    [
        ({}, {}, "bounded"),  # its logits go on
        ({}, PLAIN, "gate"),
        ({"scale": "bounded"}, PLAIN, "bounded"),
        ({"scale": "gate"}, {}, "gate"),
        (PLAIN, {}, "auto"),
        ({"epochs": 0}, PLAIN, "plain"),  # gates begin at random, and nothing would move them
        ({"epochs": 0}, {}, "bounded"),
        ({"method_params": {"lam": 0.0}}, PLAIN, "plain"),
        ({"scale": "plain", "method_params": {"lam": 0.0}}, {}, "plain"),
    ],
)
def test_weights_that_had_ordinary_batch_norm_get_gates_unless_told_otherwise(
    http, store, settings, changes, of_parent, scale
):
    run_id = http.post(RUNS, json={**SPEC, **of_parent}).json()["run"]["id"]
    add_epochs(store, run_id, 1)
    add_checkpoint(store, settings.artifacts, run_id, 1)
    made = http.post(RUNS, json=spec_from({"run": run_id}, **changes)).json()["run"]["spec"]
    assert made["scale"] == scale


def test_a_gated_run_hands_its_gates_on(http, store, settings, parent):
    gated = http.post(RUNS, json=spec_from({"run": parent}, scale="gate")).json()["run"]["id"]
    add_epochs(store, gated, 1)
    add_checkpoint(store, settings.artifacts, gated, 1)
    made = http.post(RUNS, json=spec_from({"run": gated})).json()["run"]["spec"]
    assert made["scale"] == "gate"


def test_a_fine_tuning_without_a_penalty_leaves_ordinary_batch_norm_as_it_is(
    http, store, settings
):
    run_id = http.post(RUNS, json={**SPEC, **PLAIN}).json()["run"]["id"]
    add_epochs(store, run_id, 1)
    add_checkpoint(store, settings.artifacts, run_id, 1)
    init = {"run": run_id, "plan": {"ratio": 0.5}}
    assert http.post(RUNS, json=spec_from(init)).json()["run"]["spec"]["scale"] == "plain"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scale": "gate", "epochs": 0}, "begin at random"),
        ({"scale": "plain"}, "acts on bounded importances"),
    ],
)
def test_a_scale_that_no_importance_would_follow_is_refused(http, store, parent, changes, said):
    error = refusal(http, store, spec_from({"run": parent}, **changes))
    assert error["field"] == "scale"
    assert said in error["message"]
    assert "auto" in error["hint"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scale": "gate"}, "no weights are given"),
        ({"scale": "plain"}, "no weights are given"),
        ({**PLAIN, "scale": "gate"}, "trains ordinary batch norm"),
        ({**PLAIN, "scale": "bounded"}, "trains ordinary batch norm"),
    ],
)
def test_a_scale_that_does_not_fit_is_refused_at_its_field(http, store, changes, said):
    error = refusal(http, store, {**SPEC, **changes})
    assert error["field"] == "scale"
    assert said in error["message"]
    assert "auto" in error["hint"]


def test_a_run_is_fed_as_the_one_that_it_starts_from_unless_it_says_otherwise(
    http, store, settings
):
    grey = {"mean": [0.3], "std": [0.25]}
    parent = http.post(RUNS, json={**SPEC, "normalize": grey}).json()["run"]["id"]
    add_epochs(store, parent, 1)
    add_checkpoint(store, settings.artifacts, parent, 1)
    made = http.post(RUNS, json=spec_from({"run": parent})).json()["run"]["spec"]
    assert made["normalize"] == grey
    own = http.post(RUNS, json=spec_from({"run": parent}, normalize="images"))
    assert own.json()["run"]["spec"]["normalize"] == "images"


def test_a_run_that_does_not_exist_is_refused_at_its_field(http, store):
    error = refusal(http, store, spec_from({"run": "nothere2"}))
    assert error["field"] == "init.run"
    assert "'nothere2'" in error["message"]


def test_a_run_without_weights_is_refused_as_a_conflict(http, store):
    young = http.post(RUNS, json=SPEC).json()["run"]["id"]
    for init in ({"run": young}, {"run": young, "plan": {"ratio": 0.1}}):
        error = refusal(http, store, spec_from(init), 409)
        assert error["field"] == "init.run"
        assert "no weights yet" in error["message"]


def test_an_epoch_whose_weights_were_not_kept_names_the_nearest(http, store, parent):
    error = refusal(
        http, store, spec_from({"run": parent, "plan": {"epoch": 1, "ratio": 0.1}}), 409
    )
    assert (error["code"], error["field"]) == ("weights_gone", "init.plan.epoch")
    assert "epoch 2" in error["hint"]


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"ratio": 0.5, "locks": ["c"]}, "init.plan.locks"),
        ({"ratio": 0.5, "overrides": {"c": 0.1}}, "init.plan.overrides.c"),
        ({"ratio": 0.5, "threshold": 0.1}, "init.plan"),
        ({"ratio": 1.5}, "init.plan.ratio"),
        ({"epoch": 99, "ratio": 0.5}, "init.plan.epoch"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_at_its_field(http, store, parent, plan, field):
    status = 409 if "epoch" in plan else 422
    assert refusal(http, store, spec_from({"run": parent, "plan": plan}), status)["field"] == field


def test_another_network_than_the_parents_is_refused(http, store, parent):
    body = spec_from({"run": parent}, architecture_params={"width": 0.5})
    error = refusal(http, store, body)
    assert error["field"] == "init.run"
    assert "tiny (width 1.0)" in error["message"]
    assert "tiny (width 0.5)" in error["message"]


def announced(store, **changes: Any) -> None:
    """A worker whose data set has other images."""
    first, *others = CATALOG.datasets
    datasets = (first.model_copy(update=changes), *others)
    with store.write() as session:
        workers.announce(
            session,
            id_="newer",
            host="here",
            pid=2,
            catalog=CATALOG.model_copy(update={"datasets": datasets}),
            versions={},
        )


def test_images_of_other_channels_are_refused(http, store, parent):
    announced(store, channels=3)
    error = refusal(http, store, spec_from({"run": parent}))
    assert f"images of {SHAPE.input_shape[0]} channels" in error["message"]


def test_other_classes_need_a_new_head(http, store, parent):
    announced(store, classes=7)
    error = refusal(http, store, spec_from({"run": parent}))
    assert error["field"] == "init.new_head"
    assert error["message"] == "The head has 10 outputs, this data set has 7 classes."
    made = http.post(RUNS, json=spec_from({"run": parent, "new_head": True}))
    assert made.status_code == 201


def test_a_parent_cannot_be_deleted_before_its_heir_has_begun(http, store, parent):
    http.post(f"{RUNS}/{parent}/cancel")
    heir = http.post(RUNS, json=spec_from({"run": parent})).json()["run"]["id"]
    assert heir in refused(http.delete(f"{RUNS}/{parent}"), 409)["message"]
    http.post(f"{RUNS}/{heir}/cancel")
    assert http.delete(f"{RUNS}/{parent}").status_code == 200


@pytest.fixture
def worker_here(store, announce) -> None:
    """The only worker runs on this machine, so it sees the same files."""
    with store.write() as session:
        for row, _ in workers.all_workers(session):
            row.host = socket.gethostname()


def safetensors(header: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


GOOD = safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4))


def test_a_file_under_the_data_root_is_queued(http, settings, worker_here):
    (settings.datasets / "w.safetensors").write_bytes(GOOD)
    made = http.post(RUNS, json=spec_from({"file": "w.safetensors"}))
    assert made.status_code == 201
    assert made.json()["run"]["spec"]["init"]["file"] == "w.safetensors"


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("none.safetensors", "no file"),
        ("../recede.db", "is outside"),
        ("/etc/passwd", "is outside"),
        ("cut.safetensors", "its header says"),
        ("w.h5", "no known ending"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(http, store, settings, worker_here, file, words):
    (settings.datasets / "cut.safetensors").write_bytes(GOOD[:-1])
    (settings.datasets / "w.h5").write_bytes(b"x")
    error = refusal(http, store, spec_from({"file": file}))
    assert error["field"] == "init.file"
    assert words in error["message"]


@pytest.mark.parametrize(
    ("classes", "words"),
    [("none.txt", "no file"), ("one.txt", "does not name two"), ("../x.txt", "is outside")],
)
def test_names_of_outputs_that_cannot_be_read_are_refused(
    http, store, settings, worker_here, classes, words
):
    (settings.datasets / "w.safetensors").write_bytes(GOOD)
    (settings.datasets / "one.txt").write_text("cat")
    init = {"file": "w.safetensors", "classes": classes}
    error = refusal(http, store, spec_from(init))
    assert error["field"] == "init.classes"
    assert words in error["message"]
    for good in ("imagenet1k", ["cat", "dog"]):
        made = http.post(RUNS, json=spec_from(init | {"classes": good}))
        assert made.json()["run"]["spec"]["init"]["classes"] == good


@pytest.mark.parametrize("classes", [["cat"], ["cat", ""], "", 3])
def test_names_of_outputs_of_another_form_are_refused_at_their_field(http, store, classes):
    error = refusal(http, store, spec_from({"file": "w.pt", "classes": classes}))
    assert error["field"].startswith("init.classes")


def test_a_file_on_another_machine_is_left_for_its_worker(http, app):
    assert http.post(RUNS, json=spec_from({"file": "there.safetensors"})).status_code == 201


@pytest.mark.parametrize(
    "init", [{}, {"file": "a.pt", "run": "abc"}, {"file": "a.pt", "plan": {"ratio": 0.1}}]
)
def test_one_source_must_be_named(http, store, app, init):
    assert refusal(http, store, spec_from(init))["field"] == "init"


def test_the_stored_spec_is_what_the_worker_reads(http, store, parent):
    init = {"run": parent, "plan": {"ratio": 0.25, "locks": ["a"]}}
    made = http.post(RUNS, json=spec_from(init)).json()["run"]["id"]
    with store.read() as session:
        spec = RunSpec.model_validate(runs.get(session, made).spec)
    assert spec.fine_tunes
    assert spec.init is not None
    assert spec.init.plan is not None
    assert spec.init.plan.locks == ("a",)
