"""The user's own images: train/CLASS/…, and val/ and test/ of the same form if present."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from recede.contract.errors import InvalidInput
from recede.contract.spec.catalog import CHANNELS, DatasetInfo
from recede.contract.spec.params import ParamSpec, ParamValue
from recede_worker.images.dataset import (
    Dataset,
    Images,
    Progress,
)
from recede_worker.images.folders.found import below
from recede_worker.images.folders.load import Wanted, load
from recede_worker.images.folders.params import (
    BAD_FILES,
    RESIZING,
    form_of,
    image_size,
    skips_bad,
)
from recede_worker.images.folders.tree import PARTS, is_inside

DEFAULT_SIZE = 64

PATH = ParamSpec(
    name="path",
    kind="text",
    default="",
    label="Folder",
    help="A folder with train/CLASS/… below a data root: its name there, or its full path.",
)
COLOUR = ParamSpec(
    name="colour",
    kind="choice",
    default="rgb",
    label="Colour",
    help="Three channels, red, green and blue, or a single grey one; images are converted.",
    choices=tuple(CHANNELS),
)
FLIP = ParamSpec(
    name="flip",
    kind="bool",
    default=True,
    label="Mirror at random",
    help="Show half of the training images mirrored, left to right. Turn it off for text, digits "
    "and anything whose meaning changes when mirrored.",
)


class Folder(Dataset):
    """Class folders below the data roots; each one found is a variant of the catalog entry."""

    name = "folder"

    def info(self, roots: Sequence[Path]) -> DatasetInfo:
        """All folders found, counted by name; nothing is opened."""
        variants, note = below(roots, PARTS)
        ready = sum(variant.status == "ready" for variant in variants)
        where = ", ".join(map(str, roots)) or "no data root"
        detail = (
            f"{ready} folder{'s' * (ready > 1)} found in {where}."
            if ready
            else (
                f"No folder with train/CLASS/… in {where}. Put one there, or name its parent in "
                "RECEDE_DATA_ROOTS."
            )
        )
        return DatasetInfo(
            name=self.name,
            label="Own images",
            help="A folder of your own images, one folder a class: train/CLASS/…, and val/ and "
            "test/ if you have them. Every file is checked before the training.",
            params=(PATH, image_size(DEFAULT_SIZE), *RESIZING, COLOUR, FLIP, BAD_FILES),
            channels=3,
            image_size=DEFAULT_SIZE,
            classes=0,
            n_train=0,
            n_test=0,
            status="ready" if ready else "missing",
            detail=f"{detail} {note}".strip(),
            variants=variants,
        )

    def load(
        self, roots: Sequence[Path], params: Mapping[str, ParamValue], progress: Progress
    ) -> Images:
        """The images of the folder that `path` names, checked file by file."""
        wanted = Wanted(
            folder=inside(str(params["path"]), roots),
            roots=roots,
            names=PARTS,
            form=form_of(params, CHANNELS[str(params["colour"])]),
            skip_bad=skips_bad(params),
            flip=bool(params["flip"]),
        )
        return load(wanted, progress)


def inside(path: str, roots: Sequence[Path]) -> Path:
    """The folder of that name below a root, or of that absolute path.

    Raises:
        InvalidInput: it is missing, or lies outside of all roots once links are followed.
    """
    places = (
        [Path(path)]
        if Path(path).is_absolute()
        else [
            *(root / path for root in roots if path),
            *(root for root in roots if root.name == path),
        ]
    )
    there = [place for place in places if place.is_dir()]
    allowed = [place for place in there if is_inside(place, roots)]
    if allowed:
        return Path(os.path.normpath(allowed[0]))
    known = ", ".join(map(str, roots)) or "there are none"
    problem = "is outside the data roots" if there else "does not exist there"
    raise InvalidInput(
        f"Path was {path!r}, which {problem if path else 'names no folder'}; the data roots "
        f"are: {known}.",
        field="dataset_params.path",
        hint="Only folders below a data root are read. Put the folder into one, or name its "
        "parent in RECEDE_DATA_ROOTS and restart the worker.",
    )


PLUGINS: tuple[Dataset, ...] = (Folder(),)
