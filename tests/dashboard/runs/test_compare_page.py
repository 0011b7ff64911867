"""The page that compares runs: which it takes from the address, and what it says without any."""

from __future__ import annotations

import asyncio
import json
from importlib import metadata

import pytest

from recede.client import ApiError
from recede_dashboard import routing
from tests.dashboard import samples
from tests.dashboard.layouts import props, text
from tests.dashboard.runs import group_samples


class Client:
    """Answers as the service would, from samples."""

    def __init__(self, *, has_worker: bool = True):
        self.has_worker = has_worker

    async def group(self, group_id):
        if group_id != group_samples.group().id:
            raise ApiError("There is no such group.", status=404, code="not_found")
        return group_samples.group()

    async def catalog(self):
        if not self.has_worker:
            raise ApiError("No worker yet.", status=503, code="no_catalog")
        return samples.CATALOG


def labels(client: Client) -> dict[str, str]:
    page = asyncio.run(routing.page(client, "/compare", "?runs=a1,b2"))
    root = props(page, data_testid="compare-root").to_plotly_json()["props"]
    return json.loads(root["data-labels"])


def page(search: str):
    return asyncio.run(routing.page(Client(), "/compare", search))


def runs_of(layout) -> list[str]:
    root = props(layout, data_testid="compare-root").to_plotly_json()["props"]
    return root["data-runs"].split(",")


def test_named_runs_are_compared_each_once_in_their_order():
    assert runs_of(page("?runs=b2,a1,b2")) == ["b2", "a1"]


def test_all_runs_of_a_group_are_compared():
    group = group_samples.group()
    assert runs_of(page(f"?group={group.id}")) == [run.id for run in group.runs]


@pytest.mark.parametrize(
    ("search", "said"), [("", "No run is selected"), ("?runs=a1", "Only one run is selected")]
)
def test_fewer_than_two_runs_are_answered_with_what_to_do(search, said):
    shown = text(page(search))
    assert said in shown
    assert "Select two to eight" in shown


def test_settings_are_called_as_in_the_form_those_of_plug_ins_too():
    method = samples.CATALOG.methods[0]
    found = labels(Client())
    assert found["lr"] == "Learning rate"
    assert found[f"method_params.{method.params[0].name}"] == method.params[0].label
    assert labels(Client(has_worker=False))["lr"] == "Learning rate"


def test_what_is_no_id_never_reaches_the_page():
    assert runs_of(page("?runs=a1,b2,%3Cscript%3E,../x")) == ["a1", "b2"]


def test_a_group_that_is_gone_is_said_in_words():
    assert props(page("?group=gone2345"), data_testid="group-missing")


def test_the_page_says_its_version_for_what_is_saved_of_it():
    root = props(page("?runs=a1,b2"), data_testid="compare-root").to_plotly_json()["props"]
    assert root["data-version"] == metadata.version("recede")
