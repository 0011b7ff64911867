"""The callback that reads the form while it is typed in: errors, advice, what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from recede.client import DEFAULT_URL, AsyncRecedeClient, Catalog
from recede_dashboard.pages.new_run.checking import (
    checked,
    disk_alert,
    forecast,
)
from recede_dashboard.pages.new_run.sections import notes
from recede_dashboard.pages.new_run.sections.cut import cut_section, title
from recede_dashboard.pages.new_run.sections.fields import field_id
from recede_dashboard.pages.new_run.sections.plugins import options
from recede_dashboard.pages.new_run.sections.recipe import FOLDED, recipe_words
from recede_dashboard.pages.new_run.sections.starting import HEAD, starting_words
from recede_dashboard.pages.new_run.values.following import (
    advised,
    chips_following,
    following,
)
from recede_dashboard.pages.new_run.values.spec import SWEEP, Key, Review, review
from recede_dashboard.pages.new_run.values.start import SEED
from recede_dashboard.serving.clientside import in_browser
from recede_dashboard.words.specs import GROUPS, params_of

FIELD = {"type": "run-field", "path": ALL, "owner": ALL}
NOTE = {"type": "run-note", "path": ALL, "owner": ALL}
PANEL = {"type": "run-panel", "owner": ALL}
FIT = {"type": "run-fit", "owner": ALL}
Ids = list[dict[str, str]]
LATER = ("init.file", "init.pretrained", "init.run")
"""Fields that are empty when they appear."""

WORDS = (
    "run-form-steps",
    "run-form-recipe-words",
    "run-form-start-words",
    "run-form-plan",
    "run-form-runs",
    "submit-run-words",
    "run-snippet-cli",
    "run-snippet-curl",
    "run-snippet-python",
)


def keyed(ids: Ids, values: list[Any], swept: bool) -> dict[Key, Any]:
    """Values of the form by path and owner."""
    typed = {(i["path"], i["owner"]): v for i, v in zip(ids, values, strict=True)}
    return typed | {SWEEP: bool(swept)}


def named(about: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Names of runs by id."""
    return {run_id: one["name"] for run_id, one in about.items()}


def errors(
    ids: Ids, seen: Review, typed: Mapping[Key, Any], *, typing: bool = False
) -> list[str | None]:
    """Words for each field; a plug-in that is not chosen has none.

    While `typing`, a source that is still empty is no error.
    """
    chosen = {"", *(str(typed[kind, ""]) for kind in GROUPS)}
    waits = {path for path in LATER if typing and not typed.get((path, ""))}
    return [
        seen.errors.get(i["path"]) if i["owner"] in chosen and i["path"] not in waits else None
        for i in ids
    ]


def register(app: Dash, client: AsyncRecedeClient) -> None:
    """Add the callback to the app."""

    @app.callback(
        Output(FIELD, "error"),
        Output(FIELD, "value"),
        Output(NOTE, "children"),
        Output(PANEL, "hidden"),
        Output(FIT, "children"),
        Output(FIT, "data-fit"),
        Output(field_id("architecture"), "data"),
        *[Output(name, "children") for name in WORDS],
        Output("run-form-alert", "children"),
        Output("run-form-forecast", "children"),
        Output("run-form-cut", "children"),
        Output("run-drawer", "title", allow_duplicate=True),
        Output("run-form-advice", "data", allow_duplicate=True),
        Output("run-form-reviewed", "data"),
        Input(FIELD, "value"),
        Input("run-sweep", "checked"),
        Input("run-form-again", "data"),
        State(FIELD, "id"),
        State(NOTE, "id"),
        State(PANEL, "id"),
        State(FIT, "id"),
        State("run-form-advice", "data"),
        State("run-form-runs-known", "data"),
        State("location", "href"),
        State("run-drawer", "title"),
        State("run-form-cut", "children"),
        prevent_initial_call="initial_duplicate",
    )
    async def show(values: list[Any], swept: bool, _again: int, ids: Ids, *rest: Any) -> Any:
        if not ids:
            raise PreventUpdate
        at, panels, fits, before, about, href, called, cut = rest
        runs, scales = named(about), {run_id: one["scale"] for run_id, one in about.items()}
        catalog = await client.catalog()
        typed = keyed(ids, values, swept)
        if not is_whole(catalog, typed):
            raise PreventUpdate
        advice = review(catalog, typed, scales).advice
        follow = following(typed, advice, before) | chips_following(typed, advice, before)
        typed |= follow
        seen = review(catalog, typed, scales)
        answer = await checked(client, seen)
        fitting = notes.fit_notes(catalog, [fit["owner"] for fit in fits], seen)
        return (
            errors(ids, seen, typed, typing=True),
            [follow.get((i["path"], i["owner"]), no_update) for i in ids],
            [notes.note(catalog, one, typed, seen) for one in at],
            [_hidden(panel, typed) for panel in panels],
            [text for text, _ in fitting],
            [fit for _, fit in fitting],
            _networks(catalog, seen),
            *_words(seen, typed, runs),
            *await _snippets(client, seen, "/".join((href or "").split("/")[:3])),
            disk_alert(answer, seen),
            forecast(answer, seen),
            _unless_same(await cut_section(client, typed), cut),
            _unless_same(title(typed, runs), called),
            before | advised(seen, typed),
            [[typed[i["path"], i["owner"]] for i in ids], swept],
        )

    # Answers may arrive in another order than they were asked for, and Dash then shows an older
    # one: what was reviewed is compared with what the form holds, and reviewed again.
    in_browser(
        app,
        "reviewAgain",
        Output("run-form-again", "data"),
        Input("run-form-reviewed", "data"),
        State(FIELD, "value"),
        State("run-sweep", "checked"),
        State("run-form-again", "data"),
        prevent_initial_call=True,
    )


def is_whole(catalog: Catalog, typed: Mapping[Key, Any]) -> bool:
    """Whether the fields of all that is chosen are there: they follow the choice."""
    return all(
        (f"{group}.{spec.name}", owner) in typed
        for kind, group in GROUPS.items()
        if (owner := str(typed[kind, ""]))
        for spec in params_of(catalog, kind, owner)
    )


def _hidden(panel: Mapping[str, str], typed: Mapping[Key, Any]) -> bool:
    """Whether a panel of starting weights is of a source that is not chosen."""
    source = typed.get(("init.kind", ""))
    return bool(source == SEED if panel["owner"] == HEAD else source != panel["owner"])


def _unless_same(new: Any, shown: Any) -> Any:
    """What is shown already is not drawn anew: the drawer would be, with the whole form."""
    return no_update if new == shown else new


def _networks(catalog: Catalog, seen: Review) -> Any:
    """The list of networks, ordered anew where another data set was chosen."""
    changed = getattr(ctx, "triggered_id", None)
    path = changed.get("path", "") if isinstance(changed, dict) else ""
    if not path.startswith("dataset") and changed != "run-form-again":
        return no_update
    return options(catalog.architectures, seen.dataset)


def _words(seen: Review, typed: Mapping[Key, Any], runs: Mapping[str, str]) -> tuple[str, ...]:
    """Texts for WORDS but the snippets, in their order."""
    return (
        notes.steps(typed, seen),
        _or_wrong(recipe_words(typed), seen, FOLDED),
        _or_wrong(starting_words(typed, runs), seen, ("init.",)),
        notes.plan(typed),
        notes.runs(seen, typed),
        notes.button(seen, typed),
    )


def _or_wrong(words: str, seen: Review, paths: tuple[str, ...]) -> str:
    """What a folded section holds, or how much of it has to be fixed."""
    wrong = sum(path.startswith(paths) for path in seen.errors)
    return f"{wrong} to fix: {words}" if wrong else words


async def _snippets(client: AsyncRecedeClient, seen: Review, origin: str) -> tuple[str, str, str]:
    if seen.spec is None:
        words = "Fix the fields marked above first."
        return words, words, words
    texts = await client.run_snippets(seen.spec, axes=seen.axes, origin=origin or DEFAULT_URL)
    return texts.command, texts.curl, texts.python
