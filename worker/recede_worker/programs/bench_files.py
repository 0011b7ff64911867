"""`python -m recede_worker --bench`: latency of a checkpoint's files on this machine.

What is opened is checked as `--verify` does: bytes against the manifest, model.py and program for
anything that acts. Writes one JSON object a line: {"message"} while it works, and at the end
{"ok", "reports", "skipped"} or {"ok", "error"}.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from recede.bench import onnx_latency
from recede.contract.errors import InvalidInput, RecedeError
from recede_worker.core.device.latency import measure_in_turns, p95, time_in_turns
from recede_worker.engine.checkpoints.export import read_program
from recede_worker.engine.checkpoints.weights import NAMES
from recede_worker.engine.verification import safe_program
from recede_worker.engine.verification.archive import Archive, open_archive
from recede_worker.engine.verification.verify import Verification

FORMS = ("safetensors", "pt2", "onnx", "int8")
"""Formats that are a network; model.py goes with the weights."""

Rows = list[dict[str, Any]]


class Skipped(Exception):
    """Why a file is not timed."""


@dataclass(frozen=True)
class Asked:
    """What is to be timed, and how."""

    batches: Sequence[int] = (1, 64)
    threads: int | None = None
    providers: Sequence[str] = ()
    """Short names, as cpu and cuda; all that are here, if none is given."""
    name: str = ""
    """What this device is called."""
    trust: bool = False

    @property
    def cores(self) -> int:
        """Threads to use."""
        return self.threads or onnx_latency.cores()


def bench(path: Path, asked: Asked) -> int:
    """Time a ZIP, a folder or one file beside its manifest; returns the exit code."""
    torch.set_num_threads(asked.cores)
    try:
        with open_archive(path) as archive:
            timing = Timing(archive, asked, lambda text: _write({"message": text}))
            for form in _forms(path, archive):
                timing.add(form)
            answer: dict[str, Any] = {
                "ok": bool(timing.reports),
                "reports": timing.reports,
                "skipped": timing.skipped,
            }
    except RecedeError as error:
        answer = {"ok": False, "error": error.as_dict()}
    _write(answer)
    return 0 if answer["ok"] else 1


@dataclass
class Timing:
    """The rows of one checkpoint's files."""

    archive: Archive
    asked: Asked
    say: Callable[[str], None]
    reports: list[dict[str, Any]] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, form: str) -> None:
        """Time one format, or note why it cannot be."""
        file = self.archive.files[NAMES[form]]
        timed = {"safetensors": self._network, "pt2": self._program}.get(form, self._onnx)
        self.say(f"{NAMES[form]}: opening")
        try:
            rows = timed(file)
        except Exception as error:  # noqa: BLE001 - whatever a damaged file makes a library raise
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            self.skipped[NAMES[form]] = first
            return
        self.reports.append(
            {"sha256": onnx_latency.sha256(file), "file": NAMES[form], "rows": rows}
        )

    def _network(self, _: Path) -> Rows:
        """model.py with the weights, on each device that torch has here."""
        check = Verification(self.archive, self.asked.trust, lambda _: None)
        network = check.network()
        if network is None:
            raise Skipped(check.checks[-1].detail)
        rows = []
        for device in self._devices():
            for batch in self.asked.batches:
                self.say(f"{NAMES['safetensors']}: {device}, batch {batch}")
                found = measure_in_turns(
                    [network], self._shape(), batch, device, limit_s=onnx_latency.LIMIT_S
                )[0]
                rows.append(self._row(device, batch, found.median_ms, found.p95_ms, found.n))
        return rows

    def _program(self, file: Path) -> Rows:
        """A torch.export program, which is bound to the CPU."""
        reason = None if self.asked.trust else safe_program.why_not(file)
        if reason is not None:
            raise Skipped(f"not read, for it is more than data: {reason}; --trust reads it")
        if "cpu" not in self._devices():
            raise Skipped("it runs on the CPU, which was not asked for")
        network, rows = read_program(file), []
        for batch in self.asked.batches:
            self.say(f"{NAMES['pt2']}: cpu, batch {batch}")
            x_NCHW = torch.zeros(batch, *self._shape())
            with torch.inference_mode():
                passes = [partial(network, x_NCHW)]
                (times_ms,) = time_in_turns(passes, limit_s=onnx_latency.LIMIT_S)
            median_ms = statistics.median(times_ms)
            rows.append(self._row("cpu", batch, median_ms, p95(times_ms), len(times_ms)))
        return rows

    def _onnx(self, file: Path) -> Rows:
        found = onnx_latency.report(
            file,
            batches=self.asked.batches,
            threads=self.asked.cores,
            providers=self.asked.providers,
            device=self.asked.name,
            say=lambda text: self.say(f"{file.name}: {text}"),
        )
        rows: Rows = found["rows"]
        return rows

    def _devices(self) -> list[str]:
        here = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
        asked = [name.lower() for name in self.asked.providers]
        found = [name for name in here if not asked or name in asked]
        if not found:
            raise Skipped(f"torch has {' and '.join(here)} here, which was not asked for")
        return found

    def _shape(self) -> tuple[int, int, int]:
        shape = (self.archive.manifest.get("input") or {}).get("shape")
        if isinstance(shape, list) and all(isinstance(n, int) and 0 < n <= 4096 for n in shape):
            channels, height, width = shape
            return channels, height, width
        raise Skipped("the manifest does not say how large the images are")

    def _row(self, device: str, batch: int, median_ms: float, p95_ms: float, n: int) -> Any:
        called = torch.cuda.get_device_name() if device == "cuda" else onnx_latency.cpu_name()
        return {
            "runtime": "torch",
            "version": torch.__version__,
            "provider": device,
            "device": self.asked.name or called,
            "threads": self.asked.cores,
            "batch": batch,
            "median_ms": median_ms,
            "p95_ms": p95_ms,
            "n": n,
        }


def _forms(path: Path, archive: Archive) -> list[str]:
    """The format of the file that was named; all that are there of a folder, ZIP or manifest."""
    named = {file.resolve(): name for name, file in archive.files.items()}
    name = named.get(path.resolve())
    if name == NAMES["python"]:
        name = NAMES["safetensors"]
    if name is not None:
        forms = [form for form in FORMS if NAMES[form] == name]
    else:
        forms = [form for form in FORMS if NAMES[form] in archive.files]
    altered = archive.wrong.get(path.name)
    if altered is not None or not forms:
        what = f"{path.name} {altered}" if altered else f"{path.name} is no network"
        raise InvalidInput(
            f"{what}.", hint="Time weights, a torch.export program or an ONNX file; see `--help`."
        )
    if any(NAMES[form] not in archive.files for form in forms):
        raise InvalidInput(
            "model.py is timed with its weights, which are not beside it.",
            hint="Download the weights into the same folder.",
        )
    return forms


def _write(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
