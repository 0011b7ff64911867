"""The browser's modules: served under one address that changes with any of them.

Relative imports inherit the address, so a browser never asks twice for the same content. A page
names the modules that its path needs, so that they are fetched side by side and not one after
the other; main.js does the same when another page is shown.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fastapi import FastAPI, Response

MAIN = "main.js"
ON_PATHS = {
    r"^/(runs/?)?$": ("runs/page.js",),
    r"^/runs/.": ("run/page.js", "explore/page.js"),
    r"^/groups/.": ("group/page.js",),
    r"^/compare/?$": ("compare/page.js",),
    r"^/settings/?$": ("settings/page.js",),
}
"""Which pages' modules a path needs beside those of the frame."""
_STATIC_IMPORT = re.compile(r'^(?:import|export)\b(?:[^;"]*?\bfrom)? ?"(\.[^"]+)";', re.MULTILINE)
_FOREVER = "public, max-age=31536000, immutable"

PRELOAD = (
    "(function(){var m=JSON.parse(document.getElementById('modules').textContent);"
    "m.pages.forEach(function(p){if(new RegExp(p.path).test(location.pathname))"
    "p.files.forEach(function(f){var l=document.createElement('link');"
    "l.rel='modulepreload';l.href=m.base+f;document.head.append(l)})})})()"
)
"""Runs in the head of the page: asks for the modules of the path that is opened."""


@dataclass(frozen=True)
class Modules:
    """All modules of one version, by their path below the folder."""

    files: dict[str, bytes]

    @cached_property
    def base(self) -> str:
        """The address of the folder, another one for other content."""
        digest = hashlib.sha256()
        for path, content in sorted(self.files.items()):
            digest.update(f"{path}\0{len(content)}\0".encode() + content)
        return f"/assets/{digest.hexdigest()[:12]}/app/"

    def imported_by(self, path: str) -> list[str]:
        """What a module imports when it is loaded; imports on demand do not count."""
        found = _STATIC_IMPORT.findall(self.files[path].decode())
        folder = posixpath.dirname(path)
        return [posixpath.normpath(posixpath.join(folder, name)) for name in found]

    def needed_by(self, *entries: str) -> list[str]:
        """The modules themselves and all that they import, directly or not."""
        found: dict[str, None] = dict.fromkeys(entries)
        waiting = list(entries)
        while waiting:
            new = [one for one in self.imported_by(waiting.pop(0)) if one not in found]
            found.update(dict.fromkeys(new))
            waiting += dict.fromkeys(new)
        return list(found)

    def head(self) -> str:
        """Links to the modules of every page, and the list of those of each path."""
        frame = self.needed_by(MAIN)
        pages = [
            {
                "path": path,
                "entries": entries,
                "files": [one for one in self.needed_by(*entries) if one not in frame],
            }
            for path, entries in ON_PATHS.items()
        ]
        listed = json.dumps({"base": self.base, "pages": pages}).replace("<", "\\u003c")
        links = [f'<link rel="modulepreload" href="{self.base}{path}">' for path in frame]
        return "\n".join(
            [
                f'<script type="application/json" id="modules">{listed}</script>',
                f"<script>{PRELOAD}</script>",
                *links,
            ]
        )

    @property
    def renderer(self) -> str:
        """Starts Dash once our callbacks are there."""
        return (
            f'import("{self.base}{MAIN}").then(() => {{ window.renderer = new DashRenderer(); }})'
        )


def read_modules(folder: Path) -> Modules:
    """All modules below a folder."""
    paths = sorted(folder.rglob("*.js"))
    return Modules({path.relative_to(folder).as_posix(): path.read_bytes() for path in paths})


def serve_modules(app: FastAPI, folder: Path) -> Modules:
    """Answer for all modules of a folder; call it before Dash declares its own routes."""
    modules = read_modules(folder)

    @app.get(modules.base + "{path:path}", include_in_schema=False)
    def module(path: str) -> Response:
        content = modules.files.get(path)
        if content is None:
            return Response("No such module.", 404, media_type="text/plain")
        headers = {"Cache-Control": _FOREVER}
        return Response(content, media_type="text/javascript", headers=headers)

    return modules
