"""Claim: at about the same dense accuracy, RNI cuts more neurons without loss than L1 and UCS.

    python -m benchmarks.reproduce --size cpu [--data FOLDER] [--out FOLDER]
    python -m benchmarks.reproduce --size paper [--seeds 0] [--epochs 160]

Every training goes through the queue of a real service; what a folder holds already is not
trained again, so it can be stopped and started. Accuracy of cuts is measured on validation
images, that of the dense and of the fine-tuned networks on test images too. "paper" trains
VGG-16 and ResNet-56 on CIFAR for 160 epochs, which takes a GPU, and prints the published
figures beside ours.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

import torch

from benchmarks.parts.claim.campaign import Campaign
from benchmarks.parts.claim.figure import draw
from benchmarks.parts.claim.table import markdown, rows, write_csv
from benchmarks.parts.report import machine
from benchmarks.parts.service import service
from benchmarks.parts.sizes import Size, cpu, paper


def main() -> None:
    """Train what is missing, then write table and figure."""
    # So that a terminated benchmark ends its service too; what is trained stays in the folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = _options()
    size = _size(options)
    data = options.data or Path(f"reproduce-{size.name}")
    out = options.out or data
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with service(data, options.url) as client:
        cells = Campaign(client, size, _say).run()
    minutes = (time.monotonic() - started) / 60
    table = rows(cells)
    write_csv(table, out / f"reproduce-{size.name}.csv")
    seeds = max(row.seeds for row in table)
    text = (
        f"{machine()}; {torch.cuda.get_device_name() if torch.cuda.is_available() else 'no GPU'}; "
        f"torch {torch.__version__}; n = {seeds} seeds each; {minutes:.0f} minutes\n\n"
        + markdown(table, (0.0, *size.ratios))
    )
    (out / f"reproduce-{size.name}.md").write_text(text + "\n", encoding="utf-8")
    title = f"Mean of {seeds} seeds; bands and bars: one standard deviation; markers: fine-tuned"
    draw(table, title, out / f"reproduce-{size.name}.png")
    print(f"\n{text}\n\nWritten to {out}.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=("cpu", "paper"), default="cpu")
    parser.add_argument("--data", type=Path, help="data folder of the service")
    parser.add_argument("--out", type=Path, help="folder of table and figure")
    parser.add_argument("--url", help="use this running service instead of starting one")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of --size paper")
    parser.add_argument("--epochs", type=int, default=160, help="of --size paper")
    parser.add_argument("--cifar10-folder", help="class folders with CIFAR-10, by name")
    return parser.parse_args()


def _size(options: argparse.Namespace) -> Size:
    if options.size == "cpu":
        return cpu()
    return paper(options.seeds, options.epochs, options.cifar10_folder)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    main()
