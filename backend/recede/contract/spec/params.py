"""ParamSpec: one declared parameter of a plug-in; form fields, API checks and tests follow it."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from recede.contract.errors import InvalidInput, UnknownName

ParamValue = int | float | bool | str

MAX_TEXT = 4096
_LARGEST = 1e300  # JSON integers have no bound: above this they would not fit a float


class ParamSpec(BaseModel):
    """One parameter: its kind, default, inclusive bounds and the words that explain it."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Literal["int", "float", "bool", "choice", "text"]
    default: ParamValue
    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    bound_reason: str = ""
    """Why the bounds are what they are, shown when a value is refused."""
    choices: tuple[str, ...] = ()
    per_steps: float | None = None
    """If set, value × optimiser steps should be about this: the form recommends it."""
    recommended_max: float | None = None
    """Never recommend more than this, however few the steps: beyond it nothing else is learnt."""
    gated_max: float | None = None
    """The same for given weights behind gates, where it differs."""

    def recommended(self, steps: int, *, gated: bool = False) -> ParamValue:
        """Value to suggest for a run of `steps` optimiser steps, within the bounds."""
        if self.per_steps is None:
            return self.default
        value = self.per_steps / max(steps, 1)
        low = self.minimum if self.minimum is not None else -math.inf
        most = self.recommended_max if self.gated_max is None or not gated else self.gated_max
        limits = [limit for limit in (self.maximum, most) if limit is not None]
        high = min(limits, default=math.inf)
        return float(f"{min(max(value, low), high):.2g}")

    def fallback(self, steps: int | None, *, gated: bool = False) -> ParamValue:
        """What is taken where nothing is given."""
        return self.default if steps is None else self.recommended(steps, gated=gated)

    def check(self, value: Any, field: str) -> ParamValue:
        """The value in its declared type.

        Raises:
            InvalidInput: wrong type, not finite, out of bounds or not among the choices.
        """
        if self.kind == "choice":
            if value not in self.choices:
                raise UnknownName(self.label, str(value), self.choices, field=field)
            return str(value)
        if self.kind == "text":
            if not isinstance(value, str) or "\0" in value or len(value) > MAX_TEXT:
                raise self._refuse(value, f"text of at most {MAX_TEXT} characters", field)
            return value
        if self.kind == "bool":
            if not isinstance(value, bool):
                raise self._refuse(value, "true or false", field)
            return value
        return self._check_number(value, field)

    def _check_number(self, value: Any, field: str) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._refuse(value, "a number", field)
        if abs(value) > _LARGEST or math.isnan(value):
            raise self._refuse(value, "a finite number", field)
        if self.kind == "int" and value != int(value):
            raise self._refuse(value, "a whole number", field)
        too_low = self.minimum is not None and value < self.minimum
        too_high = self.maximum is not None and value > self.maximum
        if too_low or too_high:
            raise self._refuse(value, self.bounds_text(), field, self.bound_reason)
        return int(value) if self.kind == "int" else float(value)

    def bounds_text(self) -> str:
        """The allowed range in words, for example "between 0.05 and 4"."""
        if self.minimum is not None and self.maximum is not None:
            return f"between {self.minimum:g} and {self.maximum:g}"
        if self.minimum is not None:
            return f"at least {self.minimum:g}"
        return f"at most {self.maximum:g}" if self.maximum is not None else "any number"

    def _refuse(self, value: Any, wanted: str, field: str, reason: str = "") -> InvalidInput:
        because = f" ({reason})" if reason else ""
        return InvalidInput(
            f"{self.label} was {reprlib.repr(value)}; it must be {wanted}{because}.",
            field=field,
            hint=f"The default is {self.default}."
            if self.per_steps is None
            else "Leave it out to have it fit the number of steps.",
        )


def check_params(
    specs: Sequence[ParamSpec],
    given: Mapping[str, Any],
    field: str,
    *,
    steps: int | None = None,
    gated: bool = False,
) -> dict[str, ParamValue]:
    """All declared parameters, checked, with defaults filled in.

    With the number of optimiser `steps` known, a parameter that belongs to it and was not
    given gets the value that is recommended for so many; `gated` is whether gates bound.

    Raises:
        UnknownName: a given name is not declared.
        InvalidInput: a value is refused by its spec; `field` is then `field.name`.
    """
    known = {spec.name: spec for spec in specs}
    for name in given:
        if name not in known:
            raise UnknownName("parameter", name, known, field=f"{field}.{name}")
    return {
        name: spec.check(given.get(name, spec.fallback(steps, gated=gated)), f"{field}.{name}")
        for name, spec in known.items()
    }
