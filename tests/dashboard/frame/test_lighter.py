"""Pages load the scripts of what they show, and the smaller Plotly is the same version."""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files

import httpx
import pytest
from fastapi import FastAPI

from recede.client import AsyncRecedeClient
from recede_dashboard.app import mount
from recede_dashboard.serving.lighter import PLOTLY, PLOTLY_PATH

BASE = "http://127.0.0.1:8400"
VERSION = re.compile(r"plotly\.js\D*v(\d+\.\d+\.\d+)")


@pytest.fixture(scope="module")
def app() -> FastAPI:
    app = FastAPI()
    client = AsyncRecedeClient(BASE, transport=httpx.ASGITransport(app))
    mount(app, client, version="9.8.7")
    return app


def get(app: FastAPI, path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def test_a_page_brings_neither_tables_nor_charts_before_they_are_shown(app):
    scripts = re.findall(r'<script[^>]* src="([^"]+)"', get(app, "/").text)
    assert not [src for src in scripts if "/assets/" in src]
    assert not [src for src in scripts if re.search(r"ag_grid|dash_table|plotly\.min", src)]
    assert get(app, "/_dash-component-suites/dash_ag_grid/dash_ag_grid.min.js").status_code == 200


def test_charts_get_the_basic_bundle_and_again_only_when_it_is_new(app):
    answer = get(app, PLOTLY_PATH)
    assert answer.content == PLOTLY.read_bytes()
    assert answer.headers["content-type"].startswith("text/javascript")
    tag = answer.headers["etag"]
    again = get(app, PLOTLY_PATH, **{"If-None-Match": f"W/{tag}"})
    assert (again.status_code, again.content) == (304, b"")


def test_the_basic_bundle_is_of_the_version_that_plotly_for_python_brings():
    whole = files("plotly").joinpath("package_data/plotly.min.js").read_text()[:200]
    basic = PLOTLY.read_text()[:200]
    assert VERSION.search(basic)[1] == VERSION.search(whole)[1]
