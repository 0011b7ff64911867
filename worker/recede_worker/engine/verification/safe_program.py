"""Whether a torch.export program is data alone: torch reads pickles and text as code in it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from recede_worker.engine.verification.safe_source import is_operator

KNOWN = re.compile(
    r"[^/]+/(data/weights/(weight_\d+|model_weights_config\.json)"
    r"|data/constants/(tensor_\d+|model_constants_config\.json)|data/sample_inputs/model\.pt"
    r"|models/model\.json|archive_format|archive_version|version|byteorder"
    r"|\.data/(version|serialization_id))"
)
EXPRESSION = re.compile(
    r"(Symbol\('[su]\d+', positive=True, integer=True\)|[su]\d+|\d+|[-+*/() ])*"
)
"""Sizes that depend on the batch; torch evaluates the text."""
TARGET = re.compile(r"torch\.ops\.aten\.(\w+)\.(\w+)|_operator\.[a-z]+")
MAX_JSON = 256 * 2**20


def why_not(path: Path) -> str | None:
    """What in the program could act when it is read; None if there is nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            return next(_problems(archive), None)
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, RecursionError) as error:
        return f"it is damaged: {error}"


def _problems(archive: zipfile.ZipFile) -> Iterator[str]:
    for entry in archive.infolist():
        if not KNOWN.fullmatch(entry.filename):
            yield f"it holds {entry.filename!r}"
        elif entry.filename.endswith("/sample_inputs/model.pt"):
            yield from _of_pickle(archive.read(entry))
        elif entry.filename.endswith(".json"):
            if entry.file_size > MAX_JSON:
                yield f"{entry.filename} is too large"
            found = json.loads(archive.read(entry))
            is_graph = entry.filename.endswith("models/model.json")
            yield from _of_graph(found) if is_graph else _of_weights(found)


def _of_pickle(data: bytes) -> Iterator[str]:
    try:
        torch.load(io.BytesIO(data), weights_only=True)
    except Exception as error:  # noqa: BLE001 - whatever a hostile pickle makes torch raise
        yield f"its sample inputs are more than tensors: {str(error).splitlines()[0][:80]}"


def _of_weights(config: dict[str, Any]) -> Iterator[str]:
    for name, entry in config["config"].items():
        if entry.get("use_pickle") is not False:
            yield f"{name!r} is a pickle"


def _of_graph(found: Any) -> Iterator[str]:
    """Every text in it that torch evaluates or looks up."""
    if isinstance(found, list):
        for part in found:
            yield from _of_graph(part)
    if not isinstance(found, dict):
        return
    for key, value in found.items():
        if key == "guards_code" and value:
            yield "it holds guards, which are code"
        elif key == "expr_str" and not EXPRESSION.fullmatch(str(value)):
            yield f"it computes {value!r}"
        elif key == "target" and isinstance(value, str):
            match = TARGET.fullmatch(value)
            if match is None or (match[1] and not is_operator(match[1])):
                yield f"it calls {value!r}"
        else:
            yield from _of_graph(value)
