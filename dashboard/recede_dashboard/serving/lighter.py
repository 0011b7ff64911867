"""What the browser is spared: of Dash's scripts a page loads only those that it shows.

Two of them are large. Plotly's full bundle (1.5 MB compressed) is replaced by its basic one
(0.4 MB), which has all that our charts use. The table's script (0.4 MB) comes when a table is
shown, see assets/app/shell/table.js.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType

import dash_ag_grid
from dash import dash_table
from fastapi import FastAPI, Request, Response

PLOTLY = Path(__file__).parents[1] / "vendor" / "plotly-basic.min.js"
PLOTLY_PATH = "/_dash-component-suites/plotly/package_data/plotly.min.js"
"""Where Dash's charts ask for Plotly."""


def leave_out_what_is_not_shown() -> None:
    """Let Dash load the scripts of tables only when they are asked for."""
    for module in (dash_ag_grid, dash_table):
        _load_later(module)


def _load_later(module: ModuleType) -> None:
    for entry in module._js_dist:
        if "dynamic" not in entry:
            entry["async"] = "lazy"


def serve_basic_plotly(app: FastAPI) -> None:
    """Answer for Plotly with the basic bundle; call it before Dash declares its own routes."""
    script = PLOTLY.read_bytes()
    tag = f'"{hashlib.sha256(script).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}  # it is asked each time whether it is new

    @app.get(PLOTLY_PATH, include_in_schema=False)
    def plotly(request: Request) -> Response:
        if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
            return Response(status_code=304, headers=headers)
        return Response(script, media_type="text/javascript", headers=headers)
