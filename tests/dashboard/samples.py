"""A catalog, runs, epochs and checkpoints as the API gives them."""

from __future__ import annotations

from typing import Any

from recede.client import (
    AccuracyOut,
    ArchitectureInfo,
    Catalog,
    CheckpointOut,
    DatasetInfo,
    Device,
    EpochOut,
    FileOut,
    MethodInfo,
    ParamSpec,
    RunOut,
    RunSpec,
)

LAM = ParamSpec(
    name="lam",
    kind="float",
    default=0.001,
    label="Strength λ",
    help="How hard.",
    minimum=0,
    maximum=10,
    bound_reason="a negative λ would push neurons up",
    per_steps=125.0,
)
WIDTH = ParamSpec(
    name="width", kind="float", default=1.0, label="Width", help="", minimum=0.05, maximum=4
)
DEPTH = ParamSpec(
    name="depth", kind="int", default=2, label="Depth", help="", minimum=1, maximum=9
)
NOISE = ParamSpec(name="noise", kind="bool", default=False, label="Noise", help="")
CROP = ParamSpec(
    name="crop", kind="choice", default="pad", label="Crop", help="", choices=("pad", "none")
)

SPEC = RunSpec(
    name="first",
    dataset="digits",
    architecture="tiny",
    architecture_params={"width": 0.25, "depth": 3},
    method="rni",
    method_params={"lam": 0.05},
    epochs=10,
    batch_size=100,
)


def dataset(name: str, n_train: int, status: str = "ready", size: int = 0) -> DatasetInfo:
    return DatasetInfo(
        name=name,
        label=name.title(),
        help="",
        params=(NOISE, CROP),
        channels=1,
        image_size=28,
        classes=10,
        n_train=n_train,
        n_test=100,
        status=status,
        detail="where it lies",
        download_bytes=size,
    )


def method(name: str, *params: ParamSpec) -> MethodInfo:
    return MethodInfo(
        name=name, label=name, help="", params=params, scale="bounded", scope="global"
    )


CATALOG = Catalog(
    methods=(
        method("rni", LAM),
        method("l1", LAM.model_copy(update={"per_steps": 12.5})),
        method("ucs"),
    ),
    architectures=(
        ArchitectureInfo(
            name="tiny", label="Tiny", help="", params=(WIDTH, DEPTH), min_image=8, max_image=64
        ),
    ),
    datasets=(
        dataset("digits", 1000),
        dataset("large", 100_000, "download", 170_000_000),
        dataset("gone", 1000, "missing"),
    ),
    devices=(Device(name="cpu", label="a processor"),),
    demo=SPEC,
)


def accuracy(value: float, n: int, split: str = "validation") -> AccuracyOut:
    return AccuracyOut(
        kind="measured", value=value, low=value - 0.01, high=value + 0.01, n=n, split=split
    )


def run(**changes: Any) -> RunOut:
    values: dict[str, Any] = {
        "id": "abcd2345",
        "name": "first",
        "notes": "",
        "state": "succeeded",
        "spec": SPEC,
        "created_at": 0.0,
        "started_at": 1.0,
        "finished_at": 61.0,
        "cancel_requested_at": None,
        "stalled_s": None,
        "queue_position": None,
        "epochs_done": 10,
        "progress": None,
        "eta_s": None,
        "best_epoch": 9,
        "val_accuracy": accuracy(0.9, 100),
        "test_accuracy": accuracy(0.885, 1000, "test"),
        "lossless_ratio": 0.6,
        "disk_bytes": 1_500_000,
        "error": None,
    }
    return RunOut.model_validate(values | changes)


def epochs(n: int) -> list[EpochOut]:
    """Epoch 0, which has no training metrics, and n trained ones."""
    return [
        EpochOut(
            epoch=i,
            train_loss=None if i == 0 else 2.0 / i,
            train_accuracy=None if i == 0 else 0.5,
            penalty=None if i == 0 else 10.0 / i,
            val_loss=2.5 / (1 + i),
            val_accuracy=0.4,
            n_val=100,
            lr=None if i == 0 else 0.1,
            images_per_s=None if i == 0 else 1000.0,
            seconds=1.0,
            finished_at=float(i),
        )
        for i in range(n + 1)
    ]


def checkpoint(kind: str = "pruned", epoch: int = 9, **manifest: Any) -> CheckpointOut:
    file = FileOut(size_bytes=4096, sha256="ab" * 32, url="/api/x", filename="recede_x_e9.py")
    weights = file.model_copy(update={"filename": "recede-x-e9.safetensors"})
    return CheckpointOut(
        id="ck1",
        run_id="abcd2345",
        kind=kind,
        epoch=epoch,
        created_at=1.0,
        size_bytes=8192,
        sha256="ab" * 32,
        formats=["safetensors", "python"],
        files={"safetensors": weights, "python": file},
        manifest=manifest,
    )
