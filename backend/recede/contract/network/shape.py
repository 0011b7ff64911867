"""NetworkShape: what of a network decides its cost, as pure data that a browser can hold."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

MIN_CHANNELS = 3


class Group(BaseModel):
    """Channels that are kept or removed together: one prunable layer."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Dotted module name of the layer that makes the channels, e.g. "features.0"."""
    size: int
    minimum: int = MIN_CHANNELS
    members: tuple[str, ...] = ()
    """All layers that make them, where sums join the channels of several (scope "all"): the
    group shrinks in all of them together. Empty for channels that go alone."""


class Op(BaseModel):
    """One convolution, linear layer or batch norm and the groups that it reads and makes.

    `source` and `target` are indices into NetworkShape.groups, or None where the channels
    are fixed. `fan_in` and `fan_out` are the dense counts: a linear layer behind a flatten
    has fan_in = channels × pixels. `kernel` is the kernel's area and `positions` the number
    of output pixels of one image. A batch norm has fan_in = fan_out = its channels. What is
    "fixed" no cut changes: `params` and `macs` of a module are counted as they are.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["conv", "depthwise", "linear", "norm", "fixed"]
    fan_in: int
    fan_out: int
    source: int | None = None
    target: int | None = None
    kernel: int = 1
    positions: int = 1
    bias: bool = False
    params: int = 0
    macs: int = 0


class StoredTensor(BaseModel):
    """One tensor of the file that is downloaded: the folded network's state_dict.

    A link (dim, group, slices) says that each unit of a group that goes takes that many slices
    of a dimension with it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    dtype: Literal["F32", "I64"]
    shape: tuple[int, ...]
    links: tuple[tuple[int, int, int], ...] = ()


class NetworkShape(BaseModel):
    """Prunable groups in network order and every op that costs something.

    `scale` says how a stored raw scale becomes an importance: "bounded" is σ(w) of bounded
    batch norm, "plain" is |γ| of ordinary batch norm.
    """

    model_config = ConfigDict(frozen=True)

    architecture: str
    groups: tuple[Group, ...]
    ops: tuple[Op, ...]
    input_shape: tuple[int, int, int]
    classes: int
    scale: Literal["bounded", "plain"]
    tensors: tuple[StoredTensor, ...] = ()
    """What the file holds; empty in runs of versions that did not record it."""

    @property
    def n_neurons(self) -> int:
        """Number of prunable neurons: the length of a snapshot."""
        return sum(group.size for group in self.groups)

    @property
    def sizes(self) -> list[int]:
        """Channels of each group, in network order."""
        return [group.size for group in self.groups]

    def split(self, flat: np.ndarray) -> list[np.ndarray]:
        """A flat array of all neurons, cut into one view per group."""
        return np.split(flat, np.cumsum(self.sizes)[:-1])
