"""Files of data sets: layouts that are found, damage that is named, downloads that complete."""

from __future__ import annotations

import dataclasses
import errno
import gzip
import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from worker.datasets import download, fashion_mnist
from worker.datasets.base import UnreadableData
from worker.datasets.fashion_mnist import FILES
from worker.datasets.idx import read_idx
from worker.registry import datasets


def silent(*_):
    """Progress that nobody watches."""


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype(np.uint8).tobytes()


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
        (gzip.compress(GOOD)[:-9], "damaged or cut short"),
        (gzip.compress(GOOD)[:12] + b"\xff\xff\xff" + gzip.compress(GOOD)[15:], "damaged"),
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


@pytest.fixture
def small_fashion(monkeypatch, tmp_path):
    """Fashion-MNIST with a handful of images, and no Debian package."""
    monkeypatch.setattr(fashion_mnist, "N_TRAIN", 20)
    monkeypatch.setattr(fashion_mnist, "N_TEST", 10)
    return dataclasses.replace(datasets()["fashion-mnist"], debian=tmp_path / "no-debian")


def fashion_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    arrays = []
    for n in (20, 10):
        arrays += [rng.integers(0, 256, (n, 28, 28)), np.arange(n) % 10]
    return {name: idx_bytes(array) for name, array in zip(FILES, arrays, strict=True)}


def write_fashion(folder, *, packed: bool) -> None:
    folder.mkdir(parents=True)
    for name, content in fashion_files().items():
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize("place", ["fashion-mnist", "FashionMNIST/raw"])
@pytest.mark.parametrize("packed", [True, False])
def test_both_layouts_are_found_in_any_root(small_fashion, tmp_path, place, packed):
    roots = [tmp_path / "first", tmp_path / "second"]
    write_fashion(roots[1] / place, packed=packed)
    info = small_fashion.info(roots)
    assert (info.status, info.detail) == ("ready", f"In {roots[1] / place}.")
    images = small_fashion.load(roots, {}, silent)
    assert images.train.x_NCHW.shape == (20, 1, 28, 28)
    assert images.test.y_N.tolist() == list(range(10))


def test_an_incomplete_folder_is_completed_by_a_download(small_fashion, tmp_path, monkeypatch):
    from torchvision.datasets import FashionMNIST

    folder = tmp_path / "fashion-mnist"
    write_fashion(folder, packed=True)
    lost = folder / f"{FILES[1]}.gz"
    content = lost.read_bytes()
    lost.unlink()
    assert small_fashion.info([tmp_path]).status == "download"
    sums = [(f"{name}.gz", hashlib.md5(content).hexdigest()) for name in FILES]
    monkeypatch.setattr(FashionMNIST, "resources", sums)
    serve(monkeypatch, content)
    assert small_fashion.load([tmp_path], {}, silent).train.y_N.tolist() == [*range(10)] * 2
    assert small_fashion.info([tmp_path]).status == "ready"


def test_a_file_that_cannot_be_opened_is_reported_before_a_run(small_fashion, tmp_path):
    write_fashion(tmp_path / "fashion-mnist", packed=False)
    (tmp_path / "fashion-mnist" / FILES[2]).unlink()
    (tmp_path / "fashion-mnist" / FILES[2]).mkdir()
    info = small_fashion.info([tmp_path])
    assert info.status == "unreadable"
    assert FILES[2] in info.detail
    assert "Is a directory" in info.detail
    with pytest.raises(UnreadableData, match="Is a directory"):
        small_fashion.load([tmp_path], {}, silent)


def test_a_forbidden_file_is_said_to_be_forbidden(small_fashion, tmp_path, monkeypatch):
    write_fashion(tmp_path / "fashion-mnist", packed=True)

    def forbid(path, *_):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", forbid)
    info = small_fashion.info([tmp_path])
    assert info.status == "unreadable"
    assert info.detail.endswith(f"{FILES[0]}.gz: Permission denied.")


@pytest.mark.parametrize("labels", [np.arange(11) % 10, np.arange(10) + 1])
def test_files_of_another_data_set_are_refused(small_fashion, tmp_path, labels):
    write_fashion(tmp_path / "fashion-mnist", packed=False)
    path = tmp_path / "fashion-mnist" / FILES[3]
    path.write_bytes(idx_bytes(labels))
    with pytest.raises(UnreadableData, match="Fashion-MNIST has 10 images"):
        small_fashion.load([tmp_path], {}, silent)


def serve(monkeypatch, body: bytes) -> None:
    class Response(io.BytesIO):
        headers = {"Content-Length": str(len(body))}  # noqa: RUF012

    monkeypatch.setattr(download, "urlopen", lambda *_, **__: Response(body))


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


def archived(folder: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_cifar_is_fetched_unpacked_verified_and_found_again(small_cifar, tmp_path):
    told = []
    images = small_cifar.load([tmp_path], {}, lambda *report: told.append(report))
    assert images.train.x_NCHW.shape[1:] == (3, 32, 32)
    assert images.test.x_NCHW.shape == (3, 3, 32, 32)
    assert images.test.y_N.tolist() == [0, 1, 2]
    assert len(images.classes) == small_cifar.classes
    assert any("Unpacking" in message for _, _, message in told)
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
