"""The browser's modules are found, cached and preloaded; styles come in one file, in order."""

from __future__ import annotations

import asyncio
import json
import re

import httpx
import pytest
from fastapi import FastAPI

from recede.client import AsyncRecedeClient
from recede_dashboard.app import ASSETS, mount
from recede_dashboard.serving.modules import MAIN, ON_PATHS, Modules, read_modules
from recede_dashboard.serving.styles import Styles, parts, read_styles

BASE = "http://127.0.0.1:8400"
MODULES = read_modules(ASSETS / "app")
ORDER = ("lib", "format", "pruning", "api", "charts")


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


def test_a_page_preloads_the_frame_and_starts_dash_after_it(app):
    page = get(app, "/").text
    links = re.findall(r'<link rel="modulepreload" href="([^"]+)">', page)
    assert links == [MODULES.base + path for path in MODULES.needed_by(MAIN)]
    for link in links:
        answer = get(app, link)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
    assert f'import("{MODULES.base}{MAIN}").then(' in page


@pytest.mark.parametrize(
    ("path", "entries"),
    [
        ("/", ["runs/page.js"]),
        ("/runs/a1b2", ["run/page.js", "explore/page.js"]),
        ("/groups/a1b2", ["group/page.js"]),
        ("/compare", ["compare/page.js"]),
        ("/settings", ["settings/page.js"]),
        ("/nope", []),
    ],
)
def test_a_path_names_its_own_modules_alone(app, path, entries):
    listed = re.search(r'id="modules">(.*)</script>', get(app, "/").text)
    assert listed is not None
    pages = json.loads(listed[1])["pages"]
    found = [page for page in pages if re.search(page["path"], path)]
    assert [entry for page in found for entry in page["entries"]] == entries
    for page in found:
        folders = {file.split("/")[0] for file in page["files"]} - set(ORDER)
        assert folders <= {entry.split("/")[0] for entry in entries} | {"shell"}


def test_every_module_is_reached_from_some_path():
    reached = set(MODULES.needed_by(MAIN))
    for entries in ON_PATHS.values():
        reached.update(MODULES.needed_by(*entries))
    assert reached == set(MODULES.files)


def test_every_page_can_be_loaded_on_demand():
    loaded = set(re.findall(r'import\("\./([^"]+)"\)', MODULES.files[MAIN].decode()))
    assert loaded == {entry for entries in ON_PATHS.values() for entry in entries}


def test_imports_run_one_way_and_pages_do_not_import_each_other():
    wrong = []
    for path in MODULES.files:
        if path == MAIN:
            continue
        room = path.split("/")[0]
        below = ORDER[: ORDER.index(room) + 1] if room in ORDER else (*ORDER, room)
        imported = MODULES.imported_by(path)
        wrong += [f"{path} imports {one}" for one in imported if one.split("/")[0] not in below]
    assert wrong == []


def test_only_one_module_touches_what_dash_puts_on_the_window():
    globals_of_dash = re.compile(r"\b(?:window|globalThis)\.(?:dash|React|Plotly|recede)")
    found = [
        path
        for path, text in MODULES.files.items()
        if path != "lib/dash.js" and globals_of_dash.search(text.decode())
    ]
    assert found == []


def test_other_content_has_another_address():
    one = Modules({"main.js": b"1;"})
    assert one.base != Modules({"main.js": b"2;"}).base
    assert one.base != Modules({"other.js": b"1;"}).base
    assert Styles(b"a{}").url != Styles(b"b{}").url


def test_imports_of_every_form_are_found():
    text = (
        b'import "./a.js";\nimport { b } from "../b.js";\nimport * as c from "./c.js";\n'
        b'import {\n  d,\n} from "./x/d.js";\nexport { e } from "./e.js";\n'
        b'const later = () => import("./later.js");\n'
    )
    found = Modules({"here/it.js": text}).imported_by("here/it.js")
    assert found == ["here/a.js", "b.js", "here/c.js", "here/x/d.js", "here/e.js"]


def test_all_styles_come_in_one_file_in_their_order(app):
    asked = re.findall(r'"(/assets/[^"]+\.css[^"]*)"', get(app, "/").text)
    assert asked == [read_styles(ASSETS / "css").url]
    answer = get(app, asked[0])
    assert "immutable" in answer.headers["cache-control"]
    places = [
        answer.text.index(f"/* {path.relative_to(ASSETS / 'css').as_posix()} */\n")
        for path in parts(ASSETS / "css")
    ]
    assert places == sorted(places)
    assert len(places) == sum(1 for _ in ASSETS.rglob("*.css"))
