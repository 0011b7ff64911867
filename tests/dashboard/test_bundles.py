"""Scripts and styles come in two files that hold every one of ours, in order."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI

from recede.client import AsyncRecedeClient
from recede_dashboard.app import ASSETS, mount
from recede_dashboard.serving.bundles import bundle, parts

BASE = "http://127.0.0.1:8400"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    app = FastAPI()
    mount(app, AsyncRecedeClient(BASE, transport=httpx.ASGITransport(app)), version="1.2.3")
    return app


def get(app: FastAPI, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
            return await client.get(path)

    return asyncio.run(ask())


@pytest.mark.parametrize("suffix", [".js", ".css"])
def test_a_page_asks_for_one_file_that_holds_all(app, suffix):
    page = get(app, "/").text
    asked = re.findall(rf'"(/assets/[^"]+\{suffix}[^"]*)"', page)
    assert len(asked) == 1
    answer = get(app, asked[0])
    assert "immutable" in answer.headers["cache-control"]
    places = [
        answer.text.index(f"/* {path.relative_to(ASSETS).as_posix()} */\n")
        for path in parts(ASSETS, suffix)
    ]
    assert places == sorted(places)
    assert len(places) == sum(1 for _ in ASSETS.rglob(f"*{suffix}"))


def test_files_of_a_folder_come_before_those_of_its_folders(tmp_path):
    for name in ("b.js", "a.js", "js/a.js", "css/x.css", "css/z.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("0;")
    found = [path.relative_to(tmp_path).as_posix() for path in parts(tmp_path, ".js")]
    assert found == ["a.js", "b.js", "css/z.js", "js/a.js"]


def test_other_content_has_another_address(tmp_path):
    script = tmp_path / "a.js"
    script.write_text("1;")
    before = bundle(tmp_path, "all.js", "text/javascript")
    script.write_text("2;")
    after = bundle(tmp_path, "all.js", "text/javascript")
    assert before.url != after.url
    assert after.content == b"/* a.js */\n2;"
