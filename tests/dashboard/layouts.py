"""What a layout says: its text and its components, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dash import dcc
from dash.development.base_component import Component

NARROW = "\u202f"
"""The no-break space between a number and its unit."""


def walk(node: Any) -> Iterator[Component]:
    """The component and everything in it, with what a Store holds for the browser to show."""
    if isinstance(node, list | tuple):
        for child in node:
            yield from walk(child)
    elif isinstance(node, Component):
        yield node
        yield from walk(getattr(node, "children", None))
        if isinstance(node, dcc.Store) and isinstance(data := getattr(node, "data", None), dict):
            yield from walk(list(data.values()))


def text(node: Any) -> str:
    """All words of a layout in order, apart by spaces; narrow ones become ordinary ones."""
    if node is None:
        return ""
    if isinstance(node, list | tuple):
        return " ".join(filter(None, (text(child) for child in node)))
    if isinstance(node, Component):
        return text(getattr(node, "children", None))
    return str(node).replace(NARROW, " ")


def props(node: Any, **wanted: Any) -> Component:
    """The one component with these properties; hyphens are written as underscores."""
    named = {name.replace("_", "-"): value for name, value in wanted.items()}
    found = [
        component
        for component in {id(one): one for one in walk(node)}.values()
        if all(component.to_plotly_json()["props"].get(k) == v for k, v in named.items())
    ]
    assert len(found) == 1, f"{len(found)} components with {named}"
    return found[0]
