"""Options of `recede submit` that say what a training starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from recede.cli.submit.spec import finite, read
from recede.client import RecedeClient
from recede.contract.errors import InvalidInput
from recede.contract.spec.catalog import Catalog
from recede.contract.spec.recipes import recipe as recipe_named


@dataclass(frozen=True)
class Source:
    """The run to start from, the recipe of a fine-tuning, `init` and `distill` of the spec."""

    parent: str | None
    recipe: str | None
    init: dict[str, Any] | None
    distill: dict[str, Any] | None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the spec; empty where weights are drawn from the seed."""
        fields = {"init": self.init, "distill": self.distill}
        return {name: value for name, value in fields.items() if value is not None}


CLASSES_HELP = (
    "Names of the weights' outputs in their order: a file under a data root (one a line, or "
    "JSON), imagenet1k, or NAME,NAME,…; the head gets those of the data set's classes."
)


PRETRAINED_HELP = (
    "Start from weights that the network's library publishes under this tag, such as "
    "IMAGENET1K_V1; a wrong one lists all. The worker downloads them, if it has not got them."
)


def _option(help_: str, *names: str) -> Any:
    return typer.Option(*names, help=help_, rich_help_panel="Weights to start from")


def source(
    weights: Annotated[
        str | None,
        _option(
            "Start from this file: safetensors or a state_dict, under a data root.",
            "--weights",
            "--init-file",
        ),
    ] = None,
    pretrained: Annotated[str | None, _option(PRETRAINED_HELP, "--pretrained")] = None,
    parent: Annotated[
        str | None,
        _option(
            "Start from this run's best weights; other settings default to that run's.",
            "--from",
            "--init-run",
        ),
    ] = None,
    cut: Annotated[
        float | None,
        _option(
            "With --from: fine-tune its network cut by this share of the neurons.",
            "--cut",
            "--init-ratio",
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        _option(
            "With --cut: how it is fine-tuned, short (default: as the other run was trained) or "
            "published; single options change it.",
            "--recipe",
        ),
    ] = None,
    new_head: Annotated[
        bool, _option("Reinitialise the last layer, for other classes.", "--new-head")
    ] = False,
    classes: Annotated[str | None, _option(CLASSES_HELP, "--classes")] = None,
    distill: Annotated[
        bool,
        _option(
            "With --cut: learn from the network before the cut, beside the labels.", "--distill"
        ),
    ] = False,
    weight: Annotated[
        float | None,
        _option(
            "With --distill: share of the loss that is the teacher's (default 0.9).",
            "--distill-weight",
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        _option(
            "With --distill: divides the logits of both networks (default 4).",
            "--distill-temperature",
        ),
    ] = None,
) -> Source:
    """What the command line says of the weights to start from.

    Raises:
        InvalidInput: options that contradict each other.
    """
    _check_recipe(recipe, cut)
    init = _init(weights, pretrained, parent, finite("--cut", cut), new_head)
    init = with_classes(init, classes)
    return Source(parent, recipe, init, _distill(distill, weight, temperature, cut))


def _init(
    weights: str | None,
    pretrained: str | None,
    parent: str | None,
    cut: float | None,
    new_head: bool,
) -> dict[str, Any] | None:
    """`init` of the spec, or None where weights are drawn from the seed.

    Raises:
        InvalidInput: options that contradict each other.
    """
    sources = {"--weights": weights, "--pretrained": pretrained, "--from": parent}
    given = [option for option, value in sources.items() if value is not None]
    if len(given) > 1:
        raise InvalidInput(
            f"{' and '.join(given)} were given; a training starts from one of them.",
            field="init",
            hint="Leave all but one out.",
        )
    if cut is not None and parent is None:
        raise InvalidInput(
            f"--cut was {cut:g} without --from; it cuts the network of another run.",
            field="init.plan.ratio",
            hint="Name that run with --from.",
        )
    if not given:
        if new_head:
            raise InvalidInput(
                "--new-head was given without weights to start from; all layers are new.",
                field="init.new_head",
                hint="Leave it out.",
            )
        return None
    fields = {"file": weights, "pretrained": pretrained, "run": parent}
    source: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    plan = {} if cut is None else {"plan": {"ratio": cut}}
    return source | plan | ({"new_head": True} if new_head else {})


def with_classes(init: dict[str, Any] | None, classes: str | None) -> dict[str, Any] | None:
    """`init` with the names of the weights' outputs, if they were given.

    Raises:
        InvalidInput: there are no weights of a file whose outputs they could be.
    """
    if classes is None:
        return init
    if init is None or "run" in init:
        raise InvalidInput(
            "--classes was given without --weights; it names outputs of weights from elsewhere.",
            field="init.classes",
            hint="Leave it out, or name the file with --weights.",
        )
    return init | {"classes": read_classes(classes)}


def read_classes(text: str) -> Any:
    """Names separated by commas or as a JSON list, or the file or word that stands for them."""
    if text.lstrip().startswith("["):
        return read("--classes", text)
    names = [name.strip() for name in text.split(",") if name.strip()]
    return names if len(names) > 1 else text.strip()


def _distill(
    distill: bool, weight: float | None, temperature: float | None, cut: float | None
) -> dict[str, Any] | None:
    given = {
        "weight": finite("--distill-weight", weight),
        "temperature": finite("--distill-temperature", temperature),
    }
    given = {name: value for name, value in given.items() if value is not None}
    if not distill and not given:
        return None
    if cut is None:
        option = "--distill" if distill else f"--distill-{next(iter(given))}"
        raise InvalidInput(
            f"{option} was given without --cut; the network before the cut is the teacher.",
            field="distill",
            hint="Name the run and the share to cut: --from RUN --cut 0.5.",
        )
    return given


def base(client: RecedeClient, catalog: Catalog, source: Source, *, demo: bool) -> dict[str, Any]:
    """The spec that other options change: of the run to start from, of the demo, or nothing.

    With a recipe, what it sets is set. A run's strengths are left out, for they fit its own
    steps; so is what it started from.

    Raises:
        InvalidInput: both were asked for.
        UnknownName: no such recipe.
    """
    if source.parent is None:
        return catalog.demo.model_dump(mode="json") if demo else {}
    if demo:
        raise InvalidInput(
            "--demo and --from were both given; each chooses what is trained.",
            field="init.run",
            hint="Leave one of the two out.",
        )
    spec = client.run(source.parent).spec
    strengths = {p.name for p in catalog.method(spec.method).params if p.per_steps is not None}
    kept = {name: value for name, value in spec.method_params.items() if name not in strengths}
    whole = spec.model_dump(mode="json", exclude={"name", "init", "distill", "method_params"})
    by_recipe = recipe_named(source.recipe).fields(spec) if source.recipe is not None else {}
    return {**whole, "method_params": kept, **by_recipe}


def _check_recipe(recipe_name: str | None, cut: float | None) -> None:
    """Raises InvalidInput for a recipe without a cut: it fine-tunes one."""
    if recipe_name is not None and cut is None:
        raise InvalidInput(
            f"--recipe was {recipe_name!r} without --cut; it fine-tunes a cut network.",
            field="recipe",
            hint="Name the run and the share to cut: --from RUN --cut 0.5.",
        )
