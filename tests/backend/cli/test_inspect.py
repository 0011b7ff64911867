"""`recede inspect`: a folder is checked from the terminal, with an exit code for scripts."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from recede.cli import app
from tests.worker.images.pictures import class_folder


@pytest.fixture
def inspect(tmp_path, monkeypatch):
    monkeypatch.setenv("RECEDE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(folder, *options):
        return CliRunner().invoke(app, ["inspect", str(folder), *options])

    return run


def test_a_good_folder_is_described_and_left_as_it_was(inspect, tmp_path):
    folder = class_folder(tmp_path / "pets", parts=("train", "test"))
    before = sorted(folder.rglob("*"))
    done = inspect(folder)
    assert done.exit_code == 0, done.output
    for words in ("16 (train 8, test 8)", "2: cat 8, dog 8", "20×16", "RECEDE_DATA_ROOTS"):
        assert words in done.output
    assert sorted(folder.rglob("*")) == before


def test_bad_files_are_named_and_end_with_1(inspect, tmp_path):
    folder = class_folder(tmp_path / "pets")
    (folder / "train" / "cat" / "x.jpg").write_text("text")
    done = inspect(folder, "--json", "--image-size", "32", "--colour", "grey")
    assert done.exit_code == 1
    report = json.loads(done.stdout)["report"]
    assert report["bad"]["files"][0]["path"] == "train/cat/x.jpg"
    assert len(report["mean"]) == 1


def test_a_folder_that_cannot_be_used_ends_with_2_and_says_why(inspect, tmp_path):
    done = inspect(class_folder(tmp_path / "pets", classes=("cat",)))
    assert done.exit_code == 2
    assert "a single class, cat" in done.output


@pytest.mark.parametrize("options", [["absent"], [".", "--colour", "blue"]])
def test_what_cannot_be_checked_is_refused_before_anything_starts(inspect, options):
    assert inspect(*options).exit_code == 2
