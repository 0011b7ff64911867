"""How pixels are normalised: as words, as numbers, as text, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from recede.contract.errors import InvalidInput
from recede.contract.network.pixels import IMAGENET, PIXELS, Normalize, pixels_text, read_pixels
from recede.contract.spec.run import RunSpec
from recede.contract.validation import in_words
from tests.backend.catalog import CATALOG

BASE = {"dataset": "digits", "architecture": "tiny", "method": "rni"}
GREY = {"mean": [0.3], "std": [0.25]}


@pytest.mark.parametrize(
    "given", [*PIXELS.values(), Normalize(mean=(0.1,), std=(1 / 255,)), Normalize(**GREY)]
)
def test_the_text_of_a_setting_reads_as_the_setting(given):
    again = read_pixels(pixels_text(given))
    if isinstance(given, Normalize):
        assert isinstance(again, Normalize)
        assert again.mean + again.std == pytest.approx(given.mean + given.std, rel=1e-7)
    else:
        assert again == given
    assert RunSpec(**BASE, normalize=pixels_text(given)).normalize == again


def test_numbers_and_words_survive_json():
    for given in ("auto", "images", "imagenet1k", GREY):
        spec = RunSpec(**BASE, normalize=given)
        assert RunSpec.model_validate_json(spec.model_dump_json()) == spec
    assert RunSpec(**BASE, normalize="imagenet1k").normalize == IMAGENET


@pytest.mark.parametrize("text", ["imagenett", "0.5", "0.5/0.2/0.1", "0.5,0.5/0.2", "a/b", "1/0"])
def test_any_other_text_is_refused_with_an_example(text):
    with pytest.raises(InvalidInput, match=f"was {text!r}") as error:
        read_pixels(text)
    assert error.value.field == "normalize"
    assert read_pixels(error.value.hint.split()[2].strip(",")) == IMAGENET


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"mean": [0.5], "std": [0]}, "normalize.std.0"),
        ({"mean": ["x"], "std": [1]}, "normalize.mean.0"),
        ({"mean": [0.5]}, "normalize.std"),
        ({"mean": [0.5], "std": [0.5, 0.5]}, "normalize"),
        ({"mean": [0.5], "std": [0.5], "max": 1}, "normalize.max"),
        ("pictures", "normalize"),
    ],
)
def test_a_mistake_is_named_at_its_field(given, field):
    with pytest.raises(ValidationError) as caught:
        RunSpec(**BASE, normalize=given)
    assert in_words(caught.value.errors(), RunSpec).field == field


def test_there_is_one_mean_for_each_channel_of_the_images():
    assert CATALOG.check(RunSpec(**BASE, normalize=GREY)).normalize == Normalize(**GREY)
    with pytest.raises(InvalidInput, match="has 3 means; 'digits' has images of 1 channel") as no:
        CATALOG.check(RunSpec(**BASE, normalize="imagenet1k"))
    assert no.value.field == "normalize"
