"""Gzip for what browsers read; files that never change are compressed once."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEVEL = 5
KEPT_BYTES = 24 * 2**20
_FOREVER = "max-age=31536000"
_STATIC = ("/_dash-component-suites/", "/assets/")


@dataclass
class _Answer:
    """A whole compressed answer."""

    start: Message
    body: bytes


class Compression:
    """Gzip for pages, JSON and histograms; live streams and downloads go through untouched.

    Scripts whose address holds their version are compressed at the first request and kept.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._gzip = GZipMiddleware(app, minimum_size=1000, compresslevel=LEVEL)
        self._kept: dict[bytes, _Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose by the path."""
        if scope["type"] != "http" or scope["path"].endswith(("/events", "/download")):
            await self._plain(scope, receive, send)
        elif scope["method"] == "GET" and scope["path"].startswith(_STATIC) and _reads_gzip(scope):
            await self._static(scope, receive, send)
        else:
            await self._gzip(scope, receive, send)

    async def _static(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = scope["path"].encode() + b"?" + scope["query_string"]
        kept = self._kept.get(key)
        if kept is not None:
            await send({**kept.start, "headers": [*kept.start["headers"]]})
            await send({"type": "http.response.body", "body": kept.body})
            return
        answer = _Answer({}, b"")

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.start = {**message, "headers": [*message["headers"]]}
            else:
                answer.body += message.get("body", b"")
                if not message.get("more_body", False):
                    self._keep(key, answer)
            await send(message)

        await self._gzip(scope, receive, note)

    def _keep(self, key: bytes, answer: _Answer) -> None:
        headers = MutableHeaders(raw=answer.start["headers"])
        never_changes = _FOREVER in headers.get("cache-control", "")
        room = KEPT_BYTES - sum(len(one.body) for one in self._kept.values())
        if answer.start["status"] == 200 and never_changes and len(answer.body) <= room:
            self._kept[key] = answer


def _reads_gzip(scope: Scope) -> bool:
    return "gzip" in Headers(scope=scope).get("accept-encoding", "")
