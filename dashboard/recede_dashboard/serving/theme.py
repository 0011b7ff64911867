"""Mantine's theme from our tokens, and the page frame that sets the colour scheme early."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

# Ten steps of petrol; 6 is the light scheme's --rc-kept, 3 the dark scheme's.
PETROL = [
    "#e8f4f7",
    "#cfe6ec",
    "#9fcfdb",
    "#55b9ce",
    "#3a9db3",
    "#1f8299",
    "#0e6b82",
    "#0b586b",
    "#084454",
    "#05303c",
]
AMBER = [
    "#fdf3e7",
    "#f9e2c8",
    "#f5c994",
    "#f0a659",
    "#e58f3a",
    "#d67f28",
    "#c8701a",
    "#a65b13",
    "#83470d",
    "#5f3308",
]

# Mantine builds borders, inputs and menus from these: ours are warm in light, blue in dark.
GRAY = [
    "#fbfaf7",
    "#f1efe9",
    "#e9e6de",
    "#e3dfd6",
    "#d5d0c5",
    "#aba79d",
    "#7d8186",
    "#636b73",
    "#3a4147",
    "#1a1f24",
]
DARK = [
    "#e9e6e0",
    "#c9ccce",
    "#9aa3aa",
    "#6f7a82",
    "#2f383f",
    "#232b31",
    "#161b1f",
    "#0f1316",
    "#0c0f12",
    "#090b0d",
]

MANTINE: dict[str, Any] = {
    "primaryColor": "petrol",
    "primaryShade": {"light": 6, "dark": 3},
    "colors": {"petrol": PETROL, "amber": AMBER, "gray": GRAY, "dark": DARK},
    "autoContrast": True,
    "defaultRadius": 6,
    "fontFamily": "var(--rc-font)",
    "fontFamilyMonospace": "var(--rc-mono)",
    "fontSizes": {"xs": "12px", "sm": "13px", "md": "14px", "lg": "16px", "xl": "20px"},
    "headings": {"fontFamily": "var(--rc-font)", "fontWeight": "620"},
    "cursorType": "pointer",
    "respectReducedMotion": True,
    "components": {
        "Tooltip": {"defaultProps": {"openDelay": 250, "withinPortal": True}},
        "Modal": {"defaultProps": {"centered": True, "overlayProps": {"backgroundOpacity": 0.4}}},
    },
}

# Runs before the first paint, so that a dark page never flashes white; Mantine reads the same key.
EARLY_SCHEME = (
    "(function(){var s='auto';try{s=localStorage.getItem('mantine-color-scheme-value')||s}"
    "catch(e){}var d=s==='dark'||"
    "(s!=='light'&&matchMedia('(prefers-color-scheme: dark)').matches);"
    "document.documentElement.setAttribute('data-mantine-color-scheme',d?'dark':'light')})()"
)

_INDEX = (
    """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
<script>"""
    + EARLY_SCHEME
    + """</script>
MODULES
<link rel="icon" type="image/svg+xml" href="/assets/favicon.svg">
{%css%}
<link rel="stylesheet" href="STYLES">
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""
)


def index(modules: str, styles: str) -> str:
    """The page's frame with the links to our modules and the address of our styles."""
    return _INDEX.replace("MODULES", modules).replace("STYLES", styles)


def csp_hash(script: str) -> str:
    """The CSP source that allows an inline script."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
