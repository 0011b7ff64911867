"""The catalog's check: a spec that can run comes back whole, any other is refused by field."""

from __future__ import annotations

import pytest

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.spec.catalog import (
    ArchitectureInfo,
    Catalog,
    DatasetInfo,
    Device,
    MethodInfo,
)
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.run import RunSpec

WIDTH = ParamSpec(
    name="width", kind="float", default=1.0, label="Width", help="Channels.", minimum=0.1
)
SPEC = RunSpec(dataset="shapes", architecture="net", method="pull")


def data(name: str = "shapes", **changes) -> DatasetInfo:
    known = {
        "label": name,
        "help": "",
        "channels": 1,
        "image_size": 28,
        "classes": 10,
        "n_train": 1000,
        "n_test": 100,
        "status": "ready",
    }
    return DatasetInfo(name=name, **{**known, **changes})


CATALOG = Catalog(
    methods=(MethodInfo(name="pull", label="", help="", scale="bounded", scope="global"),),
    architectures=(
        ArchitectureInfo(
            name="net", label="", help="", params=(WIDTH,), min_image=16, max_image=32
        ),
    ),
    datasets=(
        data(),
        data("far", status="download"),
        data("lost", status="missing", detail="no such folder"),
        data("shut", status="unreadable", detail="permission denied"),
        data("large", image_size=224),
    ),
    devices=(Device(name="cpu", label="CPU"), Device(name="cuda:0", label="GPU")),
    demo=SPEC,
)


def test_a_spec_comes_back_with_every_parameter_and_a_name():
    checked = CATALOG.check(SPEC)
    assert checked.architecture_params == {"width": 1.0}
    assert checked.method_params == {}
    assert checked.name == "pull · net · shapes"
    assert CATALOG.check(checked) == checked


def test_a_data_set_that_is_yet_to_be_fetched_can_be_queued():
    assert CATALOG.check(SPEC.model_copy(update={"dataset": "far"})).dataset == "far"


@pytest.mark.parametrize(
    ("field", "known"), [("dataset", "shapes"), ("architecture", "net"), ("method", "pull")]
)
def test_an_unknown_name_is_refused_with_its_field_and_the_known_ones(field, known):
    with pytest.raises(UnknownName, match=known) as refusal:
        CATALOG.check(SPEC.model_copy(update={field: "zzz"}))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"dataset": "lost"}, "dataset", "missing: no such folder"),
        ({"dataset": "shut"}, "dataset", "unreadable: permission denied"),
        ({"dataset": "large"}, "architecture", "16 to 32 pixels; 'large' has 224"),
        ({"batch_size": 901}, "batch_size", "larger than the 900 training images"),
        ({"val_fraction": 0.005}, "val_fraction", "leaves 5 of 1000 images for 10 classes"),
        ({"device": "cuda:1"}, "device", "the workers have: cpu, cuda:0"),
        (
            {"architecture_params": {"width": 0.01}},
            "architecture_params.width",
            "at least 0.1",
        ),
        ({"method_params": {"lam": 1}}, "method_params.lam", "Unknown parameter 'lam'"),
        ({"dataset_params": {"size": 1}}, "dataset_params.size", "Unknown parameter 'size'"),
    ],
)
def test_what_cannot_run_is_refused_by_field_in_words(changes, field, words):
    with pytest.raises(InvalidInput) as refusal:
        CATALOG.check(SPEC.model_copy(update=changes))
    assert refusal.value.field == field
    assert words in refusal.value.message
    assert refusal.value.hint


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0"])
def test_known_devices_are_taken(device):
    assert CATALOG.check(SPEC.model_copy(update={"device": device})).device == device


def with_devices(gpus: int, cores: int) -> Catalog:
    cuda = [Device(name=f"cuda:{index}", label="GPU") for index in range(gpus)]
    cpu = Device(name="cpu", label="CPU", processes=cores)
    return CATALOG.model_copy(update={"devices": (cpu, *cuda)})


@pytest.mark.parametrize(
    ("device", "gpus", "most", "unit"),
    [
        ("auto", 0, 4, "CPU core"),
        ("cpu", 0, 4, "CPU core"),
        ("cpu", 2, 4, "CPU core"),
        ("auto", 2, 2, "GPU"),
        ("cuda", 2, 2, "GPU"),
        ("cuda:1", 2, 1, "GPU"),
    ],
)
def test_a_training_has_no_more_processes_than_devices(device, gpus, most, unit):
    catalog = with_devices(gpus, cores=4)
    spec = SPEC.model_copy(update={"device": device, "batch_size": 60, "processes": most})
    assert catalog.check(spec).processes == most
    with pytest.raises(InvalidInput, match=f"at most {most}, one for each {unit}") as caught:
        catalog.check(spec.model_copy(update={"processes": most + 1}))
    assert caught.value.field == "processes"
