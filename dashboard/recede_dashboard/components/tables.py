"""Plain tables and lists of facts, with aligned numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component


def table(
    head: Sequence[str], rows: Iterable[Sequence[Any]], numeric: Collection[int] = ()
) -> Component:
    """A table; columns in `numeric` are aligned to the right."""

    def cls(column: int) -> str:
        return "num" if column in numeric else ""

    return html.Table(
        [
            html.Thead(html.Tr([html.Th(text, className=cls(i)) for i, text in enumerate(head)])),
            html.Tbody(
                [
                    html.Tr([html.Td(cell, className=cls(i)) for i, cell in enumerate(row)])
                    for row in rows
                ]
            ),
        ],
        className="table",
    )


def facts(pairs: Iterable[tuple[str, Any]]) -> Component:
    """Names and values in two columns; a name that begins with a space is part of the last."""

    def fact(name: str, value: Any) -> Component:
        part = " fact-part" if name.startswith(" ") else ""
        return html.Div([html.Dt(name.strip()), html.Dd(value)], className=f"fact{part}")

    return html.Dl([fact(*pair) for pair in pairs], className="facts")
