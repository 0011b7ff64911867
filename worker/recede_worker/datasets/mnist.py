"""MNIST: 70,000 handwritten digits, downloaded where there is a network."""

from __future__ import annotations

from recede_worker.images.dataset import Dataset
from recede_worker.images.published.idx_set import IdxSet

PLUGINS: tuple[Dataset, ...] = (
    IdxSet(  # LeCun, Cortes and Burges (1998)
        name="mnist",
        label="MNIST",
        help="70,000 handwritten digits, 28×28 grey pixels. The easiest of the published sets: "
        "most of a network can be cut.",
        torchvision_class="MNIST",
        classes=tuple(str(digit) for digit in range(10)),
        flip=False,
        download_bytes=11_594_722,
    ),
)
