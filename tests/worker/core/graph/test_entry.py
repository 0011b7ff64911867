"""A network is fitted to the images' channels where they enter it, wherever that is registered."""

from __future__ import annotations

import json

import pytest
import torch
from torch import Tensor, nn

from recede.contract.errors import InvalidInput
from recede.contract.spec.catalog import ArchitectureInfo
from recede_worker.core.graph.entry import widths_for
from recede_worker.networks.own import OwnNetwork
from recede_worker.networks.traced import Origin
from recede_worker.networks.tracing import examine
from tests.worker.core.joints import Head, unit

SIZE = 8
INFO = ArchitectureInfo(name="toy", label="toy", help="", min_image=1, max_image=64)


class Unshuffled(Head):
    """Its first convolution reads blocks of four pixels as channels."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__(6)
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), *unit(4 * channels, 8))
        self.after = nn.Conv2d(8, 6, 1)

    def body(self, x: Tensor) -> Tensor:
        return self.after(x)


class Coordinates(Head):
    """Its first convolution also reads where a pixel is."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__(8)
        self.stem = unit(channels + 2, 8)

    def forward(self, images: Tensor) -> Tensor:
        N, _, H, W = images.shape
        rows = torch.linspace(-1, 1, H).view(1, 1, H, 1).expand(N, 1, H, W).to(images)
        columns = torch.linspace(-1, 1, W).view(1, 1, 1, W).expand(N, 1, H, W).to(images)
        return super().forward(torch.cat([images, rows, columns], 1))


class HeadFirst(nn.Module):
    """A convolution that makes the scores is registered before all else."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.head = nn.Conv2d(8, 5, 1)
        self.body = unit(channels, 8)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images)).mean((2, 3))


class TwoEntries(Head):
    """Two convolutions read the image."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__(8)
        self.stem, self.shortcut = unit(channels, 8), unit(channels, 8)

    def forward(self, images: Tensor) -> Tensor:
        return self.head((self.stem(images) + self.shortcut(images)).mean((2, 3)))


class Normalised(Head):
    """A batch norm reads the image first."""

    def __init__(self) -> None:
        super().__init__(8)
        self.stem = nn.Sequential(nn.BatchNorm2d(3), *unit(3, 8))


ENTRIES = [
    (Unshuffled, {"stem.1": [4, 8]}),
    (Coordinates, {"stem.0": [3, 8]}),
    (HeadFirst, {"body.0": [1, 8]}),
    (TwoEntries, {"stem.0": [1, 8], "shortcut.0": [1, 8]}),
]
every_entry = pytest.mark.parametrize(("kind", "widths"), ENTRIES)


@every_entry
def test_the_layers_that_read_the_image_are_found_and_only_they_change(kind, widths):
    assert widths_for(kind(), 1, SIZE) == widths
    assert widths_for(kind(), 3, SIZE) == {}
    assert widths_for(kind(1), 1, SIZE) == {}


@every_entry
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_network_made_for_colour_images_is_taken_for_others(kind, widths, channels):
    network = OwnNetwork(INFO, lambda *_: kind(), Origin("", "", ""), "")
    request = {"in_channels": channels, "classes": 5, "image_size": SIZE, "params": {}}
    found = json.loads(examine(network, json.dumps(request)))
    assert found["norms"]
    assert found["widths"].keys() == (widths.keys() if channels != 3 else set())
    built = network.build({**request, **found})
    assert built.eval()(torch.zeros(1, channels, SIZE, SIZE)).shape == (1, 5)


def test_where_more_depends_on_the_channels_it_is_refused_by_name():
    with pytest.raises(
        InvalidInput, match=r"images of 3 channels, not 1.*'stem\.0' \(BatchNorm2d"
    ):
        widths_for(Normalised(), 1, SIZE)


def test_a_network_that_takes_no_such_images_at_all_is_left_to_the_tracer():
    assert widths_for(nn.Sequential(nn.Conv2d(7, 4, 1)), 1, SIZE) == {}
