"""The dashboard mounted on the real application."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import inspect
import json
import re

import httpx
import pytest
from dash import get_app
from fastapi import FastAPI

from recede.client import AsyncRecedeClient
from recede_dashboard.app import ASSETS, mount
from recede_dashboard.serving.clientside import NAMESPACE
from tests.dashboard.layouts import props

BASE = "http://127.0.0.1:8400"


@pytest.fixture(scope="module")
def mounted():
    app = FastAPI()

    @app.get("/api/v1/ping")
    async def ping() -> dict[str, str]:
        return {"pong": "yes"}

    client = AsyncRecedeClient(BASE, transport=httpx.ASGITransport(app))
    hashes = mount(app, client, version="9.8.7")
    return app, hashes, get_app()


def get(app, path):
    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.get(path)

    return asyncio.run(ask())


def test_every_inline_script_is_allowed_by_a_hash(mounted):
    app, hashes, _ = mounted
    page = get(app, "/").text
    inline = re.findall(r"<script(?![^>]*(?:src|json))[^>]*>(.*?)</script>", page, re.S)
    assert inline
    for script in inline:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in hashes


def test_the_page_loads_nothing_from_outside(mounted):
    page = get(mounted[0], "/").text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    assert all(url.startswith("/") and not url.startswith("//") for url in loaded)


def test_the_scheme_is_set_before_anything_is_drawn(mounted):
    page = get(mounted[0], "/").text
    assert page.index("data-mantine-color-scheme") < page.index('rel="stylesheet"')


def test_the_api_stays_reachable(mounted):
    assert get(mounted[0], "/api/v1/ping").json() == {"pong": "yes"}


def test_the_shell_says_its_version_and_has_both_templates(mounted):
    layout = mounted[2].layout
    assert set(props(layout, id="chart-templates").data) == {"light", "dark"}
    assert "Recede 9.8.7" in json.dumps(get(mounted[0], "/_dash-layout").json())


def test_no_callback_runs_on_the_event_loop_without_giving_way(mounted):
    callbacks = mounted[2].callback_map.values()
    own = [c["callback"] for c in callbacks if c.get("callback")]
    assert own
    for callback in own:
        assert inspect.iscoroutinefunction(inspect.unwrap(callback))


def test_every_function_called_in_the_browser_exists(mounted):
    scripts = "".join(p.read_text(encoding="utf-8") for p in (ASSETS / "app").rglob("*.js"))
    called = [
        entry["clientside_function"]["function_name"]
        for entry in mounted[2]._callback_list
        if (entry.get("clientside_function") or {}).get("namespace") == NAMESPACE
    ]
    assert len(called) > 5
    for name in called:
        assert re.search(rf"\n  (?:async )?{name}\(", scripts), name


def test_no_page_opens_a_socket_beside_the_events(mounted):
    assert '"websocket"' not in get(mounted[0], "/").text
