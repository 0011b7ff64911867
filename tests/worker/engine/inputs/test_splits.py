"""Batches on the device: shuffled, augmented and normalised as the recipe says."""

import pytest
import torch

from recede_worker.engine.inputs.splits import (
    Draws,
    Normalisation,
    PixelSplit,
    Share,
    augmented,
    n_batches,
    shares,
)
from recede_worker.images.dataset import Augmentation

PLAIN = Augmentation(pad=0, flip=False)
NEUTRAL = Normalisation((0.0,), (1.0,))


def split_of(n: int) -> PixelSplit:
    x = torch.randint(0, 256, (n, 1, 6, 6), dtype=torch.uint8)
    return PixelSplit(x, torch.arange(n))


def drawn(x: torch.Tensor, augment: Augmentation, seed: int = 0) -> torch.Tensor:
    draws = Draws.of(len(x), augment, seed)
    return augmented(x, augment, draws.pick(slice(0, len(x))))


def test_without_augmentation_images_are_unchanged():
    x = split_of(5).x_NCHW
    assert torch.equal(drawn(x, PLAIN), x)


def test_every_crop_is_a_window_of_the_padded_image():
    x = torch.randint(1, 256, (40, 2, 6, 5), dtype=torch.uint8)
    out = drawn(x, Augmentation(pad=2, flip=False), 1)
    padded = torch.nn.functional.pad(x, [2] * 4)
    places = set()
    for image in range(40):
        windows = {
            (top, left): padded[image, :, top : top + 6, left : left + 5]
            for top in range(5)
            for left in range(5)
        }
        found = [place for place, window in windows.items() if torch.equal(window, out[image])]
        assert len(found) == 1
        places.add(found[0])
    assert len(places) > 10  # each image has a shift of its own


def test_flip_mirrors_some_images_and_leaves_others():
    x = split_of(60).x_NCHW
    out = drawn(x, Augmentation(pad=0, flip=True))
    mirrored = [torch.equal(o, i.flip(2)) for o, i in zip(out, x, strict=True)]
    kept = [torch.equal(o, i) for o, i in zip(out, x, strict=True)]
    assert all(m or k for m, k in zip(mirrored, kept, strict=True))
    assert 10 < sum(mirrored) < 50


@pytest.mark.parametrize(("n", "size"), [(10, 5), (11, 5), (12, 5), (3, 8), (2, 2)])
def test_each_image_is_seen_once_but_a_lone_last_one(n: int, size: int):
    batches = list(split_of(n).training_batches(size, PLAIN, NEUTRAL, 3))
    seen = torch.cat([y for _, y in batches]).tolist()
    assert len(batches) == n_batches(n, size)
    assert len(set(seen)) == len(seen) == (n - 1 if n % size == 1 else n)


def test_equal_seeds_give_equal_batches():
    split = split_of(30)
    augment = Augmentation(pad=2, flip=True)
    first, second = (list(split.training_batches(8, augment, NEUTRAL, 5)) for _ in range(2))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, second, strict=True))


def test_normalised_images_have_mean_0_and_deviation_1():
    split = split_of(500)
    pixels = split.x_NCHW.double() / 255
    normalise = Normalisation((pixels.mean().item(),), (pixels.std(correction=0).item(),))
    x = torch.cat([x for x, _ in split.evaluation_batches(normalise, 64)]).double()
    assert x.mean().abs() < 1e-5
    assert (x.std(correction=0) - 1).abs() < 1e-5


@pytest.mark.parametrize(
    ("n", "size", "processes"), [(40, 8, 2), (43, 8, 3), (41, 8, 2), (9, 8, 2)]
)
def test_processes_share_every_batch_of_one_process(n: int, size: int, processes: int):
    split, augment = split_of(n), Augmentation(pad=2, flip=True)
    whole = list(split.training_batches(size, augment, NEUTRAL, 5))
    parts = [
        list(split.training_batches(size, augment, NEUTRAL, 5, Share(rank, processes)))
        for rank in range(processes)
    ]
    joined = [
        (torch.cat([x for x, _ in batch]), torch.cat([y for _, y in batch]))
        for batch in zip(*parts, strict=True)
    ]
    assert len(joined) == n_batches(n, size, Share(0, processes))
    for (x, y), (x_joined, y_joined) in zip(whole, joined, strict=False):
        assert torch.equal(x, x_joined)
        assert torch.equal(y, y_joined)


def test_a_batch_that_cannot_be_shared_is_left_out_by_all():
    last_has_two = [list(shares(10, 4, Share(rank, 3))) for rank in range(3)]
    assert [len(own) for own in last_has_two] == [2, 2, 2]
