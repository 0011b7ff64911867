"""Imagenette: 13,394 photographs in ten easy classes of ImageNet, downloaded where possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recede.contract.spec.catalog import DatasetInfo
from recede.contract.spec.params import ParamValue
from recede_worker.images.dataset import (
    Dataset,
    Images,
    Progress,
)
from recede_worker.images.folders.load import Wanted, load
from recede_worker.images.folders.params import (
    BAD_FILES,
    RESIZING,
    form_of,
    image_size,
    skips_bad,
)
from recede_worker.images.published.archive import Archive, fetch_unpacked
from recede_worker.images.published.places import Place, find

FOLDER = "imagenette2-160"
NAMES = {"train": "train", "test": "val"}
DOWNLOAD_BYTES = 99_003_388
DEFAULT_SIZE, N_TRAIN, N_TEST = 128, 9_469, 3_925
CLASSES = {
    "n01440764": "tench",
    "n02102040": "English springer",
    "n02979186": "cassette player",
    "n03000684": "chain saw",
    "n03028079": "church",
    "n03394916": "French horn",
    "n03417042": "garbage truck",
    "n03425413": "gas pump",
    "n03445777": "golf ball",
    "n03888257": "parachute",
}


class Imagenette(Dataset):
    """The second version, its shorter sides resized to 160 pixels (Howard, fast.ai)."""

    name = "imagenette"

    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """Where the folder lies, or that the first run fetches it."""
        place = self._place(roots)
        return DatasetInfo(
            name=self.name,
            label="Imagenette",
            help="13,394 photographs in ten classes of ImageNet that are easy to distinguish: "
            "large images without long waits.",
            params=(image_size(DEFAULT_SIZE), *RESIZING, BAD_FILES),
            channels=3,
            image_size=DEFAULT_SIZE,
            classes=len(CLASSES),
            n_train=N_TRAIN,
            n_test=N_TEST,
            status=place.status,
            detail=place.detail,
            download_bytes=DOWNLOAD_BYTES if place.status == "download" else 0,
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All images with readable names of the classes; fetches the archive if needed."""
        place = self._place(roots)
        place.require("Imagenette")
        folder = place.folder
        if folder is None:
            folder = fetch_unpacked(_archive(), roots[0], lambda f: _problem(f) is None, progress)
        wanted = Wanted(
            folder=folder,
            roots=roots,
            names=NAMES,
            form=form_of(params),
            skip_bad=skips_bad(params),
            flip=True,
            labels=CLASSES,
        )
        return load(wanted, progress)

    def _place(self, roots: Sequence[Path]) -> Place:
        return find([root / FOLDER for root in roots], _problem, roots, FOLDER)


def _archive() -> Archive:
    from torchvision.datasets import Imagenette as Published  # noqa: PLC0415 - slow to import

    url, md5 = Published._ARCHIVES["160px"]
    return Archive(url, md5, FOLDER)


def _problem(folder: Path) -> OSError | None:
    """Why the folder cannot be used, or None if each class is there in both parts."""
    for part in NAMES.values():
        for wnid in CLASSES:
            try:
                next((folder / part / wnid).iterdir(), None)
            except OSError as problem:
                return problem
    return None


PLUGINS: tuple[Dataset, ...] = (Imagenette(),)
