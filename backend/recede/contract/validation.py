"""Words for a request that does not fit: which field, what was given, what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Sequence
from typing import Any, get_args

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from recede.contract.errors import InvalidInput

_PLACES = ("body", "query", "path", "header", "cookie")
_MEMBERS = ("Normalize", "Automatic", "ClassFile", "ClassList")
"""Of fields that take one of two forms: pydantic names the form within the path of a mistake."""
_SHOWN_CHARACTERS = 60
_EXPONENT_FROM = 1e15  # from here on whole numbers are written like 1e+30
_AS_JSON = "Send one JSON object with Content-Type: application/json."

_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "dict": "an object in braces",
    "model": "an object in braces",
    "model_attributes": "an object in braces",
    "list": "a list in brackets",
    "tuple": "a list in brackets",
    "finite_number": "a finite number",
    "none_required": "null",
}

_LIMITS: dict[str, Callable[[dict[str, Any]], str]] = {
    "greater_than_equal": lambda ctx: f"at least {_plain(ctx['ge'])}",
    "greater_than": lambda ctx: f"above {_plain(ctx['gt'])}",
    "less_than_equal": lambda ctx: f"at most {_plain(ctx['le'])}",
    "less_than": lambda ctx: f"below {_plain(ctx['lt'])}",
    "string_too_short": lambda ctx: f"at least {_counted(ctx['min_length'], 'character')} long",
    "string_too_long": lambda ctx: f"at most {_counted(ctx['max_length'], 'character')} long",
    "too_short": lambda ctx: f"a list of at least {_counted(ctx['min_length'], 'entry')}",
    "too_long": lambda ctx: f"a list of at most {_counted(ctx['max_length'], 'entry')}",
    "string_pattern_mismatch": lambda ctx: f"of the form {ctx['pattern']}",
    "literal_error": lambda ctx: f"one of {ctx['expected']}",
    "enum": lambda ctx: f"one of {ctx['expected']}",
}


def in_words(
    errors: Sequence[Any], body: type[BaseModel] | None, *, subject: str = "The body"
) -> InvalidInput:
    """The first of pydantic's errors in words; `body` is the model that was wanted."""
    first = errors[0]
    location = list(first["loc"])
    place = location.pop(0) if location and location[0] in _PLACES else "body"
    path = [str(part) for part in location if part not in _MEMBERS]
    field = ".".join(path) or None
    kind, ctx = _kind(first), first.get("ctx", {})
    if kind == "json_invalid":
        return InvalidInput(
            f"The body is not valid JSON: {ctx.get('error', 'it cannot be read')}.",
            hint=_AS_JSON,
        )
    if kind == "string_unicode":
        return InvalidInput(
            f"{field or subject} was {_shown(first.get('input'))}; it is not valid text.",
            field=field,
            hint="It holds half a character (a lone surrogate); remove it.",
        )
    if isinstance(first.get("input"), bytes):
        return InvalidInput("The body was not declared to be JSON.", hint=_AS_JSON)
    if kind == "missing":
        return _missing(field, place, body)
    if place != "body":
        body = None
    if kind == "extra_forbidden":
        return _unknown(path, _model_at(body, path[:-1]))
    info = _field_at(body, path)
    if kind == "value_error":
        return InvalidInput(f"{field or subject}: {ctx['error']}.", field=field)
    wanted = _wanted(kind, ctx, info) or str(first["msg"])
    return InvalidInput(
        f"{field or subject} was {_shown(first.get('input'))}; it must be {wanted}.",
        field=field,
        hint=_AS_JSON if field is None else _default(info) or _closest(first.get("input"), ctx),
    )


def _kind(error: Any) -> str:
    """The type of an error; pydantic calls text behind a validator too long as it does lists."""
    kind = str(error["type"])
    of_text = kind in ("too_short", "too_long") and isinstance(error.get("input"), str)
    return f"string_{kind}" if of_text else kind


def _missing(field: str | None, place: Any, body: type[BaseModel] | None) -> InvalidInput:
    if field is None:
        names = ", ".join(body.model_fields) if body else "none"
        return InvalidInput(
            "The request has no JSON body.", hint=f"Send a JSON object; its fields: {names}."
        )
    return InvalidInput(
        f"{field} is missing; it has no default.",
        field=field,
        hint=f"Give it in the {place} of the request.",
    )


def _unknown(path: Sequence[str], model: type[BaseModel] | None) -> InvalidInput:
    known = sorted(model.model_fields) if model else []
    close = difflib.get_close_matches(path[-1], known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else "Remove it."
    name = _shown(path[-1])
    return InvalidInput(
        f"Unknown field {name}; known: {', '.join(known) or 'none'}.",
        field=".".join(path),
        hint=hint,
    )


def _model_at(model: type[BaseModel] | None, path: Sequence[str]) -> type[BaseModel] | None:
    """The model behind nested fields of a body."""
    for name in path:
        info = model.model_fields.get(name) if model else None
        kinds = (info.annotation, *get_args(info.annotation)) if info else ()
        models = (kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
        model = next(models, None)
    return model


def _field_at(model: type[BaseModel] | None, path: Sequence[str]) -> FieldInfo | None:
    """The declaration of a field, or of the values of a mapping."""
    parent = _model_at(model, path[:-1])
    if parent is not None and path:
        return parent.model_fields.get(path[-1])
    mapping = _field_at(model, path[:-1]) if len(path) > 1 else None
    arguments = get_args(mapping.annotation) if mapping else ()
    return FieldInfo.from_annotation(arguments[1]) if len(arguments) == 2 else None


def _wanted(kind: str, ctx: dict[str, Any], info: FieldInfo | None) -> str | None:
    if kind == "string_pattern_mismatch" and info is not None and info.description:
        return info.description
    base = kind.removesuffix("_type").removesuffix("_parsing").removesuffix("_from_float")
    if kind in _LIMITS:
        bounds = _bounds(info) if kind.startswith(("greater", "less")) else None
        return bounds or _LIMITS[kind](ctx)
    noun = _TYPES.get(base)
    bounds = _bounds(info) if noun in ("a number", "a whole number", "a finite number") else None
    return f"{noun} {bounds}" if noun and bounds else noun


def _bounds(info: FieldInfo | None) -> str | None:
    """Both bounds of a field in words, where they are declared on the field itself."""
    words = []
    for rule in info.metadata if info else ():
        if isinstance(rule, annotated_types.Ge):
            words.append(f"at least {_plain(rule.ge)}")
        elif isinstance(rule, annotated_types.Gt):
            words.append(f"above {_plain(rule.gt)}")
        elif isinstance(rule, annotated_types.Le):
            words.append(f"at most {_plain(rule.le)}")
        elif isinstance(rule, annotated_types.Lt):
            words.append(f"below {_plain(rule.lt)}")
    return " and ".join(words) or None


def _default(info: FieldInfo | None) -> str | None:
    if info is None or info.is_required() or info.default in (None, "", (), [], {}):
        return None
    return f"The default is {info.default!r}."


def _closest(given: Any, ctx: dict[str, Any]) -> str | None:
    choices = [part.strip("' ") for part in str(ctx.get("expected", "")).split("'")]
    close = difflib.get_close_matches(str(given), [c for c in choices if c], n=1)
    return f"Did you mean {close[0]!r}?" if close else None


def _counted(number: int, noun: str) -> str:
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else many}"


def _plain(number: Any) -> str:
    whole = isinstance(number, float) and number.is_integer() and abs(number) < _EXPONENT_FROM
    return str(int(number)) if whole else str(number)


def _shown(value: Any) -> str:
    named = value is None or isinstance(value, bool)  # as JSON writes them: null, true, false
    text = json.dumps(value) if named else repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
