"""The form of a new run tells what the service knows of its disk, time and memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from recede.client import ApiError, SpecCheck
from recede.contract.schemas import DiskOut, ForecastOut, ReachOut
from recede_dashboard.pages.new_run.checking import (
    checked,
    disk_alert,
    forecast,
)
from recede_dashboard.pages.new_run.form import initial_values
from recede_dashboard.pages.new_run.values.spec import Review, review
from tests.dashboard.layouts import text
from tests.dashboard.samples import CATALOG


class Client:
    """Checks a spec as the service would, with what it says of the disk."""

    def __init__(self, disk: DiskOut | ApiError):
        self.disk = disk

    async def check_run(self, spec):
        if isinstance(self.disk, ApiError):
            raise self.disk
        expected = ForecastOut(time="About 4 min.", memory="At least 9 MB.")
        reach = ReachOut(words="At most 9 % can go.")
        facts = {"disk": self.disk, "forecast": expected, "reach": reach}
        return SpecCheck(spec=spec, steps=1, reasons={}, **facts)


def said(disk: DiskOut | ApiError, seen: Review) -> str | None:
    shown = disk_alert(asyncio.run(checked(Client(disk), seen)), seen)
    return None if shown is None else text(shown)


@pytest.fixture
def seen() -> Review:
    return review(CATALOG, initial_values(CATALOG))


SHORT = DiskOut(free_bytes=5, warning="20.0 MB of disk are free.")


def test_a_disk_with_room_is_not_spoken_of(seen):
    assert said(DiskOut(free_bytes=5), seen) is None


def test_a_warning_is_shown_in_the_services_words_and_of_a_sweep_for_each_run(seen):
    assert said(SHORT, seen) == SHORT.warning
    assert said(SHORT, replace(seen, axes={"seed": [0, 1]})) == f"Per run: {SHORT.warning}"


def test_a_run_that_cannot_fit_is_shown_with_the_hint_before_it_is_started(seen):
    refusal = ApiError("It needs 9 MB.", status=507, code="storage", hint="Free some space.")
    assert said(refusal, seen) == "It needs 9 MB. Free some space."


def test_other_refusals_wait_for_the_start(seen):
    assert said(ApiError("Epoch 3 was not kept.", status=409, code="conflict"), seen) is None


def test_nothing_is_requested_while_something_has_to_be_fixed(seen):
    broken = replace(seen, spec=None)
    assert said(SHORT, broken) is None


def test_what_can_be_cut_time_and_memory_are_shown_in_the_services_words(
    seen,
):
    answer = asyncio.run(checked(Client(DiskOut(free_bytes=5)), seen))
    known = answer.model_copy(update={"reasons": {"normalize": "as trained", "x": "no"}})
    assert text(forecast(known, seen)).startswith("Pixels as trained Can be cut At most 9 %")
    facts = "Can be cut At most 9 % can go. Time About 4 min. Memory At least 9 MB."
    assert text(forecast(answer, seen)) == facts
    swept = replace(seen, axes={"seed": [0, 1]})
    assert "Time Per run: About 4 min." in text(forecast(answer, swept))


def test_what_cannot_be_started_has_no_time(seen):
    refusal = ApiError("It needs 9 MB.", status=507, code="storage")
    for shown in (seen, replace(seen, spec=None)):
        assert forecast(asyncio.run(checked(Client(refusal), shown)), shown) is None
