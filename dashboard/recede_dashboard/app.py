"""Mounts the dashboard on the API's FastAPI app, at "/"."""

from __future__ import annotations

import logging
from pathlib import Path

from dash import Dash, Input, Output, set_props
from fastapi import FastAPI

from recede.client import AsyncRecedeClient
from recede_dashboard import routing
from recede_dashboard.figures.template import templates
from recede_dashboard.pages.group import callbacks as group
from recede_dashboard.pages.new_run import callbacks as new_run
from recede_dashboard.pages.run import callbacks as run
from recede_dashboard.serving import lighter, modules, styles, theme
from recede_dashboard.serving.clientside import in_browser
from recede_dashboard.shell import shell

log = logging.getLogger("recede.dashboard")
ASSETS = Path(__file__).parent / "assets"
_IGNORED_BY_DASH = r".*\.(js|css)$"  # what it should not add to a page by itself


def mount(app: FastAPI, client: AsyncRecedeClient, *, version: str) -> list[str]:
    """Put all pages on the app; returns the CSP sources of the inline scripts.

    Call it after the API's own routes are declared: Dash answers every other GET.
    """
    lighter.leave_out_what_is_not_shown()
    lighter.serve_basic_plotly(app)
    served = modules.serve_modules(app, ASSETS / "app")
    style = styles.serve_styles(app, ASSETS / "css")
    dash_app = Dash(
        "recede",
        server=app,  # type: ignore[arg-type]  # Dash's hint does not know FastAPI yet
        assets_folder=str(ASSETS),
        assets_ignore=_IGNORED_BY_DASH,
        index_string=theme.index(served.head(), style.url),
        title="Recede",
        update_title="",
        suppress_callback_exceptions=True,
        serve_locally=True,
        compress=False,
        add_log_handler=False,
        on_error=_tell,
    )
    dash_app.renderer = served.renderer
    # Live news comes over server-sent events; without this every page opens a WebSocket too.
    dash_app.backend.websocket_capability = False
    dash_app.layout = shell(version, templates())
    routing.register(dash_app, client)
    new_run.register(dash_app, client)
    run.register(dash_app, client)
    group.register(dash_app, client)
    _register_scripts(dash_app)
    # Dash registers its assets with the first request to "/": a deep link may come before that.
    dash_app._setup_server()  # type: ignore[no-untyped-call]
    inline = [theme.EARLY_SCHEME, modules.PRELOAD]
    return [*dash_app.csp_hashes(), *map(theme.csp_hash, inline)]


def _register_scripts(app: Dash) -> None:
    in_browser(app, "boot", Output("scheme", "data"), Input("mantine", "id"))
    in_browser(app, "goTo", None, Input("go", "data"))
    in_browser(app, "navigated", None, Input("location", "pathname"))
    in_browser(
        app, "attachNotices", Output("notices-attached", "data"), Input("webhook-url", "id")
    )
    in_browser(app, "switchNotices", None, Input("notices-switch", "checked"))
    in_browser(app, "confirmClosed", None, Input("confirm", "opened"))
    in_browser(app, "attachRuns", Output("runs-attached", "data"), Input("runs-table", "id"))
    in_browser(
        app,
        "fetchRuns",
        Output("runs-table", "getRowsResponse"),
        Input("runs-table", "getRowsRequest"),
    )
    in_browser(
        app,
        "filterRuns",
        Output("runs-filtered", "data"),
        Input("runs-filter", "value"),
        Input("runs-search", "value"),
    )


def _tell(error: Exception) -> None:
    """An error that no callback foresaw: into the log, and in words onto the page."""
    log.exception("a callback of the dashboard failed", exc_info=error)
    notice = {
        "action": "show",
        "title": "Something went wrong here",
        "message": "Recede's log has the details. Reload the page if it looks wrong.",
        "className": "notice notice-bad",
        "autoClose": 12_000,
    }
    set_props("notices", {"sendNotifications": [notice]})
