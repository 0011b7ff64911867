"""On the page of a run: where its weights come from, its group, the report on its data."""

from __future__ import annotations

import asyncio

from recede.client import ApiError, RunSpec
from recede.contract.network.pixels import IMAGENET
from recede.contract.schemas import Page
from recede.contract.spec.run import Init
from recede_dashboard.pages.run import page as run_page
from recede_dashboard.pages.run.report import MOST_CLASSES, data_report
from recede_dashboard.pages.run.training import training
from recede_dashboard.shell import OFFLINE
from recede_dashboard.words.specs import setting_rows
from tests.dashboard import samples
from tests.dashboard.layouts import (
    NARROW,
    props,
    text,
    walk,
)

REPORT = {
    "folder": "/data/birds",
    "images": 130,
    "classes": {"hawk": 100, "owl": 25, "wren": 5},
    "parts": {"train": 110, "test": 20},
    "sizes": {"smallest": [30, 20], "largest": [640, 480]},
    "modes": {"RGB": 120, "L": 10},
    "bad": {
        "count": 52,
        "skipped": True,
        "files": [{"path": "train/owl/a.png", "reason": "ends too early"}],
    },
    "ignored": {".txt": 2},
    "mean": [0.5, 0.25, 0.125],
    "std": [0.2, 0.2, 0.2],
}


def tuned(**init):
    spec = RunSpec(**samples.SPEC.model_dump() | {"init": init})
    return samples.run(spec=spec, parent=init.get("run"))


def test_a_fine_tuned_run_links_to_the_run_that_it_comes_from():
    origin = run_page.origin(tuned(run="parent23", plan={"ratio": 0.6}), "Demo")
    assert text(origin) == "Fine-tuned from Demo , 60 % of the neurons removed"
    link = next(node for node in walk(origin) if type(node).__name__ == "Link")
    assert link.href == "/runs/parent23"


def test_a_parent_that_is_gone_is_named_by_its_id():
    origin = run_page.origin(tuned(run="parent23", plan={"threshold": 0.05}), None)
    assert text(origin) == "Fine-tuned from parent23 , importances up to 0.05 removed"
    assert not [node for node in walk(origin) if type(node).__name__ == "Link"]


def test_weights_of_a_file_or_of_an_uncut_run_are_said():
    assert text(run_page.origin(tuned(file="nets/a.pt"), None)).startswith(
        "Started from nets/a.pt"
    )
    assert text(run_page.origin(tuned(run="parent23"), "Demo")).startswith("Started from Demo")
    assert run_page.origin(samples.run(), None) is None


class Client:
    def __init__(self, parent: bool):
        self.parent = parent

    async def run(self, run_id):
        if run_id == "parent23" and not self.parent:
            raise ApiError("No such run.", status=404)
        known = tuned(run="parent23") if run_id == "abcd2345" else samples.run(name="Demo")
        return known.model_copy(update={"group_id": "grp23456"})

    async def catalog(self):
        return samples.CATALOG

    async def epochs(self, run_id):
        return Page(items=[])


def test_the_page_shows_the_parent_by_name_and_the_way_back_to_the_group():
    page = asyncio.run(run_page.layout(Client(parent=True), "abcd2345", "training"))
    assert "Started from Demo" in text(page)
    assert [node.href for node in walk(page) if getattr(node, "className", "") == "crumb"] == [
        "/",
        "/groups/grp23456",
    ]
    gone = asyncio.run(run_page.layout(Client(parent=False), "abcd2345", "training"))
    assert "Started from parent23" in text(gone)


def plain(rows):
    return {name.strip(): value.replace(NARROW, " ") for name, value in rows}


def test_the_settings_say_the_whole_recipe():
    spec = tuned(run="parent23", plan={"ratio": 0.6}, new_head=True).spec
    rows = plain(setting_rows(spec, samples.CATALOG))
    assert (rows["Schedule"], rows["Device"], rows["Compile"]) == ("Steps", "Automatic", "no")
    assert (rows["Data set"], rows["Network"]) == ("Digits", "Tiny")
    assert (rows["Strength λ"], rows["Width"]) == ("0.05", "0.25")
    assert rows["Starting weights"] == (
        "run parent23, 60 % of the neurons removed, at the best epoch, with a new head"
    )
    assert rows["Pixels"] == "normalised by mean and deviation of the training images"
    known = spec.model_copy(
        update={"normalize": IMAGENET, "init": Init(pretrained="V1", classes=("a", "b"))}
    )
    rows = plain(setting_rows(known, samples.CATALOG))
    assert rows["Pixels"].startswith("normalised by mean 0.485, 0.456, 0.406 and deviation 0.229")
    assert rows["Starting weights"] == "published, V1, outputs chosen by name (2 names)"
    assert "Started from published weights V1" in text(
        run_page.origin(samples.run(spec=known), None)
    )
    bare = plain(setting_rows(samples.SPEC, None))
    assert bare["Starting weights"] == "random, from the seed"
    assert (bare["Data set"], bare["lam"]) == ("digits", "0.05")  # without a catalog


def test_the_report_says_what_was_found_in_the_files():
    report = data_report(REPORT)
    words = text(report)
    assert "130 images in 3 classes (110 training, 20 test)" in words
    assert "30 × 20 to 640 × 480" in words
    assert "RGB 120, L 10" in words
    assert "0.500, 0.250, 0.125" in words
    assert ".txt 2" in words


def test_classes_are_bars_against_the_largest():
    part = props(data_report(REPORT), data_testid="report-classes")
    assert "largest ÷ smallest 20.0" in text(part)
    widths = [n.style["width"] for n in walk(part) if isinstance(getattr(n, "style", None), dict)]
    assert widths == ["100.0%", "25.0%", "5.0%"]


def test_of_many_classes_the_largest_and_the_smallest_are_drawn():
    many = REPORT | {"classes": {f"c{i}": 1000 - i for i in range(1000)}}
    part = props(data_report(many), data_testid="report-classes")
    bars = [n for n in walk(part) if getattr(n, "className", "") == "report-class"]
    assert len(bars) == MOST_CLASSES
    assert text(bars[-1]) == "c999"
    assert f"{1000 - MOST_CLASSES} more" in text(part)


def test_bad_files_are_named_with_their_reasons():
    part = text(props(data_report(REPORT), data_testid="report-bad"))
    assert "52, skipped" in part
    assert "train/owl/a.png ends too early" in part
    assert "and 51 more" in part
    assert "Every file could be read" in text(data_report(REPORT | {"bad": {"count": 0}}))


def test_a_data_set_without_a_report_has_no_card():
    assert data_report(None) is None
    assert not text(props(training(samples.run(), []), id="report-slot"))
    full = training(samples.run(data_report=REPORT), [])
    assert props(full, data_testid="data-report")


def test_the_banner_promises_nothing_of_a_service_that_was_ended():
    assert "go on without this page" not in OFFLINE
    assert "resumes from the last finished epoch when it is started again" in OFFLINE
