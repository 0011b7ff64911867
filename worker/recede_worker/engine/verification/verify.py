"""Repeats the proof of a checkpoint's files on any machine, without the data and the run.

The bytes are compared with the manifest; then the network is built from model.py and the
weights, and it, the torch.export program and the ONNX file are run on the images of
proof.safetensors: the masked network's answers lie there. Code of a stranger is not run: a
model.py must be nothing but layers and a program nothing but data, or the user gives `trust`.
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from recede.contract.errors import RecedeError
from recede.contract.network import weight_files
from recede_worker.engine.checkpoints.export import read_program
from recede_worker.engine.checkpoints.onnx_file import onnx_scores
from recede_worker.engine.checkpoints.proof import (
    EXACT_TOLERANCE,
    ONNX_ROUNDING,
    Expected,
    rounding,
    scores,
)
from recede_worker.engine.checkpoints.read_errors import TORCH_LOAD_ERRORS
from recede_worker.engine.checkpoints.weights import NAMES
from recede_worker.engine.verification import safe_program, safe_source
from recede_worker.engine.verification.archive import Archive

State = Literal["ok", "failed", "skipped"]
Report = Callable[[str], None]
SHOWN = 3
INT8_SLACK = 2.0
"""Times the difference that was measured: processors round and saturate INT8 sums differently."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked and the result."""

    what: str
    state: State
    detail: str


@dataclass
class Verification:
    """All checks of one set of files."""

    archive: Archive
    trust: bool
    report: Report
    checks: list[Check] = field(default_factory=list)

    def run(self) -> list[Check]:
        """Do all checks; the ones that failed say why."""
        self.bytes()
        expected = self.expected()
        network = self.network()
        if network is not None:
            self.compare_network(network, expected)
        limit = _limit(network, expected)
        self.compare("pt2", self.program, expected, limit)
        self.compare("onnx", self.onnx, expected, ONNX_ROUNDING * limit)
        self.compare_int8(expected, ONNX_ROUNDING * limit)
        return self.checks

    def bytes(self) -> None:
        """Size and SHA-256 of every file that the manifest lists."""
        self.report("SHA-256")
        for name in self.archive.manifest["files"]:
            if name in self.archive.files:
                self.add(f"{name}: bytes", "ok", "size and SHA-256 as in the manifest")
            elif name in self.archive.wrong:
                self.add(f"{name}: bytes", "failed", self.archive.wrong[name])
            else:
                self.add(f"{name}: bytes", "skipped", "not present")

    def expected(self) -> Expected | None:
        """The masked network's outputs for a few images."""
        path = self.path("proof")
        if path is None:
            self.add("proof images", "skipped", "no proof.safetensors: nothing to compare with")
            return None
        try:
            weight_files.check(path)
            return Expected.read(path)
        except (RecedeError, SafetensorError, *TORCH_LOAD_ERRORS) as error:
            self.add("proof images", "failed", _first_line(error))
            return None

    def network(self) -> nn.Module | None:
        """The network of model.py with the weights of the file."""
        source, weights = self.path("python"), self.path("safetensors")
        if source is None or weights is None:
            self.add("model.py", "skipped", "model.py and weights are not both present and intact")
            return None
        reason = None if self.trust else safe_source.why_not(source.read_text())
        if reason is not None:
            self.add("model.py", "skipped", f"not run, since it is more than layers: {reason}; "
                     "--trust runs it")  # fmt: skip
            return None
        self.report("model.py")
        try:
            weight_files.check(weights)
            tensors = load_file(weights)
            network: nn.Module = runpy.run_path(str(source))["build"]()
        except Exception as error:  # noqa: BLE001 - third-party code
            self.add("model.py", "failed", _first_line(error))
            return None
        problem = mismatch(network, tensors)
        if problem is not None:
            self.add("model.py", "failed", f"the weights are of another network: {problem}")
            return None
        network.load_state_dict(tensors)
        how = "run as you trust it" if self.trust else "nothing but layers; run"
        self.add("model.py", "ok", f"{how}; {len(tensors)} tensors fit in name and shape")
        return network.eval()

    def compare_network(self, network: nn.Module, expected: Expected | None) -> None:
        """In float64, in which rounding hides nothing."""
        if expected is None:
            return
        self.report("model.py in float64")
        limit = EXACT_TOLERANCE * max(1.0, float(expected.scores_NK.abs().max()))
        images = expected.x_NCHW.double()
        what = "model.py + weights = masked network, float64"
        self.judge(what, lambda: scores(network.double(), images), expected, limit)
        network.float()

    def program(self, path: Path, x_NCHW: Tensor) -> Tensor | str:
        """Scores of the torch.export program, or why it is not read."""
        reason = None if self.trust else safe_program.why_not(path)
        if reason is not None:
            return f"not read, for it is more than data: {reason}; --trust reads it"
        return scores(read_program(path), x_NCHW)

    def onnx(self, path: Path, x_NCHW: Tensor) -> Tensor | str:
        """Scores of the ONNX file, or why it is not read."""
        try:
            return onnx_scores(path, x_NCHW)
        except ModuleNotFoundError as error:
            return f"{error.name} is not installed"

    def compare(
        self,
        form: str,
        run_network: Callable[[Path, Tensor], Tensor | str],
        expected: Expected | None,
        limit: float,
    ) -> None:
        """One further format against the masked network's scores."""
        path = self.path(form)
        if path is None or expected is None:
            return
        self.report(NAMES[form])
        self.judge(f"{NAMES[form]} = masked network", lambda: run_network(path, expected.x_NCHW),
                   expected, limit)  # fmt: skip

    def compare_int8(self, expected: Expected | None, rounding_limit: float) -> None:
        """The INT8 file is another function: it may be as far away as when it was measured."""
        path = self.path("int8")
        if path is None or expected is None:
            return
        what = f"{NAMES['int8']} ≈ masked network"
        self.report(NAMES["int8"])
        measured = _measured_difference(self.archive.manifest)
        if measured is None:
            self.add(what, "skipped", "the manifest does not say how far away it was")
            return
        limit = INT8_SLACK * measured + rounding_limit
        because = f"{measured:.2g} when it was written; with other processors at most"
        self.judge(what, lambda: self.onnx(path, expected.x_NCHW), expected, limit, because)

    def judge(
        self,
        what: str,
        run_network: Callable[[], Tensor | str],
        expected: Expected,
        limit: float,
        because: str = "rounding explains",
    ) -> None:
        """Compare what was computed with what was expected."""
        try:
            found = run_network()
            if isinstance(found, str):
                self.add(what, "skipped", found)
                return
            difference = float((found.double() - expected.scores_NK).abs().max())
        except Exception as error:  # noqa: BLE001 - whatever a damaged file makes a library raise
            self.add(what, "failed", _first_line(error))
            return
        summary = f"{len(expected.x_NCHW)} images, largest difference {difference:.2g}"
        agrees = difference <= limit
        self.add(what, "ok" if agrees else "failed", f"{summary}; {because} {limit:.2g}")

    def path(self, form: str) -> Path | None:
        """The file of that format, if it is here and whole."""
        return self.archive.files.get(NAMES[form])

    def add(self, what: str, state: State, detail: str) -> None:
        """Note the end of one check."""
        self.checks.append(Check(what, state, detail))


def mismatch(network: nn.Module, tensors: dict[str, Tensor]) -> str | None:
    """Which names or shapes differ between a network and weights; None if all fit."""
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted == found:
        return None
    problems = [f"{name} is missing" for name in wanted.keys() - found.keys()]
    problems += [f"{name} is not part of it" for name in found.keys() - wanted.keys()]
    problems += [
        f"{name} is {found[name]}, not {wanted[name]}"
        for name in sorted(wanted.keys() & found.keys())
        if wanted[name] != found[name]
    ]
    more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return "; ".join(sorted(problems)[:SHOWN]) + more


def summary(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the manifest says about the files."""
    kept = ("run_id", "architecture", "epoch", "kind", "ratio", "accuracy", "cost", "dense_cost")
    return {name: manifest.get(name) for name in (*kept, "int8")}


def _measured_difference(manifest: dict[str, Any]) -> float | None:
    """How far the INT8 network's scores were from the float one's when it was written."""
    try:
        found = float(manifest["int8"]["compared"]["largest_difference"])
    except (KeyError, TypeError, ValueError):
        return None
    return found if math.isfinite(found) and found >= 0 else None


def _limit(network: nn.Module | None, expected: Expected | None) -> float:
    if expected is None:
        return 0.0
    largest = float(expected.scores_NK.abs().max())
    return rounding(network if network is not None else _deep(), largest)


def _deep() -> nn.Module:
    """Stands for a network that could not be built: it may be deep."""
    return nn.Sequential(*[nn.Linear(1, 1) for _ in range(50)])


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def verified(archive: Archive, *, trust: bool, report: Report = lambda _: None) -> list[Check]:
    """All checks of one set of files, with one thread as many machines have."""
    with torch.inference_mode(mode=False):
        return Verification(archive, trust, report).run()
