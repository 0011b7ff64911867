"""The stratified split: a partition, in proportion, decided by the seed alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recede.contract.errors import InvalidInput
from recede_worker.images.split import stratified_split

counts = st.lists(st.integers(2, 60), min_size=1, max_size=8)
fractions = st.floats(0.01, 0.89)


def shuffled_labels(counts: list[int]) -> torch.Tensor:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))]


@given(counts, fractions, st.integers(0, 2**31 - 1))
def test_the_parts_are_a_partition_with_every_class_in_proportion(counts, fraction, seed):
    labels = shuffled_labels(counts)
    train, val = stratified_split(labels, fraction, seed)
    assert torch.equal(torch.cat([train, val]).sort().values, torch.arange(len(labels)))
    for label, count in enumerate(counts):
        n_val = int((labels[val] == label).sum())
        assert 1 <= n_val <= count - 1
        assert abs(n_val - fraction * count) <= 1


@given(st.lists(st.integers(20, 60), min_size=1, max_size=8), st.floats(0.05, 0.89))
def test_the_validation_part_has_exactly_the_asked_share(counts, fraction):
    labels = shuffled_labels(counts)
    _, val = stratified_split(labels, fraction, 0)
    assert len(val) == round(fraction * len(labels))


def test_the_seed_decides_and_nothing_else():
    labels = shuffled_labels([30, 40, 50])
    state = torch.random.get_rng_state()
    first, again, other = (stratified_split(labels, 0.2, seed) for seed in (7, 7, 8))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[1], other[1])


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_fraction_outside_zero_and_one_is_refused(fraction):
    with pytest.raises(InvalidInput) as refusal:
        stratified_split(torch.arange(10) % 2, fraction, 0)
    assert refusal.value.field == "val_fraction"


def test_a_class_with_a_single_image_is_refused_by_name():
    with pytest.raises(InvalidInput, match="Class 2 has a single image"):
        stratified_split(torch.tensor([0, 0, 1, 1, 2]), 0.2, 0)
