"""Importing published weights: the seconds of each part until the first point of the curve.

    python -m benchmarks.import_time [FOLDER] [N]

Claim: on two cores `recede import resnet18 --pretrained IMAGENET1K_V1` on a folder of 500 images
has a page whose threshold can be dragged, and the first point of its curve, within 60 s, the
download not counted. FOLDER has ten class folders of JPEGs below it; without one, 500 are made.

The weights are drawn at random in the file's place, for no time depends on them but that of the
curve's later points. Each of the N imports is the first one of a service that has just started.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision import models

from benchmarks.parts.report import machine
from benchmarks.parts.service import service
from recede.client import ApiError, RecedeClient
from recede.contract.schemas import CurvePoint

CLASSES, IMAGES = 10, 500
POLL_S = 0.05
PATIENCE_S = 300.0
NETWORK, TAG = "resnet18", "IMAGENET1K_V1"
FIRST, DRAGGABLE, POINT = "waiting for the worker", "threshold can be dragged", "first point"


def photographs(target: Path, given: Path | None) -> None:
    """500 JPEGs in class folders that are named as ten of ImageNet's classes."""
    names = models.ResNet18_Weights[TAG].meta["categories"][:CLASSES]
    found = sorted(folder for folder in given.iterdir() if folder.is_dir()) if given else []
    random = np.random.default_rng(0)
    for place, name in enumerate(names):
        folder = target / "train" / name
        folder.mkdir(parents=True)
        if found:
            files = sorted(found[place].glob("*.jp*g"))[: IMAGES // CLASSES]
            for file in files:
                shutil.copy(file, folder)
            continue
        for number in range(IMAGES // CLASSES):
            coarse = random.integers(0, 255, (12, 16, 3), np.uint8)
            image = Image.fromarray(coarse).resize((500, 375), Image.Resampling.BICUBIC)
            image.save(folder / f"{number}.jpg", quality=90)


def weights(target: Path) -> None:
    """Random weights under the published file's name, where somebody would put it by hand."""
    target.mkdir(parents=True)
    name = models.ResNet18_Weights[TAG].url.rpartition("/")[2]
    torch.save(models.resnet18(weights=None).state_dict(), target / name)


def parts(client: RecedeClient) -> dict[str, float]:
    """Import, and the seconds since then at which each part began."""
    spec = {
        "architecture": NETWORK,
        "method": next(one.name for one in client.catalog().methods if one.scale == "plain"),
        "dataset": "folder",
        "dataset_params": {"path": "photographs"},
        "epochs": 0,
        "init": {"pretrained": TAG},
    }
    began = time.perf_counter()
    run_id = client.create_run(spec).run.id
    seen = {FIRST: 0.0}
    while (now := time.perf_counter() - began) < PATIENCE_S:
        for job in client.jobs(run_id=run_id).items:
            if job.error is not None:
                raise RuntimeError(job.error.message)
            if job.progress is not None:
                seen.setdefault(_label(job.kind.value, job.progress), now)
        if DRAGGABLE not in seen and _is_there(client, run_id):
            seen[DRAGGABLE] = time.perf_counter() - began
        if any(point.ratio > 0 for point in _points(client, run_id)):
            return {**seen, POINT: time.perf_counter() - began}
        time.sleep(POLL_S)
    raise RuntimeError(f"no point within {PATIENCE_S:.0f} s")


def _label(kind: str, progress: dict[str, object]) -> str:
    return f"{kind}: {progress.get('message') or progress['stage']}"


def _is_there(client: RecedeClient, run_id: str) -> bool:
    try:
        client.network(run_id)
        return len(client.snapshots(run_id).epochs) > 0
    except ApiError:
        return False


def _points(client: RecedeClient, run_id: str) -> list[CurvePoint]:
    try:
        return client.curve(run_id).points
    except ApiError:
        return []


def main() -> None:
    """Print when each part began, median of N imports."""
    given = [Path(word) for word in sys.argv[1:] if not word.isdecimal()]
    n = next((int(word) for word in sys.argv[1:] if word.isdecimal()), 3)
    print(machine())
    all_: list[dict[str, float]] = []
    for _ in range(n):
        with tempfile.TemporaryDirectory() as folder:
            roots = Path(folder) / "datasets"
            photographs(roots / "photographs", given[0] if given else None)
            weights(roots / "pretrained")
            with service(Path(folder)) as client:
                all_.append(parts(client))
            print({name: round(second, 1) for name, second in all_[-1].items()}, flush=True)
    print(f"\n| seconds after the import, n = {n} | median | least and most |\n|---|---|---|")
    for name in max(all_, key=len):
        taken = [one[name] for one in all_ if name in one]
        print(
            f"| {name} | {statistics.median(taken):.1f} | {min(taken):.1f} to {max(taken):.1f} |"
        )


if __name__ == "__main__":
    main()
