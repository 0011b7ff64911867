"""The plain fields of a RunSpec, declared once for the form, the command line and snippets."""

from __future__ import annotations

from typing import Literal

from recede.contract.spec.params import ParamSpec, ParamValue
from recede.contract.spec.run import MAX_EPOCHS, RunSpec

Section = Literal["recipe", "machine", "kept"]
Kind = Literal["int", "float", "bool", "choice", "text"]


class RecipeField(ParamSpec):
    """One field of a RunSpec, declared as the parameters of plug-ins are."""

    section: Section

    @property
    def option(self) -> str:
        """Its option of `recede submit`."""
        return f"--{self.name.replace('_', '-')}"


def _field(
    name: str,
    kind: Kind,
    section: Section,
    label: str,
    help_: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> RecipeField:
    default: ParamValue = RunSpec.model_fields[name].default
    return RecipeField(
        name=name,
        kind=kind,
        section=section,
        label=label,
        help=help_,
        default=default,
        minimum=minimum,
        maximum=maximum,
        choices=choices,
    )


RECIPE_FIELDS: tuple[RecipeField, ...] = (
    _field(
        *("epochs", "int", "recipe", "Epochs"),
        "Passes over the training images; 0 looks at given weights as they are.",
        minimum=0,
        maximum=MAX_EPOCHS,
    ),
    _field(
        *("batch_size", "int", "recipe", "Batch size", "Images per optimiser step."),
        minimum=2,
        maximum=65_536,
    ),
    _field(
        *("lr", "float", "recipe", "Learning rate"),
        "Initial rate; the schedule lowers it.",
        maximum=10,
    ),
    _field(
        *("schedule", "choice", "recipe", "Schedule"),
        "step divides the learning rate by 10 at 50 % and 75 % of the epochs; "
        "cosine lowers it evenly to 0.",
        choices=("step", "cosine"),
    ),
    _field(
        *("warmup_epochs", "int", "recipe", "Warm-up epochs"),
        "The learning rate rises over these first; 0 starts at once.",
        minimum=0,
        maximum=MAX_EPOCHS,
    ),
    _field(
        *("label_smoothing", "float", "recipe", "Label smoothing"),
        "Share of the target spread over all classes; 0 is none.",
        minimum=0,
    ),
    _field(
        *("scale", "choice", "recipe", "Scale"),
        "For given weights: gate puts a factor on each channel and changes nothing at first; "
        "bounded replaces γ by σ(w) and drops β; plain leaves both. auto chooses.",
        choices=("auto", "gate", "bounded", "plain"),
    ),
    _field(
        *("prunable", "choice", "recipe", "Prunable"),
        "inner: channels that go alone, as in the paper; all: also those that shortcuts join, "
        "which shrink together.",
        choices=("inner", "all"),
    ),
    _field(
        *("seed", "int", "recipe", "Seed"),
        "The same seed gives the same run on the same device.",
        minimum=0,
        maximum=2**31 - 1,
    ),
    _field(
        *("val_fraction", "float", "recipe", "Validation share"),
        "Share of the training images held out to choose the cut.",
    ),
    _field(
        *("device", "text", "machine", "Device"),
        "auto, cpu or cuda:0, …; auto takes the best one that is free.",
    ),
    _field(
        *("precision", "choice", "machine", "Precision"),
        "auto takes bfloat16 where it is faster.",
        choices=("auto", "fp32", "bf16"),
    ),
    _field(
        *("compile", "bool", "machine", "Compile"),
        "torch.compile: takes minutes at first, then epochs are faster.",
    ),
    _field(
        *("processes", "int", "machine", "Processes"),
        "Processes that share each batch, one for each GPU.",
        minimum=1,
        maximum=64,
    ),
    _field(
        *("map_budget", "float", "kept", "Time budget for accuracy maps"),
        "Share of the training time spent on measuring cuts at each epoch; 0 is none.",
        minimum=0,
        maximum=1,
    ),
    _field(
        *("keep_weights_mb", "int", "kept", "Disk for earlier weights"),
        "MB for the weights of earlier epochs, so that they can be cut too.",
        minimum=0,
        maximum=10_000_000,
    ),
)
