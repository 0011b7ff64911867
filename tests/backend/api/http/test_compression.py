"""Compression: what never changes is compressed once, and nothing is kept that could change."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

import recede.api.http.compression
from recede.api.http.compression import Compression

FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
SCRIPT = "/assets/all.js?m=1"


@dataclass
class Application:
    """Answers everything with the same text and notes what it was asked."""

    headers: dict[str, str] = field(default_factory=lambda: dict(FOREVER))
    status: int = 200
    asked: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        await Response("word " * 1000, self.status, self.headers)(scope, receive, send)


def ask(app: Compression, *paths: str, accepted: str = "gzip") -> list[httpx.Response]:
    async def all_of_them() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        headers = {"Accept-Encoding": accepted}
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return [await client.get(path, headers=headers) for path in paths]

    return asyncio.run(all_of_them())


def test_a_script_of_one_version_is_made_once_and_stays_whole():
    application = Application()
    first, second = ask(Compression(application), SCRIPT, SCRIPT)
    assert len(application.asked) == 1
    assert first.headers == second.headers
    assert second.headers["content-encoding"] == "gzip"
    assert second.text == "word " * 1000


def test_another_version_is_another_script():
    application = Application()
    ask(Compression(application), SCRIPT, "/assets/all.js?m=2")
    assert len(application.asked) == 2


@pytest.mark.parametrize(
    ("application", "path"),
    [
        (Application(headers={"etag": "x"}), SCRIPT),
        (Application(status=404), SCRIPT),
        (Application(), "/api/v1/runs"),
    ],
)
def test_what_may_change_is_asked_for_each_time(application, path):
    ask(Compression(application), path, path)
    assert len(application.asked) == 2


def test_who_reads_no_gzip_gets_none_and_no_one_elses():
    application = Application()
    app = Compression(application)
    ask(app, SCRIPT)
    (plain,) = ask(app, SCRIPT, accepted="identity")
    assert "content-encoding" not in plain.headers
    assert plain.text == "word " * 1000


def test_no_more_is_kept_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(recede.api.http.compression, "KEPT_BYTES", 10)
    application = Application()
    ask(Compression(application), SCRIPT, SCRIPT)
    assert len(application.asked) == 2
