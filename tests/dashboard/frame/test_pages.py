"""Addresses to pages, and what is shown where there is nothing to show."""

from __future__ import annotations

import asyncio

import pytest

from recede.client import (
    ApiError,
    Health,
    WorkerOut,
)
from recede.contract.schemas import Page
from recede_dashboard import routing
from recede_dashboard.pages import runs
from recede_dashboard.pages.run import page as run_page
from recede_dashboard.words.specs import summary
from tests.dashboard import samples
from tests.dashboard.layouts import (
    props,
    text,
    walk,
)

WORKER = WorkerOut(
    id="w",
    host="here",
    pid=7,
    alive=True,
    last_seen_s=1,
    started_at=0,
    devices=samples.CATALOG.devices,
    versions={"torch": "2.15"},
)


class Client:
    """Answers as the service would, from samples; `error` is raised by every call."""

    def __init__(self, error: ApiError | None = None, run=None, worker=None):
        self.error = error
        self.worker = worker or WORKER
        self.given = run or samples.run()

    async def answer(self, value):
        if self.error:
            raise self.error
        return value

    def run(self, run_id):
        return self.answer(self.given)

    def runs(self, **query):
        return self.answer(Page(items=[self.given]))

    def epochs(self, run_id):
        return self.answer(Page(items=samples.epochs(2)))

    def checkpoints(self, run_id):
        return self.answer(Page(items=[samples.checkpoint()]))

    def catalog(self):
        return self.answer(samples.CATALOG)

    def health(self):
        return self.answer(Health(status="ok", version="9.8.7", store="sqlite", workers_alive=1))

    def workers(self):
        return self.answer(Page(items=[self.worker]))


def show(path, search="", **client):
    return asyncio.run(routing.page(Client(**client), path, search))


def test_the_start_page_has_table_form_button_and_demo():
    page = show("/")
    for testid in ("new-run-button", "demo-button", "runs-search", "runs-filter"):
        props(page, data_testid=testid)
    assert props(page, id="runs-table").rowModelType == "infinite"


def test_every_column_has_a_renderer_in_the_browser():
    from recede_dashboard.app import ASSETS

    cells = (ASSETS / "app" / "runs" / "cells.js").read_text(encoding="utf-8")
    for column in runs.columns():
        assert f"cells.{column['cellRenderer']} = " in cells


def test_a_finished_run_opens_in_explore():
    page = show("/runs/abcd2345")
    assert props(page, id="run-tabs").value == "explore"
    props(page, id="explore-root")


def test_a_run_without_epochs_opens_in_training():
    waiting = samples.run(state="queued", epochs_done=0)
    assert props(show("/runs/abcd2345", run=waiting), id="run-tabs").value == "training"


@pytest.mark.parametrize("tab", run_page.TABS)
def test_the_address_chooses_the_tab(tab):
    page = show("/runs/abcd2345", f"?epoch=4&tab={tab}")
    assert props(page, id="run-tabs").value == tab
    assert props(page, id=f"slot-{tab}").children is not None


def test_a_tab_that_does_not_exist_is_ignored():
    assert routing.wanted_tab("?tab=secrets") is None


def test_only_the_tab_that_is_shown_is_filled():
    page = show("/runs/abcd2345", "?tab=files")
    assert props(page, id="slot-training").children is None


def test_the_settings_of_a_run_are_all_named():
    words = text(show("/runs/abcd2345", "?tab=training"))
    for expected in (
        "Batch size 100",
        "Width 0.25",
        "Strength λ 0.05",
        "Seed 0",
        "Learning rate 0.1",
    ):
        assert expected in " ".join(words.split())


def test_the_head_says_what_was_trained():
    assert dict(summary(samples.SPEC, samples.CATALOG))["Method"] == "rni λ 0.05"


def test_a_run_that_does_not_exist_is_said_so():
    page = show("/runs/zzzz", error=ApiError("There is no run 'zzzz'.", status=404))
    assert "There is no run zzzz" in text(page)


@pytest.mark.parametrize("path", ["/", "/settings", "/runs/abcd2345"])
def test_a_service_that_is_gone_is_said_so(path):
    gone = ApiError("Nothing answers.", status=0, hint="Is it running?")
    page = show(path, error=gone)
    if path == "/":
        props(page, id="runs-table")  # its script says it, in the banner
    else:
        assert "Nothing answers. Is it running?" in text(page)


def test_an_address_without_a_page_leads_back():
    page = show("/nowhere")
    assert "/nowhere" in text(page)
    assert any(getattr(c, "href", None) == "/" for c in walk(page))


@pytest.mark.parametrize(
    ("alive", "seconds", "words"),
    [
        (True, 1, "ready here · process 7 cpu"),
        (False, 90, "offline here"),
        (False, None, "stopped here"),
    ],
)
def test_settings_say_whether_a_worker_is_there(alive, seconds, words):
    worker = WORKER.model_copy(update={"alive": alive, "last_seen_s": seconds})
    said = text(show("/settings", worker=worker))
    assert words in said
    assert {1: "now", 90: "1 min 30 s ago", None: "–"}[seconds] in said


def test_settings_name_workers_data_sets_disk_and_versions():
    words = text(show("/settings"))
    for expected in ("here · process 7", "Digits", "1.50 MB", "9.8.7", "2.15", "170 MB"):
        assert expected in words
