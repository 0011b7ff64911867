"""ImageNet: 1.28 million photographs in 1,000 classes, from a folder that the user provides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recede.contract.spec.catalog import DatasetInfo
from recede.contract.spec.params import ParamValue
from recede_worker.images.dataset import (
    Dataset,
    Images,
    Progress,
    UnreadableData,
)
from recede_worker.images.folders.found import count
from recede_worker.images.folders.load import Wanted, load
from recede_worker.images.folders.params import (
    BAD_FILES,
    RESIZING,
    form_of,
    image_size,
    skips_bad,
)

NAMES = {"train": "train", "test": "val"}
"""The published validation images are the test set; validation images are split off train."""

DEFAULT_SIZE = 224
CLASSES, N_TRAIN, N_TEST = 1_000, 1_281_167, 50_000


class ImageNet(Dataset):
    """ILSVRC 2012 (Russakovsky et al., 2015) or a part of it; it may not be downloaded."""

    name = "imagenet"

    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """The images that are counted in its folder; the published counts if there is none."""
        place = self._place(roots)
        found = count(place, self.name, roots, NAMES) if place else None
        counted = found is not None and found.status == "ready"
        missing = (
            "Its licence does not allow us to download it: put the folders train/WNID/ and "
            f"val/WNID/ into a folder {self.name} below a data root"
            + (f", for example {roots[0] / self.name}." if roots else ".")
        )
        return DatasetInfo(
            name=self.name,
            label="ImageNet",
            help="1.28 million photographs in 1,000 classes, in a folder of yours. Needs a GPU, "
            "many cores for decoding, and days. A subset of its classes works, too.",
            params=(image_size(DEFAULT_SIZE), *RESIZING, BAD_FILES),
            channels=3,
            image_size=DEFAULT_SIZE,
            classes=found.classes if found and counted else CLASSES,
            n_train=found.n_train if found and counted else N_TRAIN,
            n_test=found.n_test if found and counted else N_TEST,
            status=found.status if found else "missing",
            detail=found.detail if found else missing,
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """All images, each file decoded once before the first training."""
        place = self._place(roots)
        if place is None:
            raise UnreadableData(f"ImageNet is missing: {self.info(roots).detail}")
        wanted = Wanted(
            folder=place,
            roots=roots,
            names=NAMES,
            form=form_of(params),
            skip_bad=skips_bad(params),
            flip=True,
        )
        return load(wanted, progress)

    def _place(self, roots: Sequence[Path]) -> Path | None:
        try:
            return next((r / self.name for r in roots if (r / self.name / "train").is_dir()), None)
        except OSError:  # a root that may not be searched
            return None


PLUGINS: tuple[Dataset, ...] = (ImageNet(),)
