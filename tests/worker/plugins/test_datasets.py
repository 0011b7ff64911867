"""What every data set must do: say honestly what it has, load it whole, fail in words."""

from __future__ import annotations

import functools
from urllib.error import URLError

import pytest
import torch

from recede.contract.errors import RecedeError
from recede.contract.spec.params import check_params
from recede_worker.images.published import download
from recede_worker.plugins.registry import datasets

every_dataset = pytest.mark.parametrize("name", sorted(datasets()))


def silent(*_):
    """Progress that nobody watches."""


@functools.cache
def loaded(name):
    """The images, or None where this machine does not have them."""
    dataset = datasets()[name]
    return dataset.load([], {}, silent) if dataset.info([]).status == "ready" else None


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*_args, **_options):
        raise URLError("network is unreachable")

    monkeypatch.setattr(download, "urlopen", refuse)


@every_dataset
def test_info_never_raises_and_names_its_status(name, tmp_path):
    dataset = datasets()[name]
    file = tmp_path / "file"
    file.touch()
    for roots in ([], [tmp_path], [tmp_path / "absent"], [file], [file, tmp_path]):
        info = dataset.info(roots)
        assert info.name == name
        assert info.status in ("ready", "download", "missing", "unreadable")
        assert info.detail
        assert (info.download_bytes > 0) == (info.status == "download")


@every_dataset
def test_without_a_folder_to_write_nothing_is_promised(name):
    assert datasets()[name].info([]).status in ("ready", "missing")


@every_dataset
def test_a_folder_that_cannot_be_written_is_named(name, tmp_path, monkeypatch):
    if datasets()[name].info([tmp_path]).status == "missing":
        pytest.skip("is never fetched")
    monkeypatch.setattr("recede_worker.images.published.download.os.access", lambda *_: False)
    info = datasets()[name].info([tmp_path])
    assert info.status in ("ready", "missing")
    if info.status == "missing":
        assert f"{tmp_path} cannot be written" in info.detail


@every_dataset
@pytest.mark.usefixtures("no_network")
def test_without_a_network_a_download_fails_in_words_and_leaves_nothing(name, tmp_path):
    dataset = datasets()[name]
    if dataset.info([tmp_path]).status != "download":
        pytest.skip("is on this machine")
    with pytest.raises(RecedeError, match="network is unreachable") as failure:
        dataset.load([tmp_path], {}, silent)
    assert failure.value.hint
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert dataset.info([tmp_path]).status == "download"


@every_dataset
def test_what_is_missing_is_refused_in_words(name):
    dataset = datasets()[name]
    info = dataset.info([])
    if info.status == "ready":
        pytest.skip("is on this machine")
    with pytest.raises(RecedeError, match=r"missing|names no folder"):
        dataset.load([], check_params(info.params, {}, "params"), silent)


@every_dataset
def test_the_images_are_what_the_catalog_says(name):
    info, images = datasets()[name].info([]), loaded(name)
    if images is None:
        pytest.skip("is not on this machine")
    size = (info.channels, info.image_size, info.image_size)
    assert images.train.x_NCHW.shape == (info.n_train, *size)
    assert images.test.x_NCHW.shape == (info.n_test, *size)
    assert images.train.x_NCHW.dtype == images.test.x_NCHW.dtype == torch.uint8
    assert images.train.y_N.dtype == images.test.y_N.dtype == torch.int64
    assert len(images.classes) == info.classes
    for labels in (images.train.y_N, images.test.y_N):
        assert labels.unique().tolist() == list(range(info.classes))
    assert images.train.x_NCHW.is_contiguous()
    assert images.augment.pad >= 0


@every_dataset
def test_statistics_are_those_of_the_training_pixels(name):
    images = loaded(name)
    if images is None:
        pytest.skip("is not on this machine")
    for channel, (mean, std) in enumerate(zip(images.mean_C, images.std_C, strict=True)):
        pixels = images.train.x_NCHW[:, channel].double() / 255
        assert mean == pytest.approx(float(pixels.mean()), abs=1e-9)
        assert std == pytest.approx(float(pixels.std(correction=0)), abs=1e-9)


@every_dataset
def test_loading_twice_gives_the_same_images(name):
    first = loaded(name)
    if first is None:
        pytest.skip("is not on this machine")
    again = datasets()[name].load([], {}, silent)
    assert torch.equal(first.test.x_NCHW, again.test.x_NCHW)
    assert torch.equal(first.train.y_N, again.train.y_N)
