"""How much of a network can go at most, in either scope of what can be pruned."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from recede.contract.network.cost import dense_cost, within_reach
from recede.contract.network.shape import NetworkShape

_Part = Annotated[float, Field(ge=0, le=1)]


class Share(BaseModel):
    """Shares of the dense cost, in [0, 1], that lie in channels that can be cut."""

    model_config = ConfigDict(frozen=True)

    params: _Part
    macs: _Part

    def __str__(self) -> str:
        """In words."""
        params, macs = map(_percent, (self.params, self.macs))
        return f"{params} of the parameters and {macs} of the multiply-adds"

    @property
    def is_nothing(self) -> bool:
        """Whether no channel can be cut."""
        return not self.params and not self.macs


def _percent(part: float) -> str:
    """With one digit; 100 % only of the whole."""
    shown = round(100 * part, 1)
    return f"{99.9 if part < 1 <= shown / 100 else shown:.1f} %"


class Reach(BaseModel):
    """Both shares: with the channels that go alone, and with those that shortcuts join."""

    model_config = ConfigDict(frozen=True)

    inner: Share
    all: Share


def share_of(shape: NetworkShape) -> Share:
    """The share of a network's cost that its groups hold."""
    part, whole = within_reach(shape), dense_cost(shape)
    return Share(params=part.params / whole.params, macs=part.macs / whole.macs)


class NetworkRequest(BaseModel):
    """Which dense network is asked about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    params: dict[str, int | float | bool | str]
    in_channels: int
    image_size: int
    classes: int

    @property
    def key(self) -> str:
        """The same for the same network."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]
