"""Files of data sets: layouts that are found, damage that is named, downloads that complete."""

from __future__ import annotations

import dataclasses
import errno
import gzip
import hashlib
import importlib.machinery
import importlib.util
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from recede_worker.images.dataset import UnreadableData
from recede_worker.images.published.idx import read_idx
from recede_worker.images.published.idx_set import FILES
from recede_worker.plugins.registry import datasets
from tests.worker.images.published.servers import (
    archived,
    idx_bytes,
    serve,
)


def silent(*_):
    """Progress that nobody watches."""


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_arrays_are_read_plain_and_compressed(tmp_path, pack):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = tmp_path / "file"
    path.write_bytes(pack(idx_bytes(array)))
    assert torch.equal(read_idx(path), torch.from_numpy(array))


GOOD = idx_bytes(np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an IDX file"),
        (b"<html>404</html>", "not an IDX file"),
        (GOOD[:6], "ends inside its header"),
        (GOOD[:-1], "39 bytes where its header promises 40"),
        (GOOD + b"!", "41 bytes where its header promises 40"),
        (gzip.compress(GOOD, mtime=0)[:-9], "damaged or cut short"),
        (
            gzip.compress(GOOD, mtime=0)[:12]
            + b"\xff\xff\xff"
            + gzip.compress(GOOD, mtime=0)[15:],
            "damaged",
        ),
    ],
)
def test_a_damaged_idx_file_is_named_with_what_to_do(tmp_path, content, words):
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(UnreadableData, match=words) as problem:
        read_idx(path)
    assert str(path) in problem.value.message
    assert str(path) in problem.value.hint


def test_an_absent_idx_file_is_named(tmp_path):
    with pytest.raises(UnreadableData, match=r"Cannot read .*absent: No such file"):
        read_idx(tmp_path / "absent")


@pytest.fixture(params=["fashion-mnist", "mnist"])
def small(request):
    """A set in the form of MNIST with a handful of images, and no Debian package."""
    return dataclasses.replace(datasets()[request.param], package=None, n_train=20, n_test=10)


def idx_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    arrays = []
    for n in (20, 10):
        arrays += [rng.integers(0, 256, (n, 28, 28)), np.arange(n) % 10]
    return {name: idx_bytes(array) for name, array in zip(FILES, arrays, strict=True)}


def write_idx(folder, *, packed: bool) -> None:
    folder.mkdir(parents=True)
    for name, content in idx_files().items():
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content, mtime=0) if packed else content)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_both_layouts_are_found_in_any_root(small, tmp_path, own, packed):
    roots = [tmp_path / "first", tmp_path / "second"]
    place = small.name if own else f"{small.torchvision_class}/raw"
    write_idx(roots[1] / place, packed=packed)
    info = small.info(roots)
    assert (info.status, info.detail) == ("ready", f"In {roots[1] / place}.")
    images = small.load(roots, {}, silent)
    assert images.train.x_NCHW.shape == (20, 1, 28, 28)
    assert images.test.y_N.tolist() == list(range(10))


def test_an_incomplete_folder_is_completed_by_a_download(small, tmp_path, monkeypatch):
    from torchvision import datasets as published

    folder = tmp_path / small.name
    write_idx(folder, packed=True)
    lost = folder / f"{FILES[1]}.gz"
    content = lost.read_bytes()
    lost.unlink()
    assert small.info([tmp_path]).status == "download"
    source = getattr(published, small.torchvision_class)
    sums = [(f"{name}.gz", hashlib.md5(content).hexdigest()) for name in FILES]
    monkeypatch.setattr(source, "resources", sums)
    serve(monkeypatch, content)
    assert small.load([tmp_path], {}, silent).train.y_N.tolist() == [*range(10)] * 2
    assert small.info([tmp_path]).status == "ready"


def test_the_next_mirror_is_asked_where_one_fails(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    small = dataclasses.replace(datasets()["mnist"], n_train=20, n_test=10)
    files = {f"{name}.gz": gzip.compress(body, mtime=0) for name, body in idx_files().items()}
    sums = [(name, hashlib.md5(body).hexdigest()) for name, body in files.items()]
    monkeypatch.setattr(MNIST, "resources", sums)
    monkeypatch.setattr(MNIST, "mirrors", ["http://broken/", "http://whole/"])
    asked = []

    def answer(url):
        asked.append(url)
        return b"half" if "broken" in url else files[url.rpartition("/")[2]]

    serve(monkeypatch, answer)
    assert len(small.load([tmp_path], {}, silent).test.y_N) == 10
    assert len(asked) == 8


def test_a_file_that_cannot_be_opened_is_reported_before_a_run(small, tmp_path):
    write_idx(tmp_path / small.name, packed=False)
    (tmp_path / small.name / FILES[2]).unlink()
    (tmp_path / small.name / FILES[2]).mkdir()
    info = small.info([tmp_path])
    assert info.status == "unreadable"
    assert FILES[2] in info.detail
    assert "Is a directory" in info.detail
    with pytest.raises(UnreadableData, match="Is a directory"):
        small.load([tmp_path], {}, silent)


def test_a_forbidden_file_is_said_to_be_forbidden(small, tmp_path, monkeypatch):
    write_idx(tmp_path / small.name, packed=True)

    def forbid(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbid)
    info = small.info([tmp_path])
    assert info.status == "unreadable"
    assert info.detail.endswith(f"{FILES[0]}.gz: Permission denied.")


@pytest.mark.parametrize("labels", [np.arange(11) % 10, np.arange(10) + 1])
def test_files_of_another_data_set_are_refused(small, tmp_path, labels):
    write_idx(tmp_path / small.name, packed=False)
    path = tmp_path / small.name / FILES[3]
    path.write_bytes(idx_bytes(labels))
    with pytest.raises(UnreadableData, match=f"{small.label} has 10 images"):
        small.load([tmp_path], {}, silent)


@pytest.fixture(params=["cifar10", "cifar100"])
def small_cifar(request, monkeypatch):
    """One CIFAR with three images a file, served as the archive that its server has."""
    from torchvision import datasets as published

    dataset = datasets()[request.param]
    source = getattr(published, dataset.torchvision_class)
    names = [f"class {i}" for i in range(dataset.classes)]
    rng = np.random.default_rng(0)
    files = {source.meta["filename"]: pickle.dumps({source.meta["key"]: names})}
    labels = "labels" if dataset.classes == 10 else "fine_labels"
    for name in dataset.files:
        pixels = rng.integers(0, 256, (3, 3072), dtype=np.uint8)
        files.setdefault(name, pickle.dumps({"data": pixels, labels: [0, 1, 2]}))
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    for part in ("train_list", "test_list"):
        changed = [[name, sums[name]] for name, _ in getattr(source, part)]
        monkeypatch.setattr(source, part, changed)
    monkeypatch.setattr(source, "meta", {**source.meta, "md5": sums[source.meta["filename"]]})
    archive = archived(source.base_folder, files)
    monkeypatch.setattr(source, "tgz_md5", hashlib.md5(archive).hexdigest())
    serve(monkeypatch, archive)
    return dataset


def test_cifar_is_fetched_unpacked_verified_and_found_again(small_cifar, tmp_path):
    told = []
    images = small_cifar.load([tmp_path], {}, lambda *report: told.append(report))
    assert images.train.x_NCHW.shape[1:] == (3, 32, 32)
    assert images.test.x_NCHW.shape == (3, 3, 32, 32)
    assert images.test.y_N.tolist() == [0, 1, 2]
    assert len(images.classes) == small_cifar.classes
    assert any("Unpacking" in message for _, _, message, *_ in told)
    assert [path.name for path in tmp_path.iterdir()] == [small_cifar.folder]
    assert small_cifar.info([tmp_path]).status == "ready"


def test_a_damaged_cifar_file_is_named(small_cifar, tmp_path):
    small_cifar.load([tmp_path], {}, silent)
    path = tmp_path / small_cifar.folder / small_cifar.files[0]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UnreadableData, match=f"{path} is damaged") as problem:
        small_cifar.load([tmp_path], {}, silent)
    assert "Delete" in problem.value.hint


def test_an_incomplete_cifar_folder_is_set_aside_and_fetched_anew(small_cifar, tmp_path):
    folder = tmp_path / small_cifar.folder
    folder.mkdir()
    (folder / small_cifar.files[0]).write_bytes(b"half")
    assert small_cifar.info([tmp_path]).status == "download"
    small_cifar.load([tmp_path], {}, silent)
    assert small_cifar.info([tmp_path]).status == "ready"
    assert [p.read_bytes() for p in tmp_path.glob("incomplete-*/*/*")] == [b"half"]


def labelled_corners(x_NHW, y_N, step):
    """Each image's label and its four corner pixels, in an order that the images alone give."""
    corners = x_NHW[:, ::step, ::step].flatten(1).round().int()
    return sorted([label, *row] for label, row in zip(y_N, corners.tolist(), strict=True))


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    digits, raw = datasets()["digits"].load([], {}, silent), load_digits()
    x_NCHW = torch.cat([digits.train.x_NCHW, digits.test.x_NCHW])
    y_N = torch.cat([digits.train.y_N, digits.test.y_N])
    wanted = torch.from_numpy(raw.images) * (255 / 16)
    assert labelled_corners(x_NCHW[:, 0], y_N.tolist(), 31) == labelled_corners(
        wanted, raw.target.tolist(), 7
    )


@pytest.mark.parametrize("content", [None, b"no gzip", gzip.compress(b"1,2\n3,4\n", mtime=0)])
def test_a_damaged_file_of_digits_is_named_with_what_puts_it_right(tmp_path, monkeypatch, content):
    spec = importlib.machinery.ModuleSpec("sklearn", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    path = tmp_path / "datasets" / "data" / "digits.csv.gz"
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableData, match=r"digits\.csv\.gz") as refusal:
        datasets()["digits"].load([], {}, silent)
    assert "--force-reinstall scikit-learn" in (refusal.value.hint or "")
