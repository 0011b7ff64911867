"""SVHN, STL-10 and Imagenette: fetched, unpacked, checked and read as published."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
import torch
from PIL import Image

from recede_worker.images.dataset import UnreadableData
from recede_worker.images.published import download
from recede_worker.images.published.download import DownloadFailed
from recede_worker.plugins.registry import datasets
from tests.worker.images.published.servers import archived, serve

rng = np.random.default_rng(0)


def silent(*_):
    """Progress that nobody watches."""


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def svhn(monkeypatch):
    """Two files with six digits each, in the layout of the published ones."""
    from scipy.io import savemat
    from torchvision.datasets import SVHN

    arrays, files = {}, {}
    for part in ("train", "test"):
        x = rng.integers(0, 256, (32, 32, 3, 6), dtype=np.uint8)
        buffer = io.BytesIO()
        savemat(buffer, {"X": x, "y": np.array([[1], [2], [10], [9], [10], [1]], np.uint8)})
        arrays[part], files[f"{part}_32x32.mat"] = x, buffer.getvalue()
    lists = {
        part: [f"http://x/{part}_32x32.mat", name, md5(files[name])]
        for part, name in (("train", "train_32x32.mat"), ("test", "test_32x32.mat"))
    }
    monkeypatch.setattr(SVHN, "split_list", lists)
    serve(monkeypatch, lambda url: files[url.rpartition("/")[2]])
    return datasets()["svhn"], arrays


def test_svhn_is_fetched_and_its_tens_are_noughts(svhn, tmp_path):
    dataset, arrays = svhn
    images = dataset.load([tmp_path], {}, silent)
    assert torch.equal(
        images.train.x_NCHW, torch.from_numpy(arrays["train"].transpose(3, 2, 0, 1).copy())
    )
    assert images.test.y_N.tolist() == [1, 2, 0, 9, 0, 1]
    assert images.classes == tuple("0123456789")
    assert dataset.info([tmp_path]).status == "ready"


def test_svhn_right_in_the_root_is_found_too(svhn, tmp_path):
    dataset, _ = svhn
    dataset.load([tmp_path], {}, silent)
    root = tmp_path / "svhn"
    assert dataset.info([root]).detail == f"In {root}."
    assert len(dataset.load([root], {}, silent).train.y_N) == 6


def test_a_damaged_svhn_file_is_named(svhn, tmp_path):
    dataset, _ = svhn
    dataset.load([tmp_path], {}, silent)
    path = tmp_path / "svhn" / "test_32x32.mat"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(UnreadableData, match=f"{path} is damaged"):
        dataset.load([tmp_path], {}, silent)


@pytest.fixture
def stl10(monkeypatch):
    """Four images a part, with the large file that nobody reads."""
    from torchvision.datasets import STL10

    x = rng.integers(0, 256, (4, 3, 96, 96), dtype=np.uint8)
    labels = np.array([1, 2, 10, 1], np.uint8).tobytes()
    columns = x.transpose(0, 1, 3, 2).tobytes()
    files = {"unlabeled_X.bin": b"large", "class_names.txt": b"airplane"}
    for part in ("train", "test"):
        files |= {f"{part}_X.bin": columns, f"{part}_y.bin": labels}
    for name in ("train_list", "test_list"):
        changed = [[file, md5(files[file])] for file, _ in getattr(STL10, name)]
        monkeypatch.setattr(STL10, name, changed)
    archive = archived("stl10_binary", files)
    monkeypatch.setattr(STL10, "tgz_md5", md5(archive))
    serve(monkeypatch, archive)
    return datasets()["stl10"], x


def test_stl10_is_unpacked_without_its_unlabelled_part(stl10, tmp_path):
    dataset, x = stl10
    images = dataset.load([tmp_path], {}, silent)
    assert torch.equal(images.test.x_NCHW, torch.from_numpy(x))
    assert images.train.y_N.tolist() == [0, 1, 9, 0]
    assert not list(tmp_path.rglob("unlabeled*"))
    assert [path.name for path in tmp_path.iterdir()] == ["stl10_binary"]
    assert dataset.info([tmp_path]).status == "ready"


def test_stopping_while_unpacking_leaves_nothing(stl10, tmp_path):
    dataset, _ = stl10

    def cancel(_done, _total, message, *_):
        if "Unpacking" in message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dataset.load([tmp_path], {}, cancel)
    assert list(tmp_path.iterdir()) == []


def jpeg(size, colour) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def imagenette(monkeypatch):
    """Three training images and one test image a class."""
    from torchvision.datasets import Imagenette

    files = {}
    for label, wnid in enumerate(sorted(Imagenette._WNID_TO_CLASS)):
        for number in range(3):
            files[f"train/{wnid}/{wnid}_{number}.JPEG"] = jpeg((70 + number, 64), (label, 0, 0))
        files[f"val/{wnid}/{wnid}_9.JPEG"] = jpeg((64, 90), (label, 0, 0))
    archive = archived("imagenette2-160", files)
    url, _ = Imagenette._ARCHIVES["160px"]
    monkeypatch.setattr(Imagenette, "_ARCHIVES", {"160px": (url, md5(archive))})
    serve(monkeypatch, archive)
    return datasets()["imagenette"]


def test_imagenette_has_readable_classes_and_val_is_its_test_set(imagenette, tmp_path):
    params = {"image_size": 32, "bad_files": "stop"}
    images = imagenette.load([tmp_path], params, silent)
    assert images.train.x_NCHW.shape == (30, 3, 32, 32)
    assert images.test.y_N.tolist() == list(range(10))
    assert images.val is None
    assert images.classes[0] == "tench"
    assert images.classes[9] == "parachute"
    assert images.report["classes"]["golf ball"] == 4
    assert imagenette.info([tmp_path]).status == "ready"


@pytest.mark.parametrize("name", ["mnist", "svhn", "stl10", "imagenette"])
def test_a_download_that_ends_early_leaves_no_half_data_set(name, tmp_path, monkeypatch):
    class Short(io.BytesIO):
        headers = {"Content-Length": "1000"}  # noqa: RUF012

    monkeypatch.setattr(download, "urlopen", lambda *_, **__: Short(b"half"))
    dataset = datasets()[name]
    params = {"image_size": 32, "bad_files": "stop"}
    with pytest.raises(DownloadFailed, match="after 4 of 1000 bytes"):
        dataset.load([tmp_path], params, silent)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert dataset.info([tmp_path]).status == "download"


def test_imagenet_is_counted_in_its_folder_and_never_fetched(tmp_path):
    dataset = datasets()["imagenet"]
    assert dataset.info([tmp_path]).status == "missing"
    assert (dataset.info([tmp_path]).classes, dataset.info([]).n_train) == (1000, 1_281_167)
    for part, n in (("train", 4), ("val", 2)):
        for wnid in ("n01440764", "n01443537"):
            folder = tmp_path / "imagenet" / part / wnid
            folder.mkdir(parents=True)
            for number in range(n):
                (folder / f"{number}.JPEG").write_bytes(jpeg((50, 40), "white"))
    info = dataset.info([tmp_path])
    assert (info.status, info.classes, info.n_train, info.n_test) == ("ready", 2, 8, 4)
    images = dataset.load([tmp_path], {"image_size": 32, "bad_files": "stop"}, silent)
    assert images.test.x_NCHW.shape == (4, 3, 32, 32)
    assert images.classes == ("n01440764", "n01443537")
