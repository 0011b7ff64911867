"""What every entry of the catalog must have: words for a person and sound parameters."""

from __future__ import annotations

import pytest

from recede.contract.errors import InvalidInput
from recede.contract.spec.params import check_params
from recede_worker.plugins.registry import (
    architectures,
    criteria,
    datasets,
    methods,
)

INFOS = [
    *(method.info for method in methods().values()),
    *(architecture.info for architecture in architectures().values()),
    *(criterion.info for criterion in criteria().values()),
    *(dataset.info([]) for dataset in datasets().values()),
]
PARAMS = [(info.name, spec) for info in INFOS for spec in info.params]


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
def test_an_entry_explains_itself(info):
    assert info.name == info.name.lower().strip()
    assert info.label
    assert len(info.help) > 40
    assert len({spec.name for spec in info.params}) == len(info.params)


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.name)
def test_defaults_pass_their_own_check(info):
    checked = check_params(info.params, {}, "params")
    assert checked == {spec.name: spec.default for spec in info.params}


@pytest.mark.parametrize(("owner", "spec"), PARAMS)
def test_a_parameter_says_what_it_is_and_why_it_is_bounded(owner, spec):
    assert spec.label
    assert len(spec.help) > 40
    bounded = spec.minimum is not None or spec.maximum is not None
    assert bool(spec.bound_reason) == bounded


@pytest.mark.parametrize(("owner", "spec"), PARAMS)
def test_values_out_of_bounds_are_refused_with_field_and_bounds(owner, spec):
    for bound, outside in ((spec.minimum, -1.0), (spec.maximum, 1.0)):
        if bound is None:
            continue
        assert spec.check(bound, "x") == bound
        with pytest.raises(InvalidInput) as refusal:
            spec.check(bound + outside, f"params.{spec.name}")
        assert refusal.value.field == f"params.{spec.name}"
        assert spec.bounds_text() in refusal.value.message
        assert spec.bound_reason in refusal.value.message


@pytest.mark.parametrize(("owner", "spec"), PARAMS)
def test_recommendations_are_always_allowed(owner, spec):
    for steps in (0, 1, 100, 10_000, 10**9):
        spec.check(spec.recommended(steps), "x")
