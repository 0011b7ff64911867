"""All our scripts in one file and all our styles in another, put together when the service starts.

A hundred small files take a second to load; the two keep their parts in Dash's own order, each
under a line that names it. Their addresses hold a digest, so a browser never asks twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Response

IGNORED_BY_DASH = r".*\.(js|css)$"
"""What Dash should not add to a page by itself."""
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Bundle:
    """One file made of many."""

    name: str
    media_type: str
    content: bytes

    @property
    def url(self) -> str:
        """Its address, another one for other content."""
        digest = hashlib.sha256(self.content).hexdigest()[:12]
        return f"/assets/{self.name}?m={digest}"


def parts(assets: Path, suffix: str) -> list[Path]:
    """The files of one kind in the order in which they take effect."""
    found = (path for path in assets.rglob(f"*{suffix}") if path.is_file())
    return sorted(found, key=lambda path: (str(path.parent), path.name))


def bundle(assets: Path, name: str, media_type: str) -> Bundle:
    """All files of a kind, each under its name."""
    texts = []
    for path in parts(assets, Path(name).suffix):
        text = path.read_text(encoding="utf-8")
        texts.append(f"/* {path.relative_to(assets).as_posix()} */\n{text}")
    return Bundle(name, media_type, "\n".join(texts).encode())


def serve_bundles(app: FastAPI, assets: Path) -> tuple[Bundle, Bundle]:
    """Answer for scripts and styles; call it before Dash declares its own routes."""
    scripts = bundle(assets, "all.js", "text/javascript")
    styles = bundle(assets, "all.css", "text/css")
    for one in (scripts, styles):
        _serve(app, one)
    return scripts, styles


def _serve(app: FastAPI, one: Bundle) -> None:
    @app.get(f"/assets/{one.name}", include_in_schema=False)
    def content() -> Response:
        headers = {"Cache-Control": _FOREVER}
        return Response(one.content, media_type=one.media_type, headers=headers)
