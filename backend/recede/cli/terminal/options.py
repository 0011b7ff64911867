"""Options that are declared apart from the commands that take them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

Command = Callable[..., None]


def taking(
    name: str, parameters: Sequence[inspect.Parameter], gather: Callable[..., Any]
) -> Callable[[Command], Command]:
    """A decorator: the command has these options in place of its parameter `name`.

    `gather` makes the value of that parameter of what was given.
    """

    def replace(command: Command) -> Command:
        own = list(inspect.signature(command, eval_str=True).parameters.values())
        place = next(i for i, one in enumerate(own) if one.name == name)
        merged = [*own[:place], *parameters, *own[place + 1 :]]

        def run(**given: Any) -> None:
            chosen = gather(**{one.name: given.pop(one.name) for one in parameters})
            command(**given, **{name: chosen})

        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__signature__ = inspect.Signature(_keywords(merged))  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in merged}
        return run

    return replace


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The options that a function declares by its signature."""
    return list(inspect.signature(function, eval_str=True).parameters.values())


def _keywords(parameters: Sequence[inspect.Parameter]) -> list[inspect.Parameter]:
    """The same by name alone, so that one without a default may follow one that has it."""
    return [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
