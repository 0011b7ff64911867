"""Compare: two to eight runs, or a group of seeds; drawn in the browser."""

from __future__ import annotations

import json
import re
from importlib import metadata
from urllib.parse import parse_qs

from dash import dcc, html
from dash.development.base_component import Component

from recede.client import ApiError, AsyncRecedeClient
from recede_dashboard.components.attributes import attrs
from recede_dashboard.components.states import panel
from recede_dashboard.queries.catalog import known_catalog
from recede_dashboard.words.specs import all_labels

MOST = 64
"""Runs of a group that are compared; seeds of one configuration share a line."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def layout(client: AsyncRecedeClient, search: str) -> Component:
    """The page for the runs that the address names: `runs=a,b` or `group=id`.

    Raises:
        ApiError: the group is not there, or the service does not answer.
    """
    query = parse_qs(search.removeprefix("?"))
    group_id = query.get("group", [""])[0]
    ids = await _members(client, group_id) if group_id else _ids(query)
    if len(ids) < 1 + (not group_id):
        return _too_few(len(ids))
    crumbs: list[Component] = [dcc.Link("Runs", href="/", className="crumb")]
    return html.Div(
        [
            html.Div(
                html.Div(
                    [
                        *crumbs,
                        html.Span("/", className="crumb-slash", **attrs(aria_hidden="true")),
                        html.H1("Compare", className="group-name"),
                    ],
                    className="run-title",
                ),
                className="run-head",
            ),
            html.Div(className="cmp-mount"),
        ],
        id="compare-root",
        className="compare",
        **attrs(
            data_recede_compare="true",
            data_runs=",".join(ids),
            data_state="loading",
            data_labels=json.dumps(all_labels(await known_catalog(client))),
            data_version=metadata.version("recede"),  # recorded in exported figures
            data_testid="compare-root",
        ),
    )


async def _members(client: AsyncRecedeClient, group_id: str) -> list[str]:
    if not _ID.fullmatch(group_id):
        raise ApiError(f"There is no group {group_id[:64]!r}.", status=404, code="not_found")
    return [run.id for run in (await client.group(group_id)).runs[:MOST]]


def _ids(query: dict[str, list[str]]) -> list[str]:
    """The runs that are named, each once, in their order."""
    named = ",".join(query.get("runs", [])).split(",")
    return list(dict.fromkeys(one for one in named if _ID.fullmatch(one)))[:MOST]


def _too_few(n: int) -> Component:
    given = "No run is selected" if n == 0 else "Only one run is selected"
    return panel(
        "Choose at least two runs",
        f"{given}. Select two to eight in the list of runs, then Compare.",
        "",
        dcc.Link("Choose runs", href="/", className="btn btn-primary"),
        testid="compare-too-few",
    )
