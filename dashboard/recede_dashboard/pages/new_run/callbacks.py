"""Callbacks of the form of a new run: build, fill in for fine-tuning, submit."""

from __future__ import annotations

import uuid
from typing import Any

from dash import MATCH, Dash, Input, Output, State, html, no_update
from dash.exceptions import PreventUpdate

from recede.client import (
    ApiError,
    AsyncRecedeClient,
    Catalog,
    RunOut,
    scaling_of,
)
from recede_dashboard.components.states import problem
from recede_dashboard.pages.new_run import reviewing
from recede_dashboard.pages.new_run.filling import DEFAULT, fine_tuning
from recede_dashboard.pages.new_run.form import (
    initial_advice,
    initial_values,
    run_form,
)
from recede_dashboard.pages.new_run.reviewing import (
    FIELD,
    Ids,
    errors,
    keyed,
    named,
)
from recede_dashboard.pages.new_run.sections.cut import (
    NEW,
    cut_section,
    title,
)
from recede_dashboard.pages.new_run.sections.fields import field_id
from recede_dashboard.pages.new_run.sections.sweep import SWEPT
from recede_dashboard.pages.new_run.values.spec import (
    Review,
    review,
    shown_at,
)
from recede_dashboard.queries.catalog import offered
from recede_dashboard.serving.clientside import in_browser
from recede_dashboard.words.specs import GROUPS

MOST_RUNS = 200
"""Runs that are offered to start from."""


def register(app: Dash, client: AsyncRecedeClient) -> None:
    """Add the form's callbacks to the app."""
    _register_build(app, client)
    _register_fill(app, client)
    reviewing.register(app, client)
    _register_submit(app, client)
    # At once, whatever the service is busy with.
    in_browser(
        app,
        "isOff",
        Output("run-form-sweep", "hidden"),
        Input("run-sweep", "checked"),
        prevent_initial_call=True,
    )
    in_browser(
        app,
        "keepTyped",
        Output("run-form-kept", "data"),
        Input(FIELD, "value"),
        State(FIELD, "id"),
        State("run-form-kept", "data"),
        prevent_initial_call=True,
    )
    for panel, kind in ({kind: kind for kind in GROUPS} | {SWEPT: "method"}).items():
        in_browser(
            app,
            "showPanel",
            Output(f"run-panel-{panel}", "children"),
            Input(field_id(kind), "value"),
            State(f"run-panels-{panel}", "data"),
            State("run-form-kept", "data"),
            prevent_initial_call=True,
        )
    in_browser(
        app,
        "takeAdvice",
        Output({"type": "run-field", "path": MATCH, "owner": MATCH}, "value"),
        Input({"type": "run-take", "path": MATCH, "owner": MATCH}, "n_clicks"),
        State({"type": "run-take", "path": MATCH, "owner": MATCH}, "value"),
        prevent_initial_call=True,
    )


Built = tuple[Any, str, dict[str, float], dict[str, dict[str, str]], str]
"""A form, its key, what it recommends, what is known of runs by id, its drawer's title."""


def failed(error: ApiError) -> Built:
    """Why there is no form."""
    return problem("No run can be started yet", error), "", {}, {}, NEW


async def fresh(client: AsyncRecedeClient) -> Built:
    """The form with values that work."""
    try:
        catalog = await offered(client)
        runs = await startable(client)
    except ApiError as error:
        return failed(error)
    values = initial_values(catalog)
    form = run_form(catalog, values, runs)
    return form, uuid.uuid4().hex, initial_advice(catalog, values), known(catalog, runs), NEW


async def startable(client: AsyncRecedeClient) -> list[RunOut]:
    """The newest runs, to start from."""
    return (await client.runs(limit=MOST_RUNS)).items


def known(catalog: Catalog, runs: list[RunOut]) -> dict[str, dict[str, str]]:
    """Name and kind of batch norm of runs by id; the kind is empty where none is trained here."""
    methods = {method.name: method for method in catalog.methods}
    found = {}
    for run in runs:
        method = methods.get(run.spec.method)
        scale = "" if method is None else scaling_of(method, run.spec)
        found[run.id] = {"name": run.name, "scale": scale}
    return found


def _built(*, duplicate: bool) -> list[Output]:
    return [
        Output("run-form-body", "children", allow_duplicate=duplicate),
        Output("run-form-key", "data", allow_duplicate=duplicate),
        Output("run-form-advice", "data", allow_duplicate=duplicate),
        Output("run-form-runs-known", "data", allow_duplicate=duplicate),
        Output("run-drawer", "title", allow_duplicate=duplicate),
    ]


def _register_build(app: Dash, client: AsyncRecedeClient) -> None:
    @app.callback(
        *_built(duplicate=False),
        Input("run-drawer", "opened"),
        State("run-form-key", "data"),
        prevent_initial_call=True,
    )
    async def build(opened: bool, key: str) -> Any:
        if not opened or key:
            raise PreventUpdate
        return await fresh(client)

    @app.callback(
        *_built(duplicate=True),
        Input("run-form-reset", "n_clicks"),
        prevent_initial_call=True,
    )
    async def reset(clicks: int | None) -> Any:
        if not clicks:
            raise PreventUpdate
        return await fresh(client)


def _register_fill(app: Dash, client: AsyncRecedeClient) -> None:
    @app.callback(
        *_built(duplicate=True),
        Output("run-drawer", "opened", allow_duplicate=True),
        Input("run-form-fill", "data"),
        prevent_initial_call=True,
    )
    async def fill(given: dict[str, Any] | None) -> Any:
        """A form for fine-tuning what was chosen in Explore: {"run": id, "plan": {…}}."""
        if not given:
            raise PreventUpdate
        try:
            catalog = await client.catalog()
            parent = await client.run(given["run"])
            runs = await startable(client)
        except ApiError as error:
            return *failed(error), True
        runs = [parent, *(run for run in runs if run.id != parent.id)]
        values = fine_tuning(
            catalog, parent, given["plan"], given.get("ratio"), given.get("recipe")
        )
        form = run_form(catalog, values, runs, await cut_section(client, values))
        about = known(catalog, runs)
        return form, uuid.uuid4().hex, {}, about, title(values, named(about)), True

    @app.callback(
        Output("run-form-fill", "data", allow_duplicate=True),
        Input("run-form-recipe", "value"),
        State("run-form-fill", "data"),
        prevent_initial_call=True,
    )
    async def choose(name: str, given: dict[str, Any] | None) -> Any:
        """Fill the form of the same cut by another recipe."""
        if not given or not name or name == (given.get("recipe") or DEFAULT):
            raise PreventUpdate
        return {**given, "recipe": name}


def _register_submit(app: Dash, client: AsyncRecedeClient) -> None:
    @app.callback(
        Output(FIELD, "error", allow_duplicate=True),
        Output("run-form-alert", "children", allow_duplicate=True),
        Output("run-form-key", "data", allow_duplicate=True),
        Output("run-drawer", "opened", allow_duplicate=True),
        Output("go", "data"),
        Input("submit-run", "n_clicks"),
        State(FIELD, "value"),
        State(FIELD, "id"),
        State("run-sweep", "checked"),
        State("run-form-key", "data"),
        running=[(Output("submit-run", "disabled"), True, False)],
        prevent_initial_call=True,
    )
    async def submit(
        clicks: int | None, values: list[Any], ids: Ids, swept: bool, key: str
    ) -> Any:
        if not clicks:
            raise PreventUpdate
        stay = (no_update, no_update, no_update)
        typed = keyed(ids, values, swept)
        try:
            seen = review(await client.catalog(), typed)
            if seen.spec is None:
                return errors(ids, seen, typed), _unshown(ids, seen), *stay
            address = await start(client, seen, key)
        except ApiError as error:
            refused = Review(errors={shown_at(error.field or ""): _words(error)})
            return errors(ids, refused, typed), _unshown(ids, refused), *stay
        return [None] * len(ids), None, "", False, address


async def start(client: AsyncRecedeClient, seen: Review, key: str) -> str:
    """Queue what was reviewed; the address of its page."""
    if seen.spec is None:
        raise ValueError("only a review without mistakes can be started")
    if seen.axes is None:
        return f"/runs/{(await client.create_run(seen.spec, idempotency_key=key)).run.id}"
    made = await client.create_group(
        seen.spec, seen.axes, name=seen.spec.name, idempotency_key=key
    )
    return f"/groups/{made.group.id}"


def _unshown(ids: Ids, seen: Review) -> Any:
    """What no field can show, as an alert in the form."""
    paths = {i["path"] for i in ids}
    rest = [text for path, text in seen.errors.items() if path not in paths]
    return html.Div(rest, className="alert alert-bad") if rest else None


def _words(error: ApiError) -> str:
    return " ".join(part for part in (error.message, error.hint) if part)
