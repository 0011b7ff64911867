"""Callbacks that run in the browser: functions of assets/app, named in one place."""

from __future__ import annotations

from collections.abc import Sequence

from dash import ClientsideFunction, Dash, Input, Output, State

NAMESPACE = "shell"


def in_browser(
    app: Dash,
    function: str,
    output: Output | None,
    *inputs: Input | State,
    prevent_initial_call: bool = False,
) -> None:
    """Call `dash_clientside.shell.<function>` when an input changes.

    Without an output it is not called when its page appears: give such a function a Store.
    """
    outputs: Sequence[Output] = [] if output is None else [output]
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction(NAMESPACE, function),
        *outputs,
        *inputs,
        prevent_initial_call=prevent_initial_call,
    )
