"""Why a parameter has its value where the spec left it open."""

from __future__ import annotations

import pytest

from recede.contract.spec import recommend
from recede.contract.spec.catalog import MethodInfo
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.run import Init, Plan
from tests.backend.contract.spec.test_catalog import CATALOG, SPEC

PULL = ParamSpec(
    name="pull",
    kind="float",
    default=0.1,
    label="Pull",
    help="",
    minimum=0.01,
    per_steps=45,
    recommended_max=0.5,
)
OTHER = ParamSpec(name="other", kind="float", default=1.0, label="Other", help="")
STRONG = CATALOG.model_copy(
    update={
        "methods": (
            MethodInfo(
                name="pull",
                label="",
                help="",
                scale="bounded",
                scope="global",
                params=(PULL, OTHER),
            ),
        )
    }
)


def told(**changes) -> dict[str, str]:
    spec = SPEC.model_copy(update=changes)
    return recommend.reasons(STRONG, spec, STRONG.check(spec))


def test_a_value_that_fits_the_steps_says_so():
    # 900 training images in batches of 64: 15 steps per epoch.
    assert recommend.steps(STRONG, STRONG.check(SPEC)) == 150
    assert list(told()) == ["method_params.pull"]
    assert told()["method_params.pull"] == "0.3 = 45 ÷ 150 steps"


def test_a_value_that_was_given_needs_no_reason():
    assert told(method_params={"pull": 0.2}) == {}


def test_a_limit_is_named_where_it_binds():
    reason = told(epochs=3)["method_params.pull"]
    assert reason.startswith("0.5 = 45 ÷ 45 steps, capped at 0.5: the sum gives 1,")
    low = told(epochs=10_000, batch_size=2)["method_params.pull"]
    assert low.startswith("0.01 = 45 ÷ 4,500,000 steps, but at least 0.01")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"init": Init(run="abc", plan=Plan(ratio=0.5))}, "0.0 for fine-tuning"),
        ({"init": Init(file="a.pt"), "epochs": 0}, "0.0: nothing is trained"),
    ],
)
def test_what_needs_no_strength_has_none_and_says_so(change, words):
    free = PULL.model_copy(update={"minimum": 0})
    method = STRONG.methods[0].model_copy(update={"params": (free,)})
    catalog = STRONG.model_copy(update={"methods": (method,)})
    spec = SPEC.model_copy(update=change)
    reasons = recommend.reasons(catalog, spec, catalog.check(spec))
    assert reasons["method_params.pull"].startswith(words)
