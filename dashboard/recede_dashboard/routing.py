"""Addresses to pages: /, /runs/<id>, /groups/<id>, /compare, /settings."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from dash import Dash, Input, Output, State

from recede.client import ApiError, AsyncRecedeClient
from recede_dashboard.components.states import (
    group_missing,
    page_missing,
    run_missing,
    unreachable,
)
from recede_dashboard.pages import (
    compare,
    runs,
    settings,
)
from recede_dashboard.pages.group import page as group
from recede_dashboard.pages.run import page as run

_RUN = re.compile(r"/runs/([A-Za-z0-9_-]{1,64})/?")
_GROUP = re.compile(r"/groups/([A-Za-z0-9_-]{1,64})/?")


def register(app: Dash, client: AsyncRecedeClient) -> None:
    """Fill `#page` when the address changes."""

    @app.callback(
        Output("page", "children"),
        Input("location", "pathname"),
        State("location", "search"),
    )
    async def show(path: str | None, search: str | None) -> Any:
        return await page(client, path or "/", search or "")


async def page(client: AsyncRecedeClient, path: str, search: str) -> Any:
    """The page of an address; panels for what is missing or unreachable."""
    found, group_found = _RUN.fullmatch(path), _GROUP.fullmatch(path)
    try:
        if path in ("/", "/runs", "/runs/"):
            return runs.layout(await wanted_group(client, search))
        if path.rstrip("/") == "/compare":
            return await compare.layout(client, search)
        if path.rstrip("/") == "/settings":
            return await settings.layout(client)
        if group_found is not None:
            return await group.layout(client, group_found[1])
        if found is None:
            return page_missing(path)
        return await run.layout(client, found[1], wanted_tab(search))
    except ApiError as error:
        if error.status == 404 and group_found is not None:
            return group_missing(group_found[1])
        if error.status == 404 and path.rstrip("/") == "/compare":
            return group_missing(parse_qs(search.removeprefix("?")).get("group", [""])[0][:64])
        if error.status == 404 and found is not None:
            return run_missing(found[1])
        return unreachable(error)


async def wanted_group(client: AsyncRecedeClient, search: str) -> tuple[str, str] | None:
    """Id and name of the group in the address; a deleted group is named by its id."""
    group_id = parse_qs(search.removeprefix("?")).get("group", [""])[0][:64]
    if not group_id:
        return None
    try:
        return group_id, (await client.group(group_id)).name
    except ApiError:
        return group_id, group_id


def wanted_tab(search: str) -> str | None:
    """The tab that the address names, if there is one of that name."""
    tab = parse_qs(search.removeprefix("?")).get("tab", [""])[0]
    return tab if tab in run.TABS else None
