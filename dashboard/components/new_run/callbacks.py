"""Callbacks of the form of a new run: build, review while typing, submit."""

from __future__ import annotations

import uuid
from typing import Any

from dash import ALL, MATCH, Dash, Input, Output, State, html, no_update
from dash.exceptions import PreventUpdate

from backend.client import ApiError, AsyncRecedeClient, Catalog, ParamSpec
from dashboard import snippets
from dashboard.browser import in_browser
from dashboard.components.new_run.form import initial_advice, initial_values, run_form
from dashboard.components.new_run.review import (
    GROUPS,
    Key,
    Review,
    advice_text,
    read_number,
    review,
    steps_text,
)
from dashboard.components.states import problem
from dashboard.format import number

FIELD = {"type": "run-field", "path": ALL, "owner": ALL}
NOTE = {"type": "run-note", "path": ALL, "owner": ALL}
PANEL = {"type": "run-panel", "kind": ALL, "owner": ALL}
Ids = list[dict[str, str]]


def register(app: Dash, client: AsyncRecedeClient) -> None:
    """Add the form's callbacks to the app."""
    _register_build(app, client)
    _register_review(app, client)
    _register_submit(app, client)
    in_browser(
        app,
        "takeAdvice",
        Output({"type": "run-field", "path": MATCH, "owner": MATCH}, "value"),
        Input({"type": "run-take", "path": MATCH, "owner": MATCH}, "n_clicks"),
        State({"type": "run-take", "path": MATCH, "owner": MATCH}, "value"),
        prevent_initial_call=True,
    )


def keyed(ids: Ids, values: list[Any]) -> dict[Key, Any]:
    """Values of the form by path and owner."""
    return {(i["path"], i["owner"]): v for i, v in zip(ids, values, strict=True)}


def _register_build(app: Dash, client: AsyncRecedeClient) -> None:
    @app.callback(
        Output("run-form-body", "children"),
        Output("run-form-key", "data"),
        Output("run-form-advice", "data"),
        Input("run-drawer", "opened"),
        State("run-form-key", "data"),
        prevent_initial_call=True,
    )
    async def build(opened: bool, key: str) -> Any:
        if not opened or key:
            raise PreventUpdate
        return await fresh()

    @app.callback(
        Output("run-form-body", "children", allow_duplicate=True),
        Output("run-form-key", "data", allow_duplicate=True),
        Output("run-form-advice", "data", allow_duplicate=True),
        Input("run-form-reset", "n_clicks"),
        prevent_initial_call=True,
    )
    async def reset(clicks: int | None) -> Any:
        if not clicks:
            raise PreventUpdate
        return await fresh()

    async def fresh() -> tuple[Any, str, dict[str, float]]:
        try:
            catalog = await client.catalog()
        except ApiError as error:
            return problem("Nothing can be started yet", error), "", {}
        values = initial_values(catalog)
        return run_form(catalog, values), uuid.uuid4().hex, initial_advice(catalog, values)


def _register_review(app: Dash, client: AsyncRecedeClient) -> None:
    @app.callback(
        Output(FIELD, "error"),
        Output(FIELD, "value"),
        Output(NOTE, "children"),
        Output(PANEL, "hidden"),
        Output("run-form-steps", "children"),
        Output("run-form-alert", "children"),
        Output("run-snippet-cli", "children"),
        Output("run-snippet-curl", "children"),
        Output("run-snippet-python", "children"),
        Output("run-form-advice", "data", allow_duplicate=True),
        Input(FIELD, "value"),
        State(FIELD, "id"),
        State(NOTE, "id"),
        State(PANEL, "id"),
        State("run-form-advice", "data"),
        State("location", "href"),
        prevent_initial_call="initial_duplicate",
    )
    async def show(
        values: list[Any], ids: Ids, notes: Ids, panels: Ids, before: dict[str, float], href: str
    ) -> Any:
        if not ids:
            raise PreventUpdate
        catalog = await client.catalog()
        typed = keyed(ids, values)
        follow = following(typed, review(catalog, typed).advice, before)
        typed |= follow
        seen = review(catalog, typed)
        texts = _snippets(seen, "/".join((href or "").split("/")[:3]))
        return (
            _errors(ids, seen, typed),
            [follow.get((i["path"], i["owner"]), no_update) for i in ids],
            [_note(catalog, i, typed, seen) for i in notes],
            [panel["owner"] != typed[panel["kind"], ""] for panel in panels],
            _steps(catalog, typed, seen),
            None,
            *texts,
            before | _advised(seen, typed),
        )


def _register_submit(app: Dash, client: AsyncRecedeClient) -> None:
    @app.callback(
        Output(FIELD, "error", allow_duplicate=True),
        Output("run-form-alert", "children", allow_duplicate=True),
        Output("run-form-key", "data", allow_duplicate=True),
        Output("run-drawer", "opened", allow_duplicate=True),
        Output("location", "pathname", allow_duplicate=True),
        Output("location", "search", allow_duplicate=True),
        Input("submit-run", "n_clicks"),
        State(FIELD, "value"),
        State(FIELD, "id"),
        State("run-form-key", "data"),
        running=[(Output("submit-run", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def submit(clicks: int | None, values: list[Any], ids: Ids, key: str) -> Any:
        if not clicks:
            raise PreventUpdate
        stay = (no_update, no_update, no_update, no_update)
        typed = keyed(ids, values)
        try:
            seen = review(await client.catalog(), typed)
            if seen.spec is None:
                return _errors(ids, seen, typed), _unshown(ids, seen), *stay
            run = (await client.create_run(seen.spec, idempotency_key=key)).run
        except ApiError as error:
            refused = Review(errors={error.field or "": _words(error)})
            return _errors(ids, refused, typed), _unshown(ids, refused), *stay
        return [None] * len(ids), None, "", False, f"/runs/{run.id}", ""


def following(
    typed: dict[Key, Any], advice: dict[str, float], before: dict[str, float]
) -> dict[Key, str]:
    """New values for fields that still hold the earlier recommendation: they follow it."""
    out: dict[Key, str] = {}
    for (path, owner), value in typed.items():
        old = before.get(f"{path}@{owner}")
        new = advice.get(path)
        if new is None or old in (None, new) or owner != _owner(typed, path):
            continue
        if read_number(value, whole=False) == old:
            out[path, owner] = number(new)
    return out


def _owner(typed: dict[Key, Any], path: str) -> str:
    kind = next(kind for kind, group in GROUPS.items() if path.startswith(f"{group}."))
    return str(typed[kind, ""])


def _advised(seen: Review, typed: dict[Key, Any]) -> dict[str, float]:
    return {f"{path}@{_owner(typed, path)}": value for path, value in seen.advice.items()}


def _errors(ids: Ids, seen: Review, typed: dict[Key, Any]) -> list[str | None]:
    """Words for each field; a plug-in that is not chosen has none."""
    chosen = {"", *(str(typed[kind, ""]) for kind in GROUPS)}
    return [seen.errors.get(i["path"]) if i["owner"] in chosen else None for i in ids]


def _unshown(ids: Ids, seen: Review) -> Any:
    """What no field can show, as an alert in the form."""
    paths = {i["path"] for i in ids}
    rest = [text for path, text in seen.errors.items() if path not in paths]
    return html.Div(rest, className="alert alert-bad") if rest else None


def _words(error: ApiError) -> str:
    return " ".join(part for part in (error.message, error.hint) if part)


def _steps(catalog: Catalog, typed: dict[Key, Any], seen: Review) -> str:
    if seen.steps is None:
        return ""
    epochs = int(read_number(typed["epochs", ""], whole=True) or 1)
    return steps_text(catalog, typed["dataset", ""], seen.steps, epochs)


def _snippets(seen: Review, origin: str) -> tuple[str, str, str]:
    if seen.spec is None:
        words = "Mend the fields marked above first."
        return words, words, words
    spec = seen.spec
    return snippets.command_line(spec), snippets.curl(spec, origin), snippets.python(spec, origin)


def _note(catalog: Catalog, note: dict[str, str], typed: dict[Key, Any], seen: Review) -> Any:
    """The recommendation under a field, with a button to take it where it differs."""
    path, owner = note["path"], note["owner"]
    if owner != _owner(typed, path) or path not in seen.advice or seen.steps is None:
        return None
    spec = _spec(catalog, path, owner)
    text = html.Span(advice_text(spec, seen.steps))
    value = read_number(typed[path, owner], whole=False)
    if value == seen.advice[path]:
        return [text, html.Span(" Taken.", className="advice-taken")]
    taken = number(seen.advice[path])
    button = html.Button(
        f"Use {taken}",
        id={"type": "run-take", "path": path, "owner": owner},
        value=taken,
        type="button",
        className="btn btn-small",
    )
    return [text, button]


def _spec(catalog: Catalog, path: str, owner: str) -> ParamSpec:
    group, name = path.split(".", 1)
    entries = {"dataset_params": catalog.datasets, "architecture_params": catalog.architectures}
    for entry in entries.get(group, catalog.methods):
        for spec in entry.params:
            if (entry.name, spec.name) == (owner, name):
                return spec
    raise KeyError(path)
