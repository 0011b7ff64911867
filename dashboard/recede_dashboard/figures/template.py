"""Chart templates for the light and the dark scheme, from the tokens of assets/theme.css."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FONT = '"Inter Variable", "Inter", system-ui, sans-serif'


@dataclass(frozen=True)
class Tokens:
    """Colours of one scheme, as in assets/theme.css."""

    surface: str
    raised: str
    ink: str
    muted: str
    line: str
    kept: str
    cut: str


LIGHT = Tokens(
    surface="rgb(255, 255, 255)",
    raised="rgb(251, 250, 247)",
    ink="rgb(26, 31, 36)",
    muted="rgb(99, 107, 115)",
    line="rgb(227, 223, 214)",
    kept="rgb(14, 107, 130)",
    cut="rgb(200, 112, 26)",
)
DARK = Tokens(
    surface="rgb(22, 27, 31)",
    raised="rgb(28, 35, 40)",
    ink="rgb(233, 230, 224)",
    muted="rgb(154, 163, 170)",
    line="rgb(42, 50, 56)",
    kept="rgb(85, 185, 206)",
    cut="rgb(240, 166, 89)",
)

# Steps of what has an order, such as strengths: never the amber of what is removed.
LIGHT_RAMP = (
    "rgb(84, 160, 150)",
    "rgb(45, 134, 146)",
    "rgb(14, 107, 130)",
    "rgb(42, 88, 138)",
    "rgb(68, 70, 136)",
    "rgb(94, 52, 122)",
    "rgb(110, 36, 96)",
)
DARK_RAMP = (
    "rgb(186, 226, 216)",
    "rgb(124, 206, 210)",
    "rgb(85, 185, 206)",
    "rgb(112, 170, 226)",
    "rgb(140, 154, 232)",
    "rgb(174, 142, 222)",
    "rgb(206, 134, 204)",
)

# Nothing is uploaded from a chart, and no maker's badge is shown.
CONFIG: Any = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "responsive": True,
    "displayModeBar": "hover",
    # Pictures are saved by the chart's own menu, which says what they show.
    "modeBarButtonsToRemove": [
        "select2d",
        "lasso2d",
        "autoScale2d",
        "zoomIn2d",
        "zoomOut2d",
        "toImage",
    ],
}


def templates() -> dict[str, dict[str, Any]]:
    """Both templates by the name of their scheme."""
    return {"light": template(LIGHT, LIGHT_RAMP), "dark": template(DARK, DARK_RAMP)}


def template(tokens: Tokens, ramp: tuple[str, ...]) -> dict[str, Any]:
    """A template as plain data; the first colour is what is kept, the second what goes."""
    axis = {
        "gridcolor": tokens.line,
        "linecolor": tokens.line,
        "zerolinecolor": tokens.line,
        "tickcolor": tokens.line,
        "tickfont": {"color": tokens.muted, "size": 11},
        "title": {"font": {"color": tokens.muted, "size": 12}},
        "zeroline": False,
        "automargin": True,
    }
    return {
        "layout": {
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"family": FONT, "size": 12, "color": tokens.ink},
            "colorway": [tokens.kept, tokens.cut, tokens.muted, tokens.ink],
            "colorscale": {"sequential": _scale(ramp)},
            "xaxis": {**axis, "showgrid": False, "showline": True, "ticks": "outside"},
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": tokens.raised,
                "bordercolor": tokens.line,
                "font": {"family": FONT, "size": 12, "color": tokens.ink},
            },
            "legend": {"font": {"color": tokens.muted, "size": 12}},
            "modebar": {
                "bgcolor": "rgba(0,0,0,0)",
                "color": tokens.muted,
                "activecolor": tokens.kept,
            },
        }
    }


def _scale(ramp: tuple[str, ...]) -> list[list[Any]]:
    return [[i / (len(ramp) - 1), colour] for i, colour in enumerate(ramp)]
