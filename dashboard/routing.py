"""Addresses to pages: /, /runs/<id>, /settings."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from dash import Dash, Input, Output, State

from backend.client import ApiError, AsyncRecedeClient
from dashboard.components.states import page_missing, run_missing, unreachable
from dashboard.pages import run, runs, settings

_RUN = re.compile(r"/runs/([A-Za-z0-9_-]{1,64})/?")


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
    """The page of an address; what is missing or unreachable is said in words."""
    found = _RUN.fullmatch(path)
    try:
        if path in ("/", "/runs", "/runs/"):
            return runs.layout()
        if path.rstrip("/") == "/settings":
            return await settings.layout(client)
        if found is None:
            return page_missing(path)
        return await run.layout(client, found[1], wanted_tab(search))
    except ApiError as error:
        if error.status == 404 and found is not None:
            return run_missing(found[1])
        return unreachable(error)


def wanted_tab(search: str) -> str | None:
    """The tab that the address names, if there is one of that name."""
    tab = parse_qs(search.removeprefix("?")).get("tab", [""])[0]
    return tab if tab in run.TABS else None
