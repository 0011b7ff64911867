"""A whole training on a folder of images that nobody prepared, in memory and from files."""

from __future__ import annotations

import pytest

from recede.contract.errors import InvalidInput
from recede.store.experiments import runs
from recede_worker.engine.inputs import file_split
from recede_worker.engine.inputs.file_split import FileSplit
from recede_worker.engine.inputs.load import load_data
from recede_worker.engine.inputs.splits import PixelSplit
from recede_worker.images.folders import load
from recede_worker.images.folders.load import BadImages
from recede_worker.plugins.catalog import build_catalog
from tests.worker.engine.claimed_job import SMALL
from tests.worker.images.pictures import class_folder, picture

SPEC = {
    "dataset": "folder",
    "dataset_params": {"path": "pets", "image_size": 32},
    "epochs": 1,
    "batch_size": 8,
}


def spec_of(settings, **changes):
    """Checked by the catalog, as the API does."""
    asked = SMALL.model_dump() | SPEC | changes
    return build_catalog(settings.roots).check(type(SMALL).model_validate(asked))


@pytest.fixture
def pets(settings):
    folder = class_folder(settings.roots[0] / "pets", n=16, size=(48, 36))
    picture(folder / "test" / "cat" / "photo.JPG", (90, 60))
    picture(folder / "test" / "dog" / "grey.png", mode="I;16")
    return folder


@pytest.mark.parametrize("budget", [1 << 30, 0])
def test_a_folder_trains_to_the_end_and_its_report_is_kept(
    settings, submit, pets, budget, monkeypatch
):
    monkeypatch.setattr(load, "BUDGET_BYTES", budget)
    monkeypatch.setattr(file_split, "MAX_LOADERS", 0)
    (pets / "train" / "cat" / "broken.jpg").write_text("text")
    params = {**SPEC["dataset_params"], "bad_files": "skip"}
    job = submit(spec_of(settings, dataset_params=params))
    job.perform()
    with job.store.read() as session:
        run = runs.get(session, job.run_id)
    assert run.n_test == 2
    assert run.data_report["images"] == 34
    assert run.data_report["bad"]["count"] == 1
    assert run.data_report["bad"]["skipped"]


def test_bad_files_end_the_run_before_any_training(settings, submit, pets):
    (pets / "train" / "cat" / "broken.jpg").write_text("text")
    job = submit(spec_of(settings))
    told = []
    job.publish = told.append
    with pytest.raises(BadImages, match=r"1 of 35 image files .* train/cat/broken.jpg"):
        job.perform()
    assert {progress["stage"] for progress in told} == {"loading"}
    assert told[-1]["unit"] == "images"
    with job.store.read() as session:
        report = runs.get(session, job.run_id).data_report
    assert report["bad"]["files"][0]["path"] == "train/cat/broken.jpg"
    assert not report["bad"]["skipped"]


def test_a_batch_larger_than_what_is_left_is_refused(settings, pets):
    for number in range(15):
        (pets / "train" / "cat" / f"{number}.png").write_text("text")
        (pets / "train" / "dog" / f"{number}.png").write_text("text")
    class_folder(pets, n=2, parts=("val",))
    picture(pets / "train" / "cat" / "one.png")
    params = {**SPEC["dataset_params"], "bad_files": "skip"}
    spec = spec_of(settings, dataset_params=params)
    with pytest.raises(InvalidInput, match="larger than the 3 images left") as refusal:
        load_data(spec, settings, lambda *_: None)
    assert refusal.value.field == "batch_size"


def test_val_and_test_folders_are_the_splits_and_what_is_missing_is_drawn(settings, pets):
    data = load_data(spec_of(settings), settings, lambda *_: None)
    assert isinstance(data.train, PixelSplit)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [29, 3, 2]
    assert data.seeded
    class_folder(pets, n=5, parts=("val",))
    data = load_data(spec_of(settings), settings, lambda *_: None)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [32, 10, 2]
    assert not data.seeded


def test_files_are_split_like_pixels(settings, pets, monkeypatch):
    in_memory = load_data(spec_of(settings), settings, lambda *_: None)
    monkeypatch.setattr(load, "BUDGET_BYTES", 0)
    of_files = load_data(spec_of(settings), settings, lambda *_: None)
    assert isinstance(of_files.train, FileSplit)
    assert of_files.train.y_N.tolist() == in_memory.train.y_N.tolist()
    assert of_files.input_shape == in_memory.input_shape == (3, 32, 32)
