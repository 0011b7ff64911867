"""Claim: most of timm's networks with a BatchNorm2d are taken (95 % is the aim), none cut wrong.

A network is taken if it can be trained and something of it can be cut. Of each that is taken one
random cut is made, with random statistics: its predicted cost must be what torch counts of the
really cut network, and its outputs those of the masked one, in float64.

By default the smallest network of each family is tried: those of one module of timm whose names
begin with the same letters. Each runs in a process of its own, under limits, so that none spoils
the rest; what FILE already holds is not done again.
Run: python -m benchmarks.coverage [--all] [--only TEXT] [--file FILE] [--seconds 180]
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.parts.network_check import Checked, check
from benchmarks.parts.report import machine
from recede.contract.errors import RecedeError
from recede_worker.process.limits import Limits
from recede_worker.process.sandbox import run_limited

FILE = Path(tempfile.gettempdir()) / "recede-coverage.jsonl"
SIZE = 64
"""Pixels, for networks that do not ask for more."""
TOO_SMALL = "cannot take images"
ALLOWED = 1e-9
FAMILY = re.compile(r"[a-z]+")
LISTED = "networks"
"""The entry of FILE that holds which networks there are."""


def listed() -> list[dict[str, Any]]:
    """Name, family, parameters and image size of every network with a BatchNorm2d."""
    timm = importlib.import_module("timm")
    found = []
    for name in timm.list_models():
        try:
            with torch.device("meta"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                network = timm.create_model(name, pretrained=False)
        except (NotImplementedError, RuntimeError):  # it cannot be built without memory
            network = timm.create_model(name, pretrained=False)
        if not any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
            continue
        module = type(network).__module__.rpartition(".")[2]
        letters = FAMILY.match(name)
        found.append(
            {
                "name": name,
                "family": f"{module}/{letters.group() if letters else name}",
                "params": sum(parameter.numel() for parameter in network.parameters()),
                "sizes": _sizes(getattr(network, "pretrained_cfg", {})),
            }
        )
    return found


def _sizes(known: dict[str, Any]) -> list[int]:
    """Image sizes to try: a small one unless it takes no other than its own, then its own."""
    own = int((known.get("input_size") or (3, 224, 224))[-1])
    least = int((known.get("min_input_size") or (3, SIZE, SIZE))[-1])
    return [own] if known.get("fixed_input_size") else sorted({max(SIZE, least), own})


def smallest(networks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each family the network of the fewest parameters."""
    by_family: dict[str, dict[str, Any]] = {}
    for network in sorted(networks, key=lambda one: (one["params"], one["name"])):
        by_family.setdefault(network["family"], network)
    return sorted(by_family.values(), key=lambda one: one["name"])


def limited(name: str, sizes: list[int], limits: Limits) -> Checked:
    """The check in a process of its own; what ends that process is a reason to refuse."""
    for size in sizes:
        try:
            found: Checked = run_limited(f"{name}", check, name, size, limits=limits)
        except RecedeError as error:
            return Checked(size, limits.seconds, error.message)
        if TOO_SMALL not in found.reason:
            break
    return found


def results(path: Path, options: argparse.Namespace) -> Iterator[tuple[dict[str, Any], Checked]]:
    """Each chosen network with what was found, read from the file or found now and added to it."""
    known = _read(path)
    if LISTED not in known:
        known[LISTED] = listed()
        _add(path, LISTED, known[LISTED])
    networks = known[LISTED] if options.all else smallest(known[LISTED])
    limits = Limits(options.memory_gb, options.seconds)
    for network in networks:
        name = network["name"]
        if options.only and not re.search(options.only, name):
            continue
        if name not in known:
            known[name] = dataclasses.asdict(limited(name, network["sizes"], limits))
            _add(path, name, known[name])
        yield network, Checked(**known[name])


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    return dict(json.loads(line) for line in path.read_text().splitlines())


def _add(path: Path, name: str, value: object) -> None:
    with path.open("a") as file:
        file.write(json.dumps([name, value]) + "\n")


def row(network: dict[str, Any], found: Checked) -> str:
    """One line of the table."""
    head = f"| {network['name']} | {network['params'] / 1e6:.1f} | {found.size} |"
    if not found.taken:
        return f"{head} – | – | – | – | – | {found.trace_s:.1f} | {found.reason} |"
    same = "yes" if found.same_cost else "NO"
    return (
        f"{head} {found.groups} | {100 * found.inner:.0f} | {100 * found.all:.0f} | {same} | "
        f"{found.difference:.0e} | {found.trace_s:.1f} | |"
    )


def main() -> None:
    """Print the table, line by line, and what it comes to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every network, not one per family")
    parser.add_argument("--only", default="", help="names in which this expression is found")
    parser.add_argument("--file", type=Path, default=FILE)
    parser.add_argument("--seconds", type=float, default=180.0, help="for one network")
    parser.add_argument("--memory-gb", type=float, default=8.0, help="for one network")
    options = parser.parse_args()
    timm = importlib.import_module("timm")
    print(f"{machine()}; torch {torch.__version__}, timm {timm.__version__}, one thread\n")
    print(
        "| network | parameters, million | pixels | groups | parameters within reach, inner, % | "
        "all, % | predicted cost is counted | cut against masked | trace, s | why not |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    every = []
    for network, found in results(options.file, options):
        print(row(network, found), flush=True)
        every.append(found)
    taken = [one for one in every if one.taken]
    wrong = [one for one in taken if not one.same_cost or not one.difference <= ALLOWED]
    share = 100 * len(taken) / max(1, len(every))
    print(f"\nn = {len(every)} networks: {len(taken)} taken ({share:.0f} %), ", end="")
    print(f"{len(every) - len(taken)} refused; of those taken, {len(wrong)} cut wrong.")


if __name__ == "__main__":
    main()
