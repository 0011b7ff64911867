"""Which browser the tests drive."""

from __future__ import annotations

import shutil


def chromium() -> str | None:
    """Path of Debian's chromium; None if there is none.

    Its headless shell, where it is: the same without what only windows show, so with less work
    for each tab.
    """
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")
