"""What the long benchmarks are asked for: networks that a CPU trains, seeds, where results go."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Subject:
    """A network with its data, and how long it is trained first."""

    title: str
    spec: dict[str, Any]
    """Architecture, data set and epochs of a RunSpec."""


NETWORKS = {
    "vgg11": ("VGG-11 × 0.25", {"width": 0.25}),
    "resnet20": ("ResNet-20 × 0.5", {"width": 0.5}),
}


def subject(architecture: str, cifar10_folder: str | None = None) -> Subject:
    """The network on Fashion-MNIST, or on class folders with CIFAR-10 below a data root."""
    title, params = NETWORKS[architecture]
    network = {"architecture": architecture, "architecture_params": params}
    if cifar10_folder is None:
        data: dict[str, Any] = {"dataset": "fashion-mnist", "epochs": 4}
        return Subject(f"{title} on Fashion-MNIST", {**network, **data})
    images = {"path": cifar10_folder, "image_size": 32}
    data = {"dataset": "folder", "dataset_params": images, "epochs": 8}
    return Subject(f"{title} on CIFAR-10 of {cifar10_folder}", {**network, **data})


def parser(description: str | None, name: str) -> argparse.ArgumentParser:
    """The options that they have in common."""
    found = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument("--data", type=Path, default=Path(name), help="folder of the service")
    found.add_argument("--out", type=Path, help=f"results, JSON lines (DATA/{name}.jsonl)")
    found.add_argument("--url", help="use this running service instead of starting one")
    found.add_argument("--architecture", choices=sorted(NETWORKS), default="vgg11")
    found.add_argument("--cifar10-folder", help="class folders with CIFAR-10, by name")
    found.add_argument("--seeds", type=whole, nargs="+", default=[0, 1, 2])
    found.add_argument("--train-epochs", type=positive, help="of the first training (4; CIFAR 8)")
    return found


def read(found: argparse.ArgumentParser) -> argparse.Namespace:
    """What was given; a seed that is there twice counts once."""
    options = found.parse_args()
    options.seeds = list(dict.fromkeys(options.seeds))
    return options


def whole(text: str) -> int:
    """A number from 0 on, of an option."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} was given; give a whole number from 0 on")
    return int(text)


def positive(text: str) -> int:
    """A number from 1 on, of an option."""
    if whole(text) == 0:
        raise argparse.ArgumentTypeError("0 was given; give a whole number from 1 on")
    return int(text)


def share(text: str) -> float:
    """A share between 0 and 1, of an option."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} was given; give a share above 0 and below 1")
    return value


def say(text: str) -> None:
    """One line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def first_training(network: Subject, options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """The spec of what is trained first, for as many epochs as were asked for."""
    spec = {**network.spec, "seed": seed, "lr": 0.1}
    return spec if options.train_epochs is None else {**spec, "epochs": options.train_epochs}


def end_orderly() -> None:
    """Let a terminated benchmark end its service too; what is trained stays in the folder."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
