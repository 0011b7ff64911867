"""Folders of images below the data roots are found, counted and watched at little cost."""

from __future__ import annotations

import os

import pytest

from recede.contract.errors import InvalidInput
from recede_worker.images.folders import found
from recede_worker.plugins.registry import datasets
from tests.worker.images.pictures import class_folder, picture


def info(*roots):
    return datasets()["folder"].info(roots)


def test_each_folder_is_a_variant_with_its_counts(tmp_path):
    class_folder(tmp_path / "a" / "pets", n=2, parts=("train", "test"))
    class_folder(tmp_path / "b" / "group" / "birds", n=3, classes=("owl", "tit", "wren"))
    (tmp_path / "b" / "empty").mkdir()
    entry = info(tmp_path / "a", tmp_path / "b")
    facts = [(v.name, v.classes, v.n_train, v.n_test, v.status) for v in entry.variants]
    assert facts == [("pets", 2, 4, 4, "ready"), ("group/birds", 3, 9, 0, "ready")]
    assert entry.status == "ready"
    resolved = entry.resolved({"path": "group/birds", "image_size": 48, "colour": "grey"})
    assert (resolved.classes, resolved.channels, resolved.image_size) == (3, 1, 48)
    with pytest.raises(InvalidInput, match=r"pets, group/birds"):
        entry.resolved({"path": "nowhere"})


def test_a_root_that_is_itself_such_a_folder_is_found_by_its_own_name(tmp_path):
    class_folder(tmp_path / "pets")
    assert [variant.name for variant in info(tmp_path / "pets").variants] == ["pets"]


def test_new_images_are_counted_and_nothing_is_opened(tmp_path):
    class_folder(tmp_path / "pets", n=2)
    (tmp_path / "pets" / "train" / "cat" / "broken.jpg").write_text("text")
    assert info(tmp_path).variants[0].n_train == 5
    picture(tmp_path / "pets" / "train" / "dog" / "deep" / "x.png")
    assert info(tmp_path).variants[0].n_train == 6


def age(folder, seconds: float) -> None:
    """Make all folders look as if they had changed long ago."""
    for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        status = path.stat()
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - int(seconds * 1e9)))


def test_an_unchanged_folder_is_not_listed_again(tmp_path, monkeypatch):
    class_folder(tmp_path / "pets", n=2)
    age(tmp_path, 100)
    first = info(tmp_path)

    def fail(*_):
        raise AssertionError("listed again")

    monkeypatch.setattr(found, "image_files", fail)
    assert info(tmp_path) == first
    picture(tmp_path / "pets" / "train" / "dog" / "new.png")
    with pytest.raises(AssertionError, match="listed again"):
        info(tmp_path)


def test_a_count_that_took_long_is_believed_for_a_while(tmp_path, monkeypatch):
    class_folder(tmp_path / "pets", n=2)
    monkeypatch.setattr(found, "QUICK_S", -1.0)
    monkeypatch.setattr(found, "PATIENCE", 1e9)
    first = info(tmp_path)
    picture(tmp_path / "pets" / "train" / "dog" / "new.png")
    assert info(tmp_path) == first


def test_a_root_with_very_many_entries_is_looked_at_in_part_and_says_so(tmp_path, monkeypatch):
    for number in range(4):
        class_folder(tmp_path / f"set{number}", n=1)
    monkeypatch.setattr(found, "MAX_FOUND", 2)
    entry = info(tmp_path)
    assert len(entry.variants) == 2
    assert f"Only the first 2 folders of {tmp_path}" in entry.detail
    monkeypatch.setattr(found, "MAX_ENTRIES", 3)
    assert "very many entries; only the first 3" in info(tmp_path).detail


def test_a_folder_linked_from_outside_the_roots_is_listed_as_unreadable(tmp_path):
    class_folder(tmp_path / "outside")
    root = tmp_path / "root"
    root.mkdir()
    (root / "pets").symlink_to(tmp_path / "outside")
    (variant,) = info(root).variants
    assert (variant.name, variant.status) == ("pets", "unreadable")
    assert "outside the data roots" in variant.detail


def test_a_root_without_such_folders_says_what_to_do(tmp_path):
    entry = info(tmp_path)
    assert entry.status == "missing"
    assert "train/CLASS" in entry.detail
    assert "RECEDE_DATA_ROOTS" in entry.detail
