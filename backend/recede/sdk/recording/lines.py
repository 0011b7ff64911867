"""The lines of a recording: one JSON object each, appended and never changed.

A recording is a folder with `recording.jsonl` and safetensors files beside it. A file is in its
place before the line that names it is written, and a line counts once it ends with a newline.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from recede.contract.network.shape import NetworkShape
from recede.contract.recorded.metric import Metric

FORMAT = 1
"""Raised when an older reader would misunderstand what is written."""
LINES = "recording.jsonl"
SCALES = "scales"
"""Folder of the raw scales, and the name of the one tensor in each of its files."""
WEIGHTS = "weights"


class Line(BaseModel):
    """What happened, at seconds since 1970."""

    model_config = ConfigDict(frozen=True)

    at: float


class Begun(Line):
    """The first line. Without a network only metrics and weights are recorded."""

    kind: Literal["begun"] = "begun"
    format: int
    key: str
    """Random: what is sent twice is known by it."""
    recede: str
    """The version that records."""
    name: str
    dataset: str
    epochs: int | None = None
    """How many are planned, where that was said."""
    metric: Metric | None = None
    architecture: str
    network: NetworkShape | None = None
    why_no_network: str | None = None


class Resumed(Line):
    """Another process goes on."""

    kind: Literal["resumed"] = "resumed"


class Logged(Line):
    """An epoch is done; 0 is the network before training, whose metrics may come later."""

    kind: Literal["logged"] = "logged"
    epoch: int
    metrics: dict[str, float]
    seconds: float
    """Since the line before."""
    scales: str | None = None
    """File of the raw scales, float32 in network order."""
    counted_from_0: bool = False
    """Whether the training calls this epoch by one less."""


class Kept(Line):
    """The weights of an epoch are in a file: the model's state_dict."""

    kind: Literal["kept"] = "kept"
    epoch: int
    weights: str


class Dropped(Line):
    """The weights of an epoch were removed, to stay within the disk budget."""

    kind: Literal["dropped"] = "dropped"
    epoch: int


class Measured(Line):
    """What the training's own `evaluate` says of a cut of an epoch's network."""

    kind: Literal["measured"] = "measured"
    epoch: int
    ratio: float
    """What was asked for; all layers share one threshold."""
    digest: str
    """Hash of the channels that are kept."""
    value: float
    seconds: float


class Answered(Line):
    """The same of a cut that was asked for: exactly that one, by any plan."""

    kind: Literal["answered"] = "answered"
    epoch: int
    plan: dict[str, Any]
    digest: str
    value: float
    seconds: float


class Finished(Line):
    """The training has ended, by an error if one is named."""

    kind: Literal["finished"] = "finished"
    error: str | None = None


AnyLine = Annotated[
    Begun | Resumed | Logged | Kept | Dropped | Measured | Answered | Finished,
    Field(discriminator="kind"),
]
LINE: TypeAdapter[AnyLine] = TypeAdapter(AnyLine)
