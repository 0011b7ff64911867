"""Published weights in the catalog: what a spec that names them leaves open."""

from __future__ import annotations

import pytest

from recede.contract.errors import InvalidInput, UnknownName
from recede.contract.spec import recommend
from recede.contract.spec.params import ParamSpec
from recede.contract.spec.published import chosen, name_of, tags
from recede.contract.spec.run import RunSpec
from tests.backend.catalog import CATALOG, PUBLISHED

SIZE = ParamSpec(name="image_size", kind="int", default=32, label="Size", help="", minimum=16)
GIVEN = {"dataset": "digits", "architecture": "tiny", "method": "ucs", "epochs": 0}
CROP = SIZE.model_copy(update={"name": "crop_pct", "kind": "float", "minimum": 0})
SIZED = CATALOG.model_copy(
    update={"datasets": (CATALOG.datasets[0].model_copy(update={"params": (SIZE, CROP)}),)}
)


def spec(**more):
    return RunSpec(**GIVEN, init={"pretrained": "V2"}, **more)


def test_images_are_made_as_the_weights_were_trained_unless_the_spec_says_otherwise():
    checked = SIZED.check(spec())
    assert checked.normalize == PUBLISHED.normalize
    assert checked.dataset_params == {"image_size": 28, "crop_pct": 0.875}
    reasons = recommend.reasons(SIZED, spec(), checked)
    assert reasons["dataset_params.image_size"] == "28: as these weights were evaluated"
    own = spec(normalize="images", dataset_params={"image_size": 30, "crop_pct": 0.875})
    checked = SIZED.check(own)
    assert (checked.normalize, checked.dataset_params) == ("images", own.dataset_params)
    reasons = recommend.reasons(SIZED, own, checked)
    assert reasons.keys() == {"init.pretrained", "dataset_params.image_size"}
    assert reasons["dataset_params.image_size"].startswith("30, though these weights")
    assert SIZED.check(checked) == checked


@pytest.mark.parametrize(
    ("init", "words"),
    [
        ({"pretrained": "V2"}, "another colour."),
        ({"file": f"a/{PUBLISHED.file}"}, "another name."),
    ],
)
def test_images_of_other_channels_than_the_weights_take_are_refused(init, words):
    coloured = CATALOG.datasets[0].model_copy(update={"channels": 3})
    catalog = CATALOG.model_copy(update={"datasets": (coloured,)})
    with pytest.raises(InvalidInput, match="take images of 1 channels; 'digits' has 3") as error:
        catalog.check(RunSpec(**GIVEN, init=init, normalize="images"))
    assert error.value.field == f"init.{next(iter(init))}"
    assert error.value.hint.endswith(words)


def test_of_several_networks_each_has_its_own_tags():
    many = PUBLISHED.model_copy(update={"names": (name_of("a", "V1"), name_of("ab", "V2"))})
    assert tags((many,), {"model": "a"}).keys() == {"V1"}
    assert chosen((many,), {"model": "ab"}, "V2") is many
    with pytest.raises(UnknownName, match="known: V1") as error:
        chosen((many,), {"model": "a"}, "V2")
    assert error.value.field == "init.pretrained"


def test_a_network_without_published_weights_says_so():
    with pytest.raises(UnknownName, match="known: none"):
        CATALOG.check(spec(normalize="images").model_copy(update={"architecture": "large"}))
