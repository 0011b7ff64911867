"""The browser's modules are joined, cached and preloaded; styles come in one file, in order."""

from __future__ import annotations

import asyncio
import json
import re

import httpx
import pytest
from fastapi import FastAPI

from recede.client import AsyncRecedeClient
from recede_dashboard.app import ASSETS, mount
from recede_dashboard.serving.modules import FRAME, MAIN, PAGES, Modules, namespace, read_modules
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
    assert links == [MODULES.base + file for file in MODULES.files_of(FRAME)]
    for link in links:
        answer = get(app, link)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]
    assert f'import("{MODULES.base}{MODULES.file_of[MAIN]}").then(' in page


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
        inside = [one for one, file in MODULES.file_of.items() if file in page["files"]]
        folders = {one.split("/")[0] for one in inside} - set(ORDER)
        assert folders <= {entry.split("/")[0] for entry in entries} | {"shell"}


def test_every_module_is_reached_from_some_path():
    assert set(MODULES.file_of) == set(MODULES.sources)


def test_each_module_is_in_one_file_after_what_it_imports():
    held = {
        file: re.findall(r"^export const (\S+) = ", content, re.MULTILINE)
        for file, content in MODULES.files.items()
    }
    assert sorted(name for names in held.values() for name in names) == sorted(
        namespace(path) for path in MODULES.sources
    )
    for path, file in MODULES.file_of.items():
        for imported in MODULES.imported_by(path):
            if MODULES.file_of[imported] == file:
                names = held[file]
                assert names.index(namespace(imported)) < names.index(namespace(path))
            else:
                assert f'from "./{MODULES.file_of[imported]}";' in MODULES.files[file]


JOINED = {
    "main.js": 'import "./a.js";\nwindow.later = () => import("./runs/page.js");\n',
    "a.js": (
        'import * as all from "./lib/b.js";\nimport {\n  b, c as d,\n} from "./lib/b.js";\n'
        "export class A {}\nexport const sum = () => b + d() + all.b;\nwindow.sum = sum();\n"
    ),
    "lib/b.js": "export const b = 1;\nexport async function c() {}\nconst own = 2;\n",
    "runs/page.js": 'import { b } from "../lib/b.js";\nexport function page() { return b; }\n',
}


def test_modules_are_joined_with_their_imports_and_exports():
    frame, runs = (Modules(JOINED).files[name] for name in ("frame.js", "runs.js"))
    assert frame.index("$lib_b = ") < frame.index("$a = ") < frame.index("$main = ")
    assert "const all = $lib_b;" in frame
    assert "const {\n  b, c: d,\n} = $lib_b;" in frame
    assert "return { A, sum };" in frame
    assert "return { b, c };" in frame
    assert 'import("./runs.js").then((file) => file.$runs_page)' in frame
    assert runs.startswith('import { $lib_b } from "./frame.js";\n')
    assert re.search(r"^ *(import|export) (?!const \$)", frame, re.MULTILINE) is None


@pytest.mark.parametrize(
    "form",
    [
        "export let count = 0;",
        "export default 3;",
        'export { b } from "./lib/b.js";',
        'import b from "./lib/b.js";',
        'import { b } from "elsewhere";',
    ],
)
def test_what_cannot_be_joined_is_named(form):
    modules = Modules({"main.js": f"const own = 1;\n{form}\n", "lib/b.js": ""})
    with pytest.raises(ValueError, match=re.escape(f"main.js has '{form}'")):
        assert modules.files


def test_every_page_can_be_loaded_on_demand():
    loaded = set(re.findall(r'import\("\./([^"]+)"\)', MODULES.sources[MAIN]))
    assert loaded == {entry for _, entries in PAGES.values() for entry in entries}


def test_imports_run_one_way_and_pages_do_not_import_each_other():
    wrong = []
    for path in MODULES.sources:
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
        for path, text in MODULES.sources.items()
        if path != "lib/dash.js" and globals_of_dash.search(text)
    ]
    assert found == []


def test_other_content_has_another_address():
    one = Modules({"main.js": "1;"})
    assert one.base != Modules({"main.js": "2;"}).base
    assert one.base != Modules({"other.js": "1;"}).base
    assert Styles(b"a{}").url != Styles(b"b{}").url


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
