"""Options of `recede submit` that are generated: kinds of plug-ins, the recipe, parameters."""

from __future__ import annotations

import inspect
import math
from collections.abc import Container, Mapping, Sequence
from typing import Annotated, Any, Literal, cast

import typer

from recede.cli.submit.spec import KINDS, finite, read
from recede.contract.errors import InvalidInput
from recede.contract.network.pixels import read_pixels
from recede.contract.spec.recipe_fields import RECIPE_FIELDS, RecipeField, Section

Words = list[str] | None

WHAT, PARAMETERS, GRID = "What is trained", "Parameters", "Several runs"
PANELS: Mapping[Section, str] = {
    "recipe": "Recipe",
    "machine": "Machine",
    "kept": "What is kept",
}
PIXELS_HELP = (
    "How pixels are normalised: images (mean and deviation of the training images), imagenet1k "
    "or MEAN,…/STD,… of pixel / 255; auto takes what the weights were trained with, if known."
)
_NOUNS = {"dataset": "data set", "architecture": "network", "method": "method"}
_TYPES: Mapping[str, Any] = {"int": int, "float": float, "text": str}


def option(help_: str, panel: str, *names: str, **more: Any) -> Any:
    """An option with its help, in a panel of the help page."""
    return typer.Option(*names, help=help_, rich_help_panel=panel, **more)


def chosen(**given: Any) -> dict[str, Any]:
    """The fields of a spec that were given, their numbers finite."""
    return {
        field: finite(f"--{field.replace('_', '-')}", value)
        for field, value in given.items()
        if value is not None and value is not False
    }


def pixels() -> list[inspect.Parameter]:
    """The option that says how pixels are normalised."""
    shown = option(PIXELS_HELP, WHAT, "--normalize", metavar="HOW")
    return [_parameter("normalize", str | None, shown)]


def normalized(*, normalize: str | None) -> dict[str, Any]:
    """The field of the spec, if it was given; raises InvalidInput."""
    if normalize is None:
        return {}
    found = read_pixels(normalize)
    return {"normalize": found if isinstance(found, str) else found.model_dump(mode="json")}


def kinds() -> list[inspect.Parameter]:
    """One option for each kind of plug-in; a wrong name lists those that there are."""
    return [
        _parameter(
            kind,
            str | None,
            option(f"Name of the {noun}; a wrong one lists all.", WHAT, f"--{kind}"),
        )
        for kind, noun in _NOUNS.items()
    ]


def recipe(*sections: Section, only: Container[str] | None = None) -> list[inspect.Parameter]:
    """One option for each plain field of a spec in these sections, or only those named."""
    return [
        _recipe_option(field)
        for field in RECIPE_FIELDS
        if field.section in sections and (only is None or field.name in only)
    ]


def _recipe_option(field: RecipeField) -> inspect.Parameter:
    panel = PANELS[field.section]
    if field.kind == "bool":
        return _parameter(field.name, bool, option(field.help, panel, field.option), False)
    kind = cast("Any", Literal)[field.choices] if field.choices else _TYPES[field.kind]
    return _parameter(field.name, kind | None, option(field.help, panel, field.option))


def parameters() -> list[inspect.Parameter]:
    """The options that set parameters of plug-ins, of any kind or of one."""
    anything = option(
        "Any parameter of a plug-in, or of one kind of them: method.KEY=VALUE.",
        PARAMETERS,
        "--param",
        metavar="KEY=VALUE",
    )
    own = [
        _parameter(
            f"{kind}_param",
            Words,
            option(
                f"A parameter of the {_NOUNS[kind]}.",
                PARAMETERS,
                f"--{kind}-param",
                metavar="KEY=VALUE",
            ),
        )
        for kind in KINDS
    ]
    return [_parameter("param", Words, anything), *own]


def _parameter(name: str, kind: Any, shown: Any, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, shown],
    )


def named(words: Sequence[str], command: str = "submit") -> list[tuple[str, Any]]:
    """Parameters that were given to `command` as options of their own: --KEY VALUE or --KEY=VALUE.

    Raises:
        InvalidInput: a word that is no option, an option without a value, or a value that is a
            number but not finite.
    """
    found = []
    rest = iter(words)
    for word in rest:
        key, separator, text = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not key:
            raise InvalidInput(
                f"{word!r} was not expected; it belongs to no option.",
                hint=f"recede {command} --help lists the options.",
            )
        value = text if separator else next(rest, None)
        if value is None:
            raise InvalidInput(
                f"--{key} was given without a value.",
                field=key,
                hint=f"Write --{key} VALUE; recede {command} --help lists the other options.",
            )
        found.append((key.replace("-", "_"), _number_or_text(f"--{key}", value)))
    return found


def _number_or_text(name: str, text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return read(name, text)
    return read(name, text) if math.isfinite(number) else finite(name, number)
