"""The `recede` command, and the only place where API, dashboard and worker are put together."""

from recede.cli.root import app

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of the installed command."""
    app()
