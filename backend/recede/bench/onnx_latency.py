#!/usr/bin/env python3
"""Latency of an ONNX file on this device. Needs Python 3.9, numpy and onnxruntime, nothing else.

    python recede_bench.py model.onnx
    python recede_bench.py model.onnx --batch 1 --threads 4 --to http://127.0.0.1:8400

Each execution provider that onnxruntime has here and each batch size is timed: passes of images of
zeros after a warm-up, from arrays in memory to arrays in memory. With --to the rows are sent to
Recede, which knows by the file's SHA-256 which network it is. The file itself is not sent.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import statistics
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy

WARM_UP, PASSES, LEAST, LIMIT_S = 5, 50, 10, 10.0
"""Unmeasured passes; timed ones; how many even if they take longer than the seconds."""
REMOTE = ("AzureExecutionProvider",)
"""Providers that would send the images elsewhere."""
PATH = "/api/v1/benches"
COLUMNS = ("provider", "device", "threads", "batch", "median", "95 % under", "passes")


class Refused(Exception):
    """What cannot be timed or sent, in words."""


def report(
    path: Path,
    *,
    batches: Sequence[int] = (1, 64),
    threads: int | None = None,
    providers: Sequence[str] = (),
    device: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """SHA-256 and name of an ONNX file, and a row for each provider and batch size.

    `device` is what this machine is called, its processor's name unless given.

    Raises:
        Refused: the file cannot be read or timed, or no wanted provider is there.
    """
    rows: list[dict[str, Any]] = []
    for provider in wanted_providers(providers):
        session = open_session(path, provider, threads or cores())
        if session is None:
            say(f"{provider} is installed, but cannot be used here; it is left out")
            continue
        for batch in batches:
            say(f"{provider}, batch {batch}")
            rows.append(row(session, provider, batch, threads or cores(), device or cpu_name()))
    if not rows:
        raise Refused("None of these execution providers can be used here.")
    return {"sha256": sha256(path), "file": path.name, "rows": rows}


def wanted_providers(asked: Sequence[str]) -> list[str]:
    """The execution providers to time: those that were asked for, else all that compute here."""
    found = [name for name in _runtime().get_available_providers() if name not in REMOTE]
    short = {name.lower().replace("executionprovider", ""): name for name in found}
    chosen = []
    for name in asked:
        key = name.lower().replace("executionprovider", "")
        if key not in short:
            raise Refused(f"There is no provider {name!r} here; there is: {', '.join(short)}.")
        chosen.append(short[key])
    return chosen or found


def open_session(path: Path, provider: str, threads: int) -> Any:
    """The file, opened with one provider; None if that cannot be used on this machine."""
    if not path.is_file():
        raise Refused(f"There is no file {path}.")
    runtime = _runtime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    cpu = "CPUExecutionProvider"
    try:
        session = runtime.InferenceSession(
            str(path), options, providers=list(dict.fromkeys([provider, cpu]))
        )
    except Exception as error:  # onnxruntime has no common class for what a file may cause
        if provider != cpu:
            return None
        first = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise Refused(f"onnxruntime cannot open {path.name}: {first}") from error
    return session if session.get_providers()[0] == provider else None


def row(session: Any, provider: str, batch: int, threads: int, device: str) -> dict[str, Any]:
    """One batch size: median and 95th percentile in milliseconds, and the conditions."""
    images = zeros_for(session, batch)
    times_ms = timed(lambda: session.run(None, images))
    return {
        "runtime": "onnxruntime",
        "version": _runtime().__version__,
        "provider": provider,
        "device": device,
        "threads": threads,
        "batch": batch,
        "median_ms": statistics.median(times_ms),
        "p95_ms": sorted(times_ms)[min(len(times_ms) - 1, int(0.95 * len(times_ms)))],
        "n": len(times_ms),
    }


def timed(run: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Milliseconds of each pass."""
    for _ in range(WARM_UP):
        run()
    times_ms: list[float] = []
    began = clock()
    while len(times_ms) < PASSES and (len(times_ms) < LEAST or clock() - began < LIMIT_S):
        start = clock()
        run()
        times_ms.append(1000 * (clock() - start))
    return times_ms


def zeros_for(session: Any, batch: int) -> dict[str, Any]:
    """Images of zeros in the form that the file takes."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(shape) < 2:
        raise Refused("The file does not take one batch of float images.")
    if isinstance(shape[0], int) and shape[0] != batch:
        raise Refused(f"The file takes batches of {shape[0]} alone; ask for --batch {shape[0]}.")
    if not all(isinstance(length, int) for length in shape[1:]):
        raise Refused(f"The file leaves its image size open: {shape}.")
    return {inputs[0].name: numpy.zeros((batch, *shape[1:]), numpy.float32)}


def send(found: dict[str, Any], url: str, token: str = "") -> dict[str, Any]:
    """Send the rows; returns the service's answer.

    Raises:
        Refused: it refused, in its words, or does not answer.
    """
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if not url.startswith(("http://", "https://")):
        raise Refused(f"--to was {url!r}; it must be an http or https address.")
    body = json.dumps(found).encode()
    request = urllib.request.Request(url.rstrip("/") + PATH, body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            taken: dict[str, Any] = json.loads(answer.read())
            return taken
    except urllib.error.HTTPError as error:
        raise Refused(_words(error)) from error
    except (OSError, ValueError) as error:
        raise Refused(f"{url} does not answer as Recede does: {error}") from error


def sha256(path: Path) -> str:
    """The file's digest."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def cores() -> int:
    """Processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def cpu_name() -> str:
    """What the machine is called: a board's model, else the processor's name."""
    found: dict[str, str] = {}
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            found.setdefault(name.strip().lower(), value.strip())
    except OSError:
        pass
    for name in ("model name", "model", "hardware"):
        if not found.get(name, "").isdigit() and found.get(name):
            return found[name]
    return platform.processor() or platform.machine() or "CPU"


def table(found: dict[str, Any]) -> str:
    """The rows as text."""
    lines = [list(COLUMNS)]
    for one in found["rows"]:
        times = [f"{one[name]:.3g} ms" for name in ("median_ms", "p95_ms")]
        cells = [one["provider"], one["device"], one["threads"], one["batch"], *times, one["n"]]
        lines.append([str(cell) for cell in cells])
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    padded = [[cell.ljust(widths[i]) for i, cell in enumerate(line)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit code: 0, 1 if something failed, 2 for bad options."""
    given = _parser().parse_args(arguments)
    try:
        found = report(
            given.file,
            batches=given.batch or (1, 64),
            threads=given.threads,
            providers=given.provider,
            device=given.name,
            say=lambda text: _write(sys.stderr, text),
        )
        version = found["rows"][0]["version"]
        _write(sys.stdout, json.dumps(found) if given.json else table(found))
        _write(sys.stderr, f"onnxruntime {version}, {found['file']}, SHA-256 {found['sha256']}")
        if given.to:
            taken = send(found, given.to, given.token)
            kept = ", ".join(f"{one['id']} of run {one['run_id']}" for one in taken["checkpoints"])
            _write(sys.stderr, f"kept with checkpoint {kept}")
    except Refused as error:
        _write(sys.stderr, str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="an ONNX file")
    parser.add_argument(
        "--batch", type=_count, action="append", default=[], help="several times; 1 and 64"
    )
    parser.add_argument("--threads", type=_count, help="unless given, one a processor")
    parser.add_argument(
        "--provider", action="append", default=[], help="cpu, cuda, …; all unless given"
    )
    parser.add_argument("--name", default="", help="what this device is called in the rows")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--to", default="", metavar="URL", help="address of Recede, for the rows")
    parser.add_argument("--token", default="", help="sent as Authorization: Bearer, with --to")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1024:
        raise argparse.ArgumentTypeError(f"{number} is not from 1 to 1024")
    return number


def _runtime() -> Any:
    try:
        import onnxruntime  # noqa: PLC0415 - the web side reads this file without it
    except ImportError as error:
        raise Refused("onnxruntime is not installed: pip install onnxruntime numpy") from error
    return onnxruntime


def _words(error: urllib.error.HTTPError) -> str:
    """Why the service refused, in its words."""
    try:
        said = json.loads(error.read())["error"]
        return " ".join(filter(None, (said["message"], said.get("hint"))))
    except (ValueError, KeyError, TypeError, OSError):
        return f"{error.url} answered {error.code} without saying why."


def _write(stream: Any, text: str) -> None:
    stream.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
