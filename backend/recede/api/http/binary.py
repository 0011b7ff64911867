"""Answers that are bytes: arrays with an ETag, and files with ranges."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi import Response
from fastapi.responses import FileResponse

from recede.api.http.errors import RangeUnsatisfiable

_RANGES = re.compile(r"bytes=\s*(\d+-\d*|-\d+)(\s*,\s*(\d+-\d*|-\d+))*\s*", re.ASCII)


def openapi_binary(description: str) -> dict[int | str, dict[str, Any]]:
    """A binary answer for the OpenAPI description."""
    schema = {"type": "string", "format": "binary"}
    content = {"application/octet-stream": {"schema": schema}}
    return {
        200: {"description": description, "content": content},
        304: {"description": "Unchanged since the ETag that was given"},
    }


def binary(body: bytes, headers: dict[str, str]) -> Response:
    """Bytes of an array."""
    return Response(body, media_type="application/octet-stream", headers=headers)


def not_modified(given: str | None, etag: str) -> bool:
    """True if the reader already has this version."""
    tags = [tag.strip().removeprefix("W/") for tag in (given or "").split(",")]
    return etag in tags or tags == ["*"]


def file_answer(path: Path, *, filename: str, etag: str, range_: str | None) -> FileResponse:
    """A file to download; raises RangeUnsatisfiable if a range starts behind its end."""
    stat = path.stat()
    _check_range(range_, stat.st_size)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    kind = FileResponse if range_ is None or _spans(range_) else _TolerantFile
    return kind(
        path,
        headers=headers,
        filename=filename,
        media_type="application/octet-stream",
        stat_result=stat,
    )


class _TolerantFile(FileResponse):
    """Sends the whole file: a Range header that cannot be read is ignored (RFC 9110, 14.2)."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        kept = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": kept}, receive, send)


def _check_range(given: str | None, size: int) -> None:
    for start, end in _spans(given or ""):
        behind = int(start) >= size if start else int(end) == 0
        if behind:
            raise RangeUnsatisfiable(str(given), size)


def _spans(given: str) -> list[tuple[str, str]]:
    """Start and end of each range as they are written; empty if it cannot be read."""
    if not _RANGES.fullmatch(given):
        return []
    parts = [part.strip().partition("-") for part in given.partition("=")[2].split(",")]
    backwards = any(start and end and int(start) > int(end) for start, _, end in parts)
    return [] if backwards else [(start, end) for start, _, end in parts]
