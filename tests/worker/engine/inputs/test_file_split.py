"""Batches from files: equal for equal seeds, however many processes decode them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from recede_worker.engine.inputs import file_split
from recede_worker.engine.inputs.file_split import FileSplit
from recede_worker.engine.inputs.splits import Normalisation, Share
from recede_worker.images.dataset import (
    Augmentation,
    Files,
    UnreadableData,
)
from tests.house.files import ROOT
from tests.worker.images.pictures import class_folder, picture

AUGMENT = Augmentation(pad=2, flip=True)
NEUTRAL = Normalisation((0.0,) * 3, (1.0,) * 3)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Files:
    folder = class_folder(tmp_path_factory.mktemp("files"), n=7, size=(40, 30))
    paths = tuple(sorted(str(path) for path in folder.rglob("*.png")))
    return Files(paths, torch.arange(14), size=24, channels=3)


def split(files: Files, loaders: int = 0) -> FileSplit:
    return FileSplit(files, files.y_N, loaders)


def trained(split: FileSplit, seed: int = 5, share: Share | None = None, augment=AUGMENT):
    batches = list(split.training_batches(4, augment, NEUTRAL, seed, share or Share()))
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


def test_equal_seeds_give_equal_batches_whatever_the_number_of_loaders(files):
    x, y = trained(split(files))
    for loaders in (1, 2):
        again_x, again_y = trained(split(files, loaders))
        assert torch.equal(x, again_x)
        assert torch.equal(y, again_y)
    assert not torch.equal(x, trained(split(files), seed=6)[0])


def test_each_image_is_seen_once_in_an_epoch(files):
    x, y = trained(split(files))
    assert x.shape == (14, 3, 24, 24)
    assert sorted(y.tolist()) == list(range(14))


def test_shares_of_two_processes_are_the_batches_of_one(files):
    whole = list(split(files).training_batches(4, AUGMENT, NEUTRAL, 5))
    halves = [
        list(split(files).training_batches(4, AUGMENT, NEUTRAL, 5, Share(rank, 2)))
        for rank in range(2)
    ]
    for batch, *parts in zip(whole, *halves, strict=True):
        assert torch.equal(batch[0], torch.cat([x for x, _ in parts]))
        assert torch.equal(batch[1], torch.cat([y for _, y in parts]))


def test_the_stream_of_random_numbers_that_training_uses_is_untouched(files):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    trained(split(files))
    assert torch.equal(torch.rand(4), expected)


def test_without_flips_none_is_mirrored(files, tmp_path):
    ramp = torch.arange(40).repeat(3, 40, 1).permute(1, 2, 0).mul(6).to(torch.uint8).numpy()
    from PIL import Image

    paths = []
    for number in range(12):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(ramp).save(paths[-1])
    ramps = split(Files(tuple(paths), torch.arange(12), 16, 3))

    def rising(augment):
        x = trained(ramps, augment=augment)[0]
        return (x[:, 0, 8, 12] > x[:, 0, 8, 4]).tolist()

    assert all(rising(Augmentation(pad=2, flip=False)))
    assert len(set(rising(AUGMENT))) == 2


def test_evaluation_is_in_order_and_the_same_from_memory(files):
    of_files = split(files)
    first = list(of_files.evaluation_batches(NEUTRAL, 5))
    assert of_files.kept.x_NCHW is not None
    again = list(of_files.evaluation_batches(NEUTRAL, 5))
    assert [len(y) for _, y in first] == [5, 5, 4]
    assert torch.cat([y for _, y in first]).tolist() == list(range(14))
    assert all(torch.equal(a[0], b[0]) for a, b in zip(first, again, strict=True))
    x = torch.cat([x for x, _ in first]).mul(255).round().to(torch.uint8)
    assert torch.equal(split(files).head(3), x[:3])
    assert torch.equal(of_files.head(14), x)


def test_above_the_budget_nothing_is_kept(files, monkeypatch):
    monkeypatch.setattr(file_split, "budget", lambda: 14 * 3 * 24 * 24 - 1)
    of_files = split(files)
    list(of_files.evaluation_batches(NEUTRAL, 5))
    assert of_files.kept.x_NCHW is None


def test_large_images_are_evaluated_in_smaller_batches(files, monkeypatch):
    monkeypatch.setattr(file_split, "EVAL_PIXELS", 2 * 24 * 24)
    assert [len(y) for _, y in split(files).evaluation_batches(NEUTRAL)] == [2] * 7


def test_picked_images_are_those_of_the_index(files):
    index = torch.tensor([3, 1, 8])
    picked = split(files).pick(index)
    assert picked.y_N.tolist() == [3, 1, 8]
    assert torch.equal(picked.head(3), split(files).head(14)[index])
    assert picked.shape == (3, 24, 24)


@pytest.mark.parametrize("loaders", [0, 1])
def test_a_file_that_broke_after_the_check_is_named(tmp_path, loaders):
    paths = [picture(tmp_path / f"{number}.png") for number in range(4)]
    paths[2].write_text("overwritten")
    broken = split(Files(tuple(map(str, paths)), torch.arange(4), 16, 3), loaders)
    with pytest.raises(UnreadableData, match=f"{paths[2]} is not an image") as problem:
        trained(broken)
    assert problem.value.hint


KILLED = """
import sys, torch
from recede_worker.images.dataset import Augmentation, Files
from recede_worker.engine.inputs.splits import Normalisation
from recede_worker.engine.inputs.file_split import FileSplit

if __name__ == "__main__":
    paths = tuple(sys.argv[1:]) * 50
    files = Files(paths, torch.zeros(len(paths), dtype=torch.int64), 24, 3)
    split = FileSplit(files, files.y_N, 2)
    neutral = Normalisation((0.0,) * 3, (1.0,) * 3)
    for x, _ in split.training_batches(2, Augmentation(0, False), neutral, 0):
        print("first batch", flush=True)
        sys.stdin.read()
"""


def test_loaders_end_with_the_job_that_was_killed(files, tmp_path):
    script = Path(tmp_path / "job.py")
    script.write_text(KILLED)
    with subprocess.Popen(
        [sys.executable, str(script), *files.paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    ) as job:
        assert job.stdout.readline() == "first batch\n"
        family = psutil.Process(job.pid).children(recursive=True)
        assert len(family) >= 3  # the server that forks, and two loaders
        job.kill()
        _, alive = psutil.wait_procs(family, timeout=120)
    assert alive == []
