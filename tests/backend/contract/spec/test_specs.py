"""RunSpec and Plan: nothing unknown, nothing ambiguous, nothing out of range."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from recede.contract.spec.run import (
    CurvePayload,
    Plan,
    PrunePayload,
    RunSpec,
)

NAMES = {"dataset": "d", "architecture": "a", "method": "m"}


def test_three_names_are_enough_for_a_run():
    spec = RunSpec(**NAMES)
    assert spec.title() == "m · a · d"
    assert RunSpec(**NAMES, name=" mine ").title() == "mine"
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize("missing", NAMES)
def test_none_of_the_three_names_has_a_default(missing):
    with pytest.raises(ValidationError, match=missing):
        RunSpec(**{key: value for key, value in NAMES.items() if key != missing})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", -1),
        ("batch_size", 1),
        ("lr", 0),
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("seed", -1),
        ("val_fraction", 0),
        ("val_fraction", 0.9),
        ("device", "tpu"),
        ("device", "cuda:"),
        ("name", "x" * 121),
        ("colour", "red"),
    ],
)
def test_values_out_of_range_and_unknown_fields_are_refused_by_name(field, value):
    with pytest.raises(ValidationError) as refusal:
        RunSpec(**NAMES, **{field: value})
    assert refusal.value.errors()[0]["loc"] == (field,)


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:3"])
def test_devices_are_spelt_as_in_torch(device):
    assert RunSpec(**NAMES, device=device).device == device


@pytest.mark.parametrize("choice", [{}, {"ratio": 0.5, "threshold": 0.1}])
def test_a_plan_has_either_a_ratio_or_a_threshold(choice):
    with pytest.raises(ValidationError, match="one of the two"):
        Plan(**choice)


@pytest.mark.parametrize("ratio", [-0.1, 1.0, float("nan")])
def test_ratios_lie_in_zero_to_below_one_for_the_plan_and_for_overrides(ratio):
    with pytest.raises(ValidationError):
        Plan(ratio=ratio)
    with pytest.raises(ValidationError, match=r"overrides\.conv0"):
        Plan(ratio=0.5, overrides={"conv0": ratio})


def test_a_layer_cannot_be_locked_and_overridden():
    with pytest.raises(ValidationError, match="both locked and overridden"):
        Plan(ratio=0.5, locks=("conv0",), overrides={"conv0": 0.1})


@pytest.mark.parametrize("value", [True, "1", "0.5"])
@pytest.mark.parametrize("field", ["epochs", "batch_size", "seed", "lr", "val_fraction"])
def test_only_numbers_are_numbers_of_a_run(field, value):
    with pytest.raises(ValidationError) as refusal:
        RunSpec(**NAMES, **{field: value})
    assert refusal.value.errors()[0]["loc"] == (field,)


@pytest.mark.parametrize("value", [False, "0.5"])
def test_only_numbers_are_numbers_of_a_plan(value):
    for given in (
        {"ratio": value},
        {"threshold": value},
        {"ratio": 0.5, "epoch": value},
        {"ratio": 0.5, "overrides": {"conv0": value}},
    ):
        with pytest.raises(ValidationError):
            Plan.model_validate(given)


def test_whole_numbers_may_be_written_as_decimals_and_decimals_as_whole_numbers():
    spec = RunSpec(**NAMES, epochs=3.0, lr=1)
    assert (spec.epochs, type(spec.epochs)) == (3, int)
    assert (spec.lr, type(spec.lr)) == (1.0, float)
    assert Plan(ratio=0, epoch=2.0) == Plan(ratio=0.0, epoch=2)
    with pytest.raises(ValidationError, match="valid integer"):
        RunSpec(**NAMES, epochs=2.5)


def test_what_was_stored_is_read_again():
    plan = Plan(epoch=3, threshold=1, locks=("a",), overrides={"b": 0})
    payload = PrunePayload(plan=plan)
    for kept in (RunSpec(**NAMES, name="x", seed=3), plan, payload, CurvePayload()):
        assert type(kept).model_validate(kept.model_dump(mode="json")) == kept
        assert type(kept).model_validate_json(kept.model_dump_json()) == kept


def test_bounds_stay_in_the_description_of_the_interface():
    epochs = RunSpec.model_json_schema()["properties"]["epochs"]
    assert (epochs["type"], epochs["minimum"], epochs["maximum"]) == ("integer", 0, 10_000)


def test_payloads_say_what_they_do_by_default():
    assert CurvePayload().ratios == tuple(i / 100 for i in range(100))
    assert PrunePayload(plan=Plan(ratio=0.5)).formats == ("safetensors", "pt2", "onnx")
    with pytest.raises(ValidationError):
        PrunePayload(plan=Plan(ratio=0.5), formats=("pickle",))
