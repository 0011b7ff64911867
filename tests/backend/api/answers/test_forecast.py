"""What a check tells of a training's time and memory, and where it knows it from."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from recede.contract.cut.selection import select
from recede.contract.network.cost import cost, dense_cost
from recede.contract.spec.catalog import Catalog
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.run import (
    Init,
    Plan,
    RunSpec,
)
from recede.store.database.engine import Store
from recede.store.queue import jobs, workers
from recede.store.tables.runs import EpochRow, NetworkRow
from tests.backend.api.routes.training.test_runs import RUNS, SPEC
from tests.backend.catalog import CATALOG
from tests.backend.store.samples import (
    SHAPE,
    add_checkpoint,
    add_epochs,
    add_run,
    raw_scales,
)

FITTING = SHAPE.model_copy(update={"input_shape": (1, 32, 32)})
"""The network for the images of the catalog."""
IMAGES = (1438 + 359) * 32 * 32
FLOATS = 3 * 4


def trained(store: Store, *seconds: float, device: str | None = "cpu", **changes: Any) -> str:
    """A run of these settings whose epochs, the first after epoch 0, took so long."""
    spec = CATALOG.check(RunSpec.model_validate({**SPEC, **changes}))
    run_id, job_id = add_run(store, spec)
    add_epochs(store, run_id, len(seconds))
    with store.write() as session:
        jobs.get(session, job_id).device = device
        session.get_one(NetworkRow, run_id).shape = FITTING.model_dump(mode="json")
        for epoch, taken in enumerate(seconds, 1):
            where = (EpochRow.run_id == run_id, EpochRow.epoch == epoch)
            session.execute(update(EpochRow).where(*where).values(seconds=taken))
    return run_id


def forecast(http, **changes: Any) -> dict[str, Any]:
    answer = http.post(f"{RUNS}/check", json={**SPEC, **changes})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()["forecast"]
    return told


def test_without_an_earlier_run_no_number_is_made_up(http):
    told = forecast(http)
    assert (told["seconds"], told["epoch_s"], told["run"], told["params"]) == (None,) * 4
    assert told["time"].startswith("No run of this network")
    assert "no estimate" in told["time"]
    assert told["memory_bytes"] == IMAGES
    assert "known after its first run" in told["memory"]


def test_the_time_is_that_of_an_earlier_run_which_is_named(http, store):
    run_id = trained(store, 9.0, 2.0, 2.4)  # the first epoch warms up
    told = forecast(http, epochs=100)
    assert (told["run"], told["device"], told["epoch_s"]) == (run_id, "cpu", 2.2)
    assert told["seconds"] == pytest.approx(220)
    assert told["time"].startswith(
        f"About 3.7 min of training: run {run_id} took 2.2 s per epoch on cpu. "
    )


def test_an_epoch_of_more_images_takes_as_much_longer(http, store):
    trained(store, 2.0, val_fraction=0.5)
    told = forecast(http, val_fraction=0.1, epochs=10)
    assert told["seconds"] == pytest.approx(20 * (1438 - 144) / 719)
    assert "with 719 training images" in told["time"]


def test_the_nearest_run_tells_and_what_was_otherwise_is_said(http, store):
    near = trained(store, 3.0, batch_size=32, method="ucs", seed=5)
    trained(store, 1.0, batch_size=8)
    trained(store, 1.0, precision="bf16")
    told = forecast(http)
    assert (told["run"], told["epoch_s"]) == (near, 3.0)
    assert "with batches of 32 and method ucs" in told["time"]


def test_of_runs_that_are_equally_near_the_newest_tells(http, store):
    trained(store, 1.0, seed=1)
    newest = trained(store, 2.0, seed=2)
    assert forecast(http)["run"] == newest


@pytest.mark.parametrize(
    "changes",
    [{"architecture_params": {"width": 0.5}}, {"device": "cuda:0"}, {"device": None}],
    ids=["another network", "another kind of device", "not begun"],
)
def test_a_run_that_says_nothing_of_this_one_is_not_asked(http, store, changes):
    trained(store, 1.0, **changes)
    assert forecast(http)["seconds"] is None


def test_a_run_without_a_finished_epoch_tells_nothing(http, store):
    trained(store)
    assert forecast(http)["seconds"] is None


def test_memory_is_exact_in_what_it_counts_and_says_what_it_leaves_out(http, store):
    trained(store, 1.0)
    told = forecast(http)
    params = dense_cost(FITTING).params
    assert told["params"] == params
    assert told["memory_bytes"] == IMAGES + FLOATS * params
    assert f"momenta of {params:,} parameters" in told["memory"]
    assert told["memory"].startswith("At least 1.9 MB of memory: 1.8 MB for the images and ")
    assert "Activations" in told["memory"]
    assert "PyTorch itself" in told["memory"]


def test_a_network_for_other_images_does_not_tell_its_parameters(http, store):
    run_id = trained(store, 1.0)
    with store.write() as session:
        session.get_one(NetworkRow, run_id).shape = SHAPE.model_dump(mode="json")
    assert forecast(http)["params"] is None


def test_of_a_cut_the_parent_tells_the_most_and_the_cut_itself_what_it_takes(
    http, store, settings
):
    parent = trained(store, 4.0)
    add_checkpoint(store, settings.artifacts, parent, 1)
    init = {"run": parent, "plan": {"ratio": 0.5}}
    told = forecast(http, init=init, epochs=10)
    assert told["time"].startswith("At most about 40 s of training")
    assert "trained the whole network" in told["time"]
    chosen = select(FITTING, raw_scales(1), Plan(ratio=0.5))
    assert told["params"] == cost(FITTING, chosen.kept).params < dense_cost(FITTING).params
    other = forecast(http, init=init, epochs=10, batch_size=128, seed=1)
    assert "At most" not in other["time"]  # smaller batches may take longer
    same = trained(store, 1.5, init=Init.model_validate(init).model_dump(mode="json"))
    again = forecast(http, init=init, epochs=10)
    assert (again["run"], again["seconds"]) == (same, 15)
    assert again["time"].startswith("About 15 s")
    assert forecast(http)["run"] == parent  # a cut network says nothing of the whole one


def test_images_that_may_be_read_from_disk_are_no_part_of_the_least(http, store):
    size = ParamSpec(
        name="image_size", kind="int", default=32, label="", help="", minimum=16, maximum=64
    )
    folder = CATALOG.dataset("digits").model_copy(update={"name": "own", "params": (size,)})
    catalog: Catalog = CATALOG.model_copy(update={"datasets": (folder,)})
    with store.write() as session:
        workers.offer(session, "w", catalog)
    told = forecast(http, dataset="own")
    assert told["memory_bytes"] is None
    assert "if they are held in memory" in told["memory"]
