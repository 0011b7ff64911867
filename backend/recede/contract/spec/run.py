"""What a user asks for: a RunSpec (one training), a Plan (one cut) and job payloads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from recede.contract.network.pixels import Pixels

Scope = Literal["global", "local"]
Bias = Literal["drop", "fold"]
IMPORTANCE = "importance"
"""The criterion that every run has: the method's own importance, stored each epoch."""
RECORDED = "recorded elsewhere"
"""In place of a method: the training runs in somebody's own process and is only shown here."""
Ratio = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False, strict=True)]
MAX_EPOCHS = 10_000
_EXACT = 2**53  # from here on floats leave whole numbers out


def _storable(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("is not valid text: it holds half a character; remove it")
    if "\0" in text:
        raise ValueError("contains a NUL character, which no database keeps; remove it")
    return text


def _as_whole(value: Any) -> Any:
    """3.0 as 3; all else is left for the strict check, which takes neither "3" nor true."""
    exact = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return int(value) if exact else value


_WHOLE = BeforeValidator(_as_whole)
Text = Annotated[str, AfterValidator(_storable)]


class Plan(BaseModel):
    """Which channels to keep, by ratio or by threshold, at one epoch.

    `epoch` None is the best epoch (by validation). `ratio` is the share of neurons to remove
    in [0, 1); `threshold` keeps importances strictly above it. Locked layers keep every
    channel; an override gives one layer a ratio of its own. The rest share the plan's choice.

    `criterion` names what ranks the neurons. `round_to` rounds what a layer keeps up to a
    multiple, at most to its size; `min_channels` replaces the minimum of each layer. `bias`
    says what becomes of relu(β) of a removed channel of an ordinary batch norm: dropped, or
    folded into what follows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: Annotated[int | None, Field(ge=0, le=MAX_EPOCHS, strict=True), _WHOLE] = None
    scope: Scope = "global"
    ratio: float | None = Field(None, ge=0, lt=1, allow_inf_nan=False, strict=True)
    threshold: float | None = Field(None, ge=0, le=1e30, allow_inf_nan=False, strict=True)
    locks: tuple[str, ...] = ()
    overrides: dict[str, Ratio] = {}
    criterion: Text = Field(IMPORTANCE, min_length=1, max_length=60)
    round_to: Annotated[int, Field(ge=1, le=1024, strict=True), _WHOLE] = 1
    min_channels: Annotated[int | None, Field(ge=1, le=65_536, strict=True), _WHOLE] = None
    bias: Bias = "drop"

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if (self.ratio is None) == (self.threshold is None):
            raise ValueError(
                "give either a ratio in [0, 1) or a threshold, one of the two and not both"
            )
        return self

    @model_validator(mode="after")
    def _no_contradiction(self) -> Self:
        for layer in self.overrides:
            if layer in self.locks:
                raise ValueError(f"layer {layer!r} is both locked and overridden; choose one")
        return self


def _is_file(given: Any) -> str:
    return "ClassFile" if isinstance(given, str) else "ClassList"


_Name = Annotated[Text, Field(min_length=1, max_length=400)]
ClassNames = Annotated[
    Annotated[Text, Field(min_length=1, max_length=4096), Tag("ClassFile")]
    | Annotated[tuple[_Name, ...], Field(min_length=2, max_length=50_000), Tag("ClassList")],
    Discriminator(_is_file),
]
"""Names of outputs in their order, or where they are written."""


class Init(BaseModel):
    """Weights to start from: a file under a data root, published ones, or another run's.

    `pretrained` is the tag of weights that the network's library publishes; the worker fetches
    them, and each class of the data set gets the output of its name.

    With `plan`, the other run's network is cut first: that is fine-tuning. `new_head` draws
    the last layer at random, for other classes than those the weights were trained on.
    `classes` names the outputs of the weights in their order (a list, a file under a data root,
    or imagenet1k): the head gets the outputs of the data set's classes, in their order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Text | None = Field(None, min_length=1, max_length=4096)
    pretrained: Text | None = Field(None, min_length=1, max_length=200)
    run: Text | None = Field(None, min_length=1, max_length=64)
    plan: Plan | None = None
    new_head: bool = Field(False, strict=True)
    classes: ClassNames | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if [self.file, self.pretrained, self.run].count(None) != 2:
            raise ValueError(
                "give a file, published weights (pretrained) or a run to start from, one of them"
            )
        if self.plan is not None and self.run is None:
            raise ValueError("a plan cuts the network of a run; name that run, or leave it out")
        if self.classes is not None and self.run is not None:
            raise ValueError(
                "classes name the outputs of weights from elsewhere, not of a run; leave them out"
            )
        if self.classes is not None and self.new_head:
            raise ValueError(
                "classes choose outputs of the head, and new_head draws it anew; leave one out"
            )
        return self


class Distill(BaseModel):
    """How a fine-tuning learns from the network that was cut, beside the labels.

    The loss is (1 − weight)·cross-entropy + weight·temperature²·KL(teacher ‖ student) of logits
    divided by the temperature (Hinton et al. 2015).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    weight: float = Field(0.9, gt=0, le=1, allow_inf_nan=False, strict=True)
    temperature: float = Field(4.0, ge=0.1, le=100, allow_inf_nan=False, strict=True)


class RunSpec(BaseModel):
    """One training of one network; only data set, architecture and method have no default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text = Field("", max_length=120)
    dataset: Text
    dataset_params: dict[str, Any] = {}
    architecture: Text
    architecture_params: dict[str, Any] = {}
    method: Text
    method_params: dict[str, Any] = {}
    epochs: Annotated[int, Field(ge=0, le=MAX_EPOCHS, strict=True), _WHOLE] = Field(
        10, description="0 trains nothing: the weights of `init` are measured and can be cut"
    )
    batch_size: Annotated[int, Field(ge=2, le=65_536, strict=True), _WHOLE] = 64
    lr: float = Field(0.1, gt=0, le=10, allow_inf_nan=False, strict=True)
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True), _WHOLE] = 0
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:0, …"
    )
    val_fraction: float = Field(0.1, gt=0, lt=0.9, allow_inf_nan=False, strict=True)
    schedule: Literal["step", "cosine"] = "step"
    warmup_epochs: Annotated[int, Field(ge=0, le=MAX_EPOCHS, strict=True), _WHOLE] = 0
    label_smoothing: float = Field(0.0, ge=0, lt=1, allow_inf_nan=False, strict=True)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    compile: bool = Field(False, strict=True)
    processes: Annotated[int, Field(ge=1, le=64, strict=True), _WHOLE] = 1
    init: Init | None = None
    normalize: Pixels = Field(
        "auto",
        description="images: by mean and deviation of the training images; imagenet1k; or {mean, "
        "std} of pixel / 255 for each channel; auto: as the given weights were trained, "
        "where that is known, else as images",
    )
    distill: Distill | None = None
    prunable: Literal["inner", "all"] = Field(
        "inner",
        description="inner: channels that go alone, as in the paper; all: also those that "
        "shortcuts join, which shrink together",
    )
    scale: Literal["auto", "gate", "bounded", "plain"] = Field(
        "auto",
        description="What the importances of a method that bounds them are: gate, a factor "
        "behind the batch norms of given weights; bounded, batch norm without β; plain, the |γ| "
        "of the given batch norms. auto takes, for weights that had ordinary batch norm, gates "
        "if a penalty moves them, and else plain",
    )
    map_budget: float = Field(
        0.03,
        ge=0,
        le=1,
        allow_inf_nan=False,
        strict=True,
        description="Share of the training's time for the accuracy of cuts while it trains",
    )
    keep_weights_mb: Annotated[int, Field(ge=0, le=10_000_000, strict=True), _WHOLE] = Field(
        500,
        description="Disk for the weights of earlier epochs, in MB; the best and the last epoch "
        "are kept in any case",
    )

    @field_validator("distill")
    @classmethod
    def _needs_a_teacher(cls, value: Distill | None, info: ValidationInfo) -> Distill | None:
        init: Init | None = info.data.get("init")
        if value is None or "init" not in info.data:
            return value
        if init is None or init.plan is None:
            raise ValueError(
                "needs a network that was cut: give init.run and init.plan, whose uncut network "
                "is the teacher, or leave distill out"
            )
        if init.new_head:
            raise ValueError(
                "needs the classes of the network that was cut, and init.new_head draws the last "
                "layer for other ones; leave one of the two out"
            )
        return value

    @property
    def trains(self) -> bool:
        """Whether any step is taken; if not, the weights that it starts from are looked at."""
        return self.epochs > 0

    @property
    def recorded(self) -> bool:
        """Whether it is trained in somebody's own process; most fields mean nothing then."""
        return self.method == RECORDED

    @property
    def fine_tunes(self) -> bool:
        """Whether it trains another run's network after a cut."""
        return self.init is not None and self.init.plan is not None

    def title(self) -> str:
        """The given name, or one made of what is trained."""
        return self.name.strip() or f"{self.method} · {self.architecture} · {self.dataset}"


Format = Literal["safetensors", "pt2", "onnx", "int8"]
FORMATS: tuple[Format, ...] = ("safetensors", "pt2", "onnx")
"""Written unless others are asked for: all that compute the very cut. INT8 only comes close."""


def with_needed(formats: Iterable[Format]) -> tuple[Format, ...]:
    """The formats without repetition, the weights first and ONNX where INT8 is made of it."""
    asked = dict.fromkeys(formats)
    needed: tuple[Format, ...] = ("safetensors", "onnx") if "int8" in asked else ("safetensors",)
    return tuple(dict.fromkeys((*needed, *asked)))


class PrunePayload(BaseModel):
    """What a prune job needs beside its run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan: Plan
    formats: tuple[Format, ...] = FORMATS


class EvaluatePayload(BaseModel):
    """What an evaluate job needs beside its run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan: Plan


class CurvePayload(BaseModel):
    """What a curve job needs beside its run: the ratios to measure on really cut networks.

    `epoch` None is the best epoch. `exact` measures every point on the whole split.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int | None = None
    scope: Scope = "global"
    criterion: str = IMPORTANCE
    bias: Bias = "drop"
    ratios: tuple[float, ...] = tuple(step / 100 for step in range(100))
    exact: bool = False


class ScorePayload(BaseModel):
    """What a score job needs beside its run: rank the neurons of one epoch by a criterion."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int
    criterion: str


class LatencyPayload(BaseModel):
    """What a latency job needs beside its run.

    Without `target_ms` the plan's cut is measured, at batch 1 and 64. With it the smallest
    ratio is looked for whose median at `batch` is at most that; the plan gives all but the
    ratio.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan: Plan
    target_ms: float | None = None
    batch: int = 1
