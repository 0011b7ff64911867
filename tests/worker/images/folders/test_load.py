"""A user's own images: what counts, what is checked, what is said, what is kept."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from PIL import Image

from recede.contract.errors import InvalidInput, RecedeError
from recede.contract.spec.params import check_params
from recede_worker.engine.inputs.file_split import FileSplit
from recede_worker.images.dataset import (
    Files,
    UnreadableData,
    pixel_statistics,
)
from recede_worker.images.folders import findings
from recede_worker.images.folders import load as class_images
from recede_worker.images.folders.load import BadImages
from recede_worker.images.folders.tree import BadFolder
from recede_worker.plugins.registry import datasets
from tests.worker.images.pictures import class_folder, picture


def silent(*_):
    """Progress that nobody watches."""


def load(root, progress=silent, **given):
    dataset = datasets()["folder"]
    specs = dataset.info([root]).params
    params = check_params(specs, {"path": "pets", "image_size": 16, **given}, "params")
    return dataset.load([root], params, progress)


def test_images_in_memory_are_the_same_as_their_tensors(tmp_path):
    class_folder(tmp_path / "pets", parts=("train", "val", "test"), size=(16, 16))
    images = load(tmp_path)
    assert images.classes == ("cat", "dog")
    for part, name in ((images.train, "train"), (images.val, "val"), (images.test, "test")):
        files = sorted((tmp_path / "pets" / name).rglob("*.png"))
        x_NHWC = np.stack([np.asarray(Image.open(file)) for file in files])
        assert torch.equal(part.x_NCHW, torch.from_numpy(x_NHWC).permute(0, 3, 1, 2))
        assert part.y_N.tolist() == [0] * 4 + [1] * 4
    assert (images.mean_C, images.std_C) == pixel_statistics(images.train.x_NCHW)
    assert images.augment.pad == 2


def test_what_is_missing_is_left_to_be_split_off(tmp_path):
    class_folder(tmp_path / "pets")
    images = load(tmp_path, colour="grey", flip=False)
    assert images.val is images.test is None
    assert images.train.x_NCHW.shape == (8, 1, 16, 16)
    assert not images.augment.flip


def test_endings_nested_folders_and_hidden_files_are_treated_as_people_expect(tmp_path):
    train = class_folder(tmp_path / "pets", n=3) / "train"
    picture(train / "cat" / "UPPER.JPG")
    picture(train / "cat" / "deep" / "deeper" / "x.jpeg")
    for name in (".DS_Store", "Thumbs.db", "._0.png", ".hidden/x.png", "@eaDir/x.png"):
        path = train / "cat" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"of the system")
    (train / "cat" / "notes.txt").write_text("my cats")
    (train / ".cache").mkdir()
    report = load(tmp_path).report
    assert report["classes"] == {"cat": 5, "dog": 3}
    assert report["bad"]["count"] == 0
    assert report["ignored"] == {".txt": 1}


def test_one_image_a_class_cannot_be_split_and_the_class_is_named(tmp_path):
    class_folder(tmp_path / "pets", n=4)
    for number in (1, 2, 3):
        (tmp_path / "pets" / "train" / "dog" / f"{number}.png").unlink()
    with pytest.raises(BadFolder, match=r"fewer than 3 good training images in: dog"):
        load(tmp_path)
    class_folder(tmp_path / "pets", n=1, parts=("val", "test"))
    assert load(tmp_path).train.y_N.tolist() == [0, 0, 0, 0, 1]


def spoil(root):
    """Four files that are no whole images."""
    cat = root / "pets" / "train" / "cat"
    (cat / "text.jpg").write_text("text")
    (cat / "empty.png").touch()
    whole = picture(root / "whole.png", (60, 60)).read_bytes()
    (cat / "cut.png").write_bytes(whole[:2000])
    (cat / "link.png").symlink_to(root / "nowhere.png")


def test_bad_files_stop_the_run_with_their_names_and_the_way_on(tmp_path):
    class_folder(tmp_path / "pets")
    spoil(tmp_path)
    with pytest.raises(BadImages, match="4 of 12 image files cannot be used") as stop:
        load(tmp_path)
    for words in ("train/cat/cut.png is cut short", "empty.png has no bytes", "No such file"):
        assert words in stop.value.message
    assert stop.value.field == "dataset_params.bad_files"
    assert "skip" in stop.value.hint


def test_bad_files_are_skipped_and_reported_if_so_wished(tmp_path):
    class_folder(tmp_path / "pets")
    spoil(tmp_path)
    images = load(tmp_path, bad_files="skip")
    report = images.report
    assert len(images.train.y_N) == report["images"] == 8
    assert (report["bad"]["count"], report["bad"]["skipped"]) == (4, True)
    assert report["bad"]["files"][0] == {"path": "train/cat/cut.png", "reason": "is cut short"}
    assert report["classes"] == {"cat": 4, "dog": 4}
    assert report["modes"] == {"RGB": 8}
    assert report["sizes"] == {"smallest": [20, 16], "largest": [20, 16]}
    assert report["mean"] == pytest.approx(images.mean_C)


def remove(folder):
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda pets: remove(pets / "train" / "dog"), "class folders without an image: dog"),
        (lambda pets: (pets / "train").rename(pets / "gone"), "No such file"),
        (lambda pets: (pets / "train" / "dog").rename(pets / "dog"), "a single class, cat"),
        (lambda pets: class_folder(pets, classes=("fox",), parts=("val",)), "fox, which train"),
        (lambda pets: (pets / "test").mkdir(), "has no class folders"),
        (lambda pets: (pets / "test" / "dog").mkdir(parents=True), "without an image|no images"),
    ],
)
def test_a_folder_of_the_wrong_form_is_refused_in_words_and_listed_so(tmp_path, harm, words):
    harm(class_folder(tmp_path / "pets"))
    with pytest.raises(BadFolder, match=words) as refusal:
        load(tmp_path)
    assert refusal.value.hint
    listed = datasets()["folder"].info([tmp_path]).variants
    assert all(variant.status == "unreadable" and variant.detail for variant in listed)


def test_zero_images_after_skipping_is_an_error_even_with_skip(tmp_path):
    pets = class_folder(tmp_path / "pets")
    for path in (pets / "train" / "dog").iterdir():
        path.write_text("text")
    with pytest.raises(BadFolder, match="in: dog"):
        load(tmp_path, bad_files="skip")
    for path in (pets / "train" / "cat").iterdir():
        path.write_text("text")
    with pytest.raises(BadFolder, match="in: cat, dog"):
        load(tmp_path, bad_files="skip")


def test_a_folder_that_may_not_be_listed_is_named(tmp_path, monkeypatch):
    class_folder(tmp_path / "pets")
    original = os.scandir

    def forbid(path):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", forbid)
    with pytest.raises(UnreadableData, match="train/dog: Permission denied"):
        load(tmp_path)


@pytest.mark.parametrize(
    "path", ["", "absent", "../outside", "link", "/etc", "pets/../../outside"]
)
def test_paths_that_lead_out_of_the_roots_are_refused(tmp_path, path):
    root = tmp_path / "root"
    class_folder(root / "pets")
    class_folder(tmp_path / "outside")
    (root / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(InvalidInput) as refusal:
        load(root, path=path)
    assert refusal.value.field == "dataset_params.path"
    assert str(root) in refusal.value.message


def test_links_inside_are_followed_unless_they_lead_out(tmp_path):
    root = tmp_path / "root"
    pets = class_folder(root / "pets")
    outside = picture(tmp_path / "secret.png")
    (pets / "train" / "cat" / "out.png").symlink_to(outside)
    (pets / "train" / "cat" / "in.png").symlink_to(pets / "train" / "cat" / "0.png")
    (pets / "train" / "cat" / "circle").symlink_to(pets / "train" / "cat")
    report = load(root, bad_files="skip").report
    assert report["classes"] == {"cat": 5, "dog": 4}
    assert [file["path"] for file in report["bad"]["files"]] == ["train/cat/out.png"]
    assert "outside the data roots" in report["bad"]["files"][0]["reason"]


@pytest.mark.parametrize("place", ["train", "train/dog"])
def test_a_class_or_part_that_is_a_link_out_of_the_roots_is_refused(tmp_path, place):
    pets = class_folder(tmp_path / "root" / "pets")
    (pets / place).rename(tmp_path / "outside")
    (pets / place).symlink_to(tmp_path / "outside")
    with pytest.raises(BadFolder, match="outside the data roots"):
        load(tmp_path / "root")
    (variant,) = datasets()["folder"].info([tmp_path / "root"]).variants
    assert variant.status == "unreadable"


def test_the_absolute_path_below_a_root_is_the_same_folder(tmp_path):
    class_folder(tmp_path / "group" / "pets")
    named = load(tmp_path, path="group/pets")
    absolute = load(tmp_path, path=str(tmp_path / "group" / "pets"))
    assert torch.equal(named.train.x_NCHW, absolute.train.x_NCHW)


def test_what_was_checked_is_not_decoded_again_until_it_changes(tmp_path, monkeypatch):
    class_folder(tmp_path / "pets")
    first = load(tmp_path)
    decoded = []
    original = class_images.examine

    def counting(paths, *rest):
        decoded.extend(paths)
        return original(paths, *rest)

    monkeypatch.setattr(class_images, "examine", counting)
    again = load(tmp_path)
    assert decoded == []
    assert torch.equal(first.train.x_NCHW, again.train.x_NCHW)
    assert first.report == again.report
    picture(tmp_path / "pets" / "train" / "cat" / "new.png", seed=99)
    assert len(load(tmp_path).train.y_N) == 9
    assert decoded


def test_damaged_memories_are_made_anew(tmp_path):
    class_folder(tmp_path / "pets")
    first = load(tmp_path)
    for path in (tmp_path / findings.HIDDEN).rglob("*.*"):
        path.write_bytes(path.read_bytes()[:-7])
    assert torch.equal(load(tmp_path).train.x_NCHW, first.train.x_NCHW)


def test_decoded_pixels_do_not_grow_without_limit(tmp_path, monkeypatch):
    class_folder(tmp_path / "pets")
    monkeypatch.setattr(findings, "PIXELS_LIMIT", 15_000)
    for size in (16, 17, 18):
        load(tmp_path, image_size=size)
    kept = list((tmp_path / findings.HIDDEN).rglob("pixels-*.npy"))
    assert 0 < sum(path.stat().st_size for path in kept) <= 15_000


def test_a_root_that_cannot_be_written_keeps_nothing_and_loads_all_the_same(tmp_path, monkeypatch):
    class_folder(tmp_path / "pets")
    (tmp_path / findings.HIDDEN).write_text("in the way")
    assert len(load(tmp_path).train.y_N) == 8


def test_cancelling_ends_the_check_at_once_and_leaves_nothing(tmp_path):
    class_folder(tmp_path / "pets", n=80)
    told = []

    def cancel(done, total, message, *_):
        told.append((done, total, message))
        if message == "Checking images":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(tmp_path, cancel)
    assert told[-1] == (32, 160, "Checking images")
    assert not (tmp_path / findings.HIDDEN).exists()


def test_above_the_budget_images_stay_files_with_the_same_labels(tmp_path, monkeypatch):
    pets = class_folder(tmp_path / "pets", parts=("train", "test"))
    spoil(tmp_path)
    in_memory = load(tmp_path, bad_files="skip")
    monkeypatch.setattr(class_images, "BUDGET_BYTES", 0)
    images = load(tmp_path, bad_files="skip")
    again = load(tmp_path, bad_files="skip")
    assert isinstance(images.train, Files)
    assert images.train.paths[0] == str(pets / "train" / "cat" / "0.png")
    assert torch.equal(images.train.y_N, in_memory.train.y_N)
    assert (again.mean_C, again.std_C) == (images.mean_C, images.std_C)
    assert images.report["bad"] == in_memory.report["bad"]
    # The middle of each image has nearly the statistics of the whole.
    assert images.mean_C == pytest.approx(in_memory.mean_C, abs=0.05)


def test_class_names_of_any_bytes_can_be_stored(tmp_path):
    class_folder(tmp_path / "pets")
    train = tmp_path / "pets" / "train"
    (train / "dog").rename(train / os.fsdecode(b"\xff\xfe"))
    images = load(tmp_path)
    for name in images.classes:
        name.encode("utf-8")
    assert len(images.train.y_N) == 8


def test_a_run_on_a_folder_that_vanished_fails_in_words(tmp_path):
    with pytest.raises(RecedeError, match="does not exist there"):
        load(tmp_path, path="pets")


def resized(image, crop, how):
    side = min(image.size) * crop
    left, top = ((length - side) / 2 for length in image.size)
    box = (left, top, left + side, top + side)
    return image.resize((16, 16), Image.Resampling[how.upper()], box=box)


@pytest.mark.parametrize(("crop", "how"), [(0.5, "bicubic"), (0.875, "bilinear"), (1, "lanczos")])
def test_the_middle_that_is_asked_for_is_resized_as_is_asked_for(tmp_path, monkeypatch, crop, how):
    class_folder(tmp_path / "pets", parts=("train",), size=(60, 40))
    files = sorted((tmp_path / "pets" / "train").rglob("*.png"))
    wanted = np.stack([np.asarray(resized(Image.open(file), crop, how)) for file in files])
    images = load(tmp_path, crop_pct=crop, interpolation=how)
    assert torch.equal(images.train.x_NCHW.permute(0, 2, 3, 1), torch.from_numpy(wanted))
    monkeypatch.setattr("recede_worker.images.folders.load.BUDGET_BYTES", 0)
    later = load(tmp_path, crop_pct=crop, interpolation=how)
    split = FileSplit.of(later.train, threads=1)
    assert torch.equal(split.pick(torch.arange(len(split))).head(99), images.train.x_NCHW)
    assert later.mean_C == images.mean_C


def test_a_run_of_an_earlier_version_is_seen_as_it_was(tmp_path):
    class_folder(tmp_path / "pets", parts=("train",), size=(60, 40))
    params = {p.name: p.default for p in datasets()["folder"].info([tmp_path]).params}
    params |= {"path": "pets", "image_size": 16}
    now = datasets()["folder"].load([tmp_path], params, silent)
    del params["crop_pct"], params["interpolation"]
    before = datasets()["folder"].load([tmp_path], params, silent)
    assert torch.equal(before.train.x_NCHW, now.train.x_NCHW)
