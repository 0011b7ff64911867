"""The two sizes of benchmarks.reproduce: what is trained, cut and fine-tuned, as RunSpecs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]
NO_PENALTY = "ucs"


@dataclass(frozen=True)
class Config:
    """One line of the table: a method with its parameters on one network and data set."""

    label: str
    spec: Spec
    seeds: Sequence[int]
    published: Mapping[float, float] | None = None
    """Top-1 % of arXiv 2204.06404 by share of neurons cut, 0 for the dense network."""


@dataclass(frozen=True)
class Size:
    """All configurations, the ratios at which cut networks are trained on, and how."""

    name: str
    configs: tuple[Config, ...]
    ratios: tuple[float, ...]
    finetune: Spec


def cpu() -> Size:
    """Minutes on two cores: VGG-11 × 0.25 on Fashion-MNIST, three seeds."""
    base = {
        "dataset": "fashion-mnist",
        "architecture": "vgg11",
        "architecture_params": {"width": 0.25},
        "epochs": 4,
        "batch_size": 128,
        "lr": 0.1,
    }
    methods = [
        ("RNI, λ 0.03", "rni", {"lam": 0.03, "shift": 3.0}),
        ("RNI, λ 0.05", "rni", {"lam": 0.05, "shift": 3.0}),
        ("L1, λ 0.001", "l1", {"lam": 0.001}),
        ("L1, λ 0.005", "l1", {"lam": 0.005}),
        ("UCS (has no λ)", NO_PENALTY, {}),
    ]
    configs = tuple(
        Config(label, {**base, "method": method, "method_params": params}, (0, 1, 2))
        for label, method, params in methods
    )
    short = {"epochs": 1, "lr": 0.02, "schedule": "cosine", "batch_size": 128}
    return Size("cpu", configs, (0.5, 0.8), short)


VGG, RESNET = "vgg16", "resnet56"
LAMBDAS = {("rni", VGG): 1e-3, ("rni", RESNET): 1e-4, ("l1", VGG): 1e-4, ("l1", RESNET): 1e-5}
SHIFTS = {VGG: 3.0, RESNET: 0.0}
PUBLISHED = {
    (VGG, "rni", 10): (93.63, 93.67, 90.88),
    (VGG, "rni", 100): (72.01, 72.21, 59.35),
    (VGG, "l1", 10): (93.87, 93.67, 89.95),
    (VGG, "l1", 100): (74.50, 71.34, 25.81),
    (VGG, "ucs", 10): (93.58, 92.93, 84.05),
    (VGG, "ucs", 100): (73.71, 70.67, 54.60),
    (RESNET, "rni", 10): (93.22, 93.26, 90.01),
    (RESNET, "rni", 100): (71.36, 70.38, 64.01),
    (RESNET, "l1", 10): (94.03, 93.37, 89.91),
    (RESNET, "l1", 100): (71.67, 70.29, 61.92),
    (RESNET, "ucs", 10): (93.54, 93.51, 88.81),
    (RESNET, "ucs", 100): (71.57, 71.14, 64.45),
}
"""(network, method, classes) → top-1 % dense, at 50 % and at 90 % of the neurons cut; one seed,
the best epoch picked on the test set (ours is picked on validation)."""


def paper(seeds: Sequence[int], epochs: int, cifar10_folder: str | None) -> Size:
    """The published table: VGG-16 and ResNet-56 on CIFAR-10 and CIFAR-100.

    With `cifar10_folder` only CIFAR-10 is trained, from class folders below a data root.
    """
    recipe = {"epochs": epochs, "batch_size": 64, "lr": 0.1}
    configs = []
    for (network, method, classes), figures in PUBLISHED.items():
        if cifar10_folder and classes != 10:
            continue
        params: Spec = {}
        if method != NO_PENALTY:
            params["lam"] = LAMBDAS[method, network]
        if method == "rni":
            params["shift"] = SHIFTS[network]
        spec = {
            **recipe,
            **_data(classes, cifar10_folder),
            "architecture": network,
            "method": method,
            "method_params": params,
        }
        label = f"{network} {method} CIFAR-{classes}{' (JPEG)' if cifar10_folder else ''}"
        published = dict(zip((0.0, 0.5, 0.9), figures, strict=True))
        configs.append(Config(label, spec, tuple(seeds), published))
    return Size("paper", tuple(configs), (0.5, 0.9), dict(recipe))


def _data(classes: int, folder: str | None) -> Spec:
    if folder is None:
        return {"dataset": f"cifar{classes}"}
    return {"dataset": "folder", "dataset_params": {"path": folder, "image_size": 32}}
