"""How much of a network can go: shares of its dense cost, and which network was asked about."""

from __future__ import annotations

import pytest

from recede.contract.network.reach import NetworkRequest, Share, share_of
from tests.backend.contract.shapes import shape_of


def test_the_share_is_what_goes_with_all_channels_of_all_groups():
    shape = shape_of([4, 6])
    share = share_of(shape)
    assert 0 < share.params < 1
    assert share.macs == 1  # every multiply-add reads or makes a channel that can go
    params = f"{100 * share.params:.1f}"
    assert str(share) == f"{params} % of the parameters and 100.0 % of the multiply-adds"
    assert not share.is_nothing


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "b"},
        {"params": {"width": 2.0}},
        {"in_channels": 1},
        {"image_size": 64},
        {"classes": 2},
    ],
)
def test_whatever_decides_a_network_makes_it_another_question(change):
    given = {
        "architecture": "a",
        "params": {"width": 1.0, "model": "x"},
        "in_channels": 3,
        "image_size": 32,
        "classes": 10,
    }
    same = given | {"params": {"model": "x", "width": 1.0}}
    assert NetworkRequest(**given).key == NetworkRequest(**same).key
    assert NetworkRequest(**given).key != NetworkRequest(**given | change).key


@pytest.mark.parametrize(
    ("part", "words"),
    [(1.0, "100.0 %"), (0.99999, "99.9 %"), (0.9994, "99.9 %"), (0.001, "0.1 %")],
)
def test_a_whole_alone_is_a_hundred_per_cent(part, words):
    assert str(Share(params=part, macs=0.5)).startswith(f"{words} of the parameters")
