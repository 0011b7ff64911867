"""Fashion-MNIST: 70,000 grey images of clothing, from Debian's package or a download."""

from __future__ import annotations

from pathlib import Path

from recede_worker.images.dataset import Dataset
from recede_worker.images.published.idx_set import IdxSet

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

PLUGINS: tuple[Dataset, ...] = (
    IdxSet(  # Zalando Research, arXiv 1708.07747
        name="fashion-mnist",
        label="Fashion-MNIST",
        help="70,000 grey images of clothing, 28×28 pixels, 10 classes. Fast even without a GPU.",
        torchvision_class="FashionMNIST",
        classes=CLASSES,
        flip=True,
        download_bytes=30_878_645,
        package=Path("/usr/share/datasets/fashion-mnist"),
        demo={"epochs": 4, "batch_size": 128},
        advice="Fix that, or install the Debian package dataset-fashion-mnist.",
    ),
)
