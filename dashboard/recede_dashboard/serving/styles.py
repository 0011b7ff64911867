"""All our styles in one file, put together when the service starts.

The file keeps its parts in the order in which they take effect, each under a line that names it.
Its address holds a digest, so a browser never asks twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Response

_NAME = "all.css"
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Styles:
    """One file made of many."""

    content: bytes

    @property
    def url(self) -> str:
        """Its address, another one for other content."""
        digest = hashlib.sha256(self.content).hexdigest()[:12]
        return f"/assets/{_NAME}?m={digest}"


def parts(folder: Path) -> list[Path]:
    """The style sheets in the order in which they take effect: folders and files by name."""
    found = (path for path in folder.rglob("*.css") if path.is_file())
    return sorted(found, key=lambda path: path.relative_to(folder).parts)


def read_styles(folder: Path) -> Styles:
    """All style sheets of a folder, each under its name."""
    texts = []
    for path in parts(folder):
        text = path.read_text(encoding="utf-8")
        texts.append(f"/* {path.relative_to(folder).as_posix()} */\n{text}")
    return Styles("\n".join(texts).encode())


def serve_styles(app: FastAPI, folder: Path) -> Styles:
    """Answer for the styles; call it before Dash declares its own routes."""
    styles = read_styles(folder)

    @app.get(f"/assets/{_NAME}", include_in_schema=False)
    def content() -> Response:
        headers = {"Cache-Control": _FOREVER}
        return Response(styles.content, media_type="text/css", headers=headers)

    return styles
