"""The browser's modules, joined into a few files under one address that changes with any of them.

A browser takes much longer for a hundred modules than for one file of the same size
(docs/benchmarks.md), so modules that the same pages need come in one file. A page names the files
that its path needs, so that they are fetched side by side and not one after the other; main.js
does the same when another page is shown.
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
FRAME = "frame"
PAGES = {
    "runs": (r"^/(runs/?)?$", ("runs/page.js",)),
    "run": (r"^/runs/.", ("run/page.js", "explore/page.js")),
    "group": (r"^/groups/.", ("group/page.js",)),
    "compare": (r"^/compare/?$", ("compare/page.js",)),
    "settings": (r"^/settings/?$", ("settings/page.js",)),
}
"""Each page's paths, and its modules beside those of the frame."""
_IMPORT = re.compile(
    r'^import (?:(?P<names>\{[^}]*\})|\* as (?P<whole>\w+))?(?: from )?"(?P<path>\.[^"]+)";$',
    re.MULTILINE,
)
_AS = re.compile(r" as (?=\w)")
_LATER = re.compile(r'\bimport\("(\.[^"]+)"\)')
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (?P<name>\w+))", re.M)
_OTHER_FORM = re.compile(r"^(?:import\b(?!\()|export\b).*", re.MULTILINE)
_ANSWERS = ("/_dash-layout", "/_dash-dependencies")  # what Dash asks for when it starts
_FOREVER = "public, max-age=31536000, immutable"

PRELOAD = (
    "(function(){var m=JSON.parse(document.getElementById('modules').textContent);"
    "m.pages.forEach(function(p){if(new RegExp(p.path).test(location.pathname))"
    "p.files.forEach(function(f){var l=document.createElement('link');"
    "l.rel='modulepreload';l.href=m.base+f;document.head.append(l)})})})()"
)
"""Runs in the head of the page: asks for the files of the path that is opened."""


@dataclass(frozen=True)
class Modules:
    """All modules of one version, by their path below the folder.

    Imports are relative and make no circle; what a module exports is never assigned anew.
    """

    sources: dict[str, str]

    @cached_property
    def base(self) -> str:
        """The address of the folder, another one for other content."""
        digest = hashlib.sha256()
        for path, source in sorted(self.sources.items()):
            digest.update(f"{path}\0{len(source)}\0{source}".encode())
        return f"/assets/{digest.hexdigest()[:12]}/app/"

    def imported_by(self, path: str) -> list[str]:
        """What a module imports when it is loaded; imports on demand do not count."""
        found = _IMPORT.finditer(self.sources[path])
        return [_resolved(path, match["path"]) for match in found]

    def needed_by(self, *entries: str) -> list[str]:
        """The modules themselves and all that they import, each after what it imports."""
        found: dict[str, None] = {}

        def visit(path: str) -> None:
            if path not in found:
                for imported in self.imported_by(path):
                    visit(imported)
                found[path] = None

        for entry in entries:
            visit(entry)
        return list(found)

    @cached_property
    def file_of(self) -> dict[str, str]:
        """The name of the file that holds each module, from the pages that need it."""
        frame = self.needed_by(MAIN)
        needing: dict[str, list[str]] = {path: [FRAME] for path in frame}
        for page, (_, entries) in PAGES.items():
            for path in self.needed_by(*(one for one in entries if one in self.sources)):
                if path not in frame:
                    needing.setdefault(path, []).append(page)
        return {path: "-".join(pages) + ".js" for path, pages in needing.items()}

    @cached_property
    def files(self) -> dict[str, str]:
        """What is served: the joined files by their names."""
        members: dict[str, list[str]] = {}
        for path in self.needed_by(MAIN, *self.file_of):
            members.setdefault(self.file_of[path], []).append(path)
        return {name: self._joined(name, paths) for name, paths in members.items()}

    def files_of(self, page: str) -> list[str]:
        """The names of the files that a page needs, or the frame of all pages."""
        entries = (MAIN,) if page == FRAME else PAGES[page][1]
        return list(dict.fromkeys(self.file_of[path] for path in self.needed_by(*entries)))

    def head(self) -> str:
        """Links to the files of every page, and the list of those of each path."""
        frame = self.files_of(FRAME)
        pages = [
            {
                "path": path,
                "entries": entries,
                "files": [one for one in self.files_of(page) if one not in frame],
            }
            for page, (path, entries) in PAGES.items()
        ]
        listed = json.dumps({"base": self.base, "pages": pages}).replace("<", "\\u003c")
        links = [f'<link rel="modulepreload" href="{self.base}{file}">' for file in frame]
        links += [f'<link rel="preload" as="fetch" crossorigin href="{one}">' for one in _ANSWERS]
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
        start = "window.renderer = new DashRenderer();"
        return f'import("{self.base}{self.file_of[MAIN]}").then(() => {{ {start} }})'

    def _joined(self, name: str, paths: list[str]) -> str:
        others: dict[str, list[str]] = {}
        for needed in dict.fromkeys(one for path in paths for one in self.imported_by(path)):
            if self.file_of[needed] != name:
                others.setdefault(self.file_of[needed], []).append(namespace(needed))
        heads = [
            f'import {{ {", ".join(names)} }} from "./{file}";' for file, names in others.items()
        ]
        return "\n".join([*heads, *map(self._wrapped, paths)])

    def _wrapped(self, path: str) -> str:
        """A module as a function that is called once; its exports are what it returns."""
        source = self.sources[path]
        exported = [match["name"] for match in _EXPORT.finditer(source)]

        def local(match: re.Match[str]) -> str:
            given = namespace(_resolved(path, match["path"]))
            if match["names"]:
                names = _AS.sub(": ", match["names"])
                return f"const {names} = {given};"
            return f"const {match['whole']} = {given};" if match["whole"] else ""

        def later(match: re.Match[str]) -> str:
            wanted = _resolved(path, match[1])
            return f'import("./{self.file_of[wanted]}").then((file) => file.{namespace(wanted)})'

        body = _LATER.sub(later, _EXPORT.sub("", _IMPORT.sub(local, source)))
        if left := _OTHER_FORM.search(body):
            raise ValueError(
                f"{path} has '{left[0]}', which is none of the forms that are joined: import"
                " names, everything as a name, or nothing; export a function, class or const"
                " where it is declared."
            )
        returned = f"return {{ {', '.join(exported)} }};"
        return f"// {path}\nexport const {namespace(path)} = (() => {{\n{body}\n{returned}\n}})();"


def namespace(path: str) -> str:
    """The name under which a joined file exports a module."""
    return "$" + re.sub(r"\W", "_", path.removesuffix(".js"))


def _resolved(importing: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importing), path))


def read_modules(folder: Path) -> Modules:
    """All modules below a folder."""
    paths = sorted(folder.rglob("*.js"))
    return Modules(
        {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths}
    )


def serve_modules(app: FastAPI, folder: Path) -> Modules:
    """Answer for all modules of a folder; call it before Dash declares its own routes.

    Raises ValueError if a module imports or exports in a way that cannot be joined.
    """
    modules = read_modules(folder)
    files = {name: content.encode() for name, content in modules.files.items()}

    @app.get(modules.base + "{name}", include_in_schema=False)
    def module(name: str) -> Response:
        content = files.get(name)
        if content is None:
            return Response("No such module.", 404, media_type="text/plain")
        headers = {"Cache-Control": _FOREVER}
        return Response(content, media_type="text/javascript", headers=headers)

    return modules
