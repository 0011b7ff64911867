"""Settings: arguments over environment over defaults, checked once and then frozen."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from recede.contract.addresses import check_url
from recede.contract.errors import InvalidInput, StorageProblem
from recede.store.database.engine import sqlite_url

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8400

VARIABLES = {
    "RECEDE_DATA": "folder for the store, files and data sets",
    "RECEDE_STORE_URL": "SQLAlchemy URL of the store; default: recede.db in the data folder",
    "RECEDE_HOST": "address to listen on",
    "RECEDE_PORT": "port to listen on",
    "RECEDE_ALLOWED_HOSTS": "names, separated by commas, by which browsers may reach the service",
    "RECEDE_DATA_ROOTS": "further folders with data sets, separated like PATH",
    "RECEDE_NETWORKS": "Python files with networks of your own, separated like PATH",
    "RECEDE_THREADS": "torch threads of a job; default: one per core",
    "RECEDE_KEEP_S": "seconds that a process for quick answers stays without work; 0: never",
    "RECEDE_TRACE_GB": "GiB for tracing an unknown network; 0: without a process of its own",
    "RECEDE_TRACE_S": "seconds for tracing an unknown network",
    "RECEDE_WEBHOOK": "webhook to notify when a run finishes, fails or stalls; unset: none",
    "RECEDE_URL": "where the commands find a running service",
}


@dataclass(frozen=True)
class Settings:
    """Where everything is kept and where the service listens."""

    data: Path
    store_url: str
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    allowed_hosts: tuple[str, ...] = ()
    data_roots: tuple[Path, ...] = ()
    networks: tuple[Path, ...] = ()
    """Files of networks; the worker says which of them cannot be used, and goes on."""
    threads: int | None = None
    keep_s: int | None = None
    webhook: str | None = None

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        data: Path | None = None,
        host: str | None = None,
        port: int | None = None,
    ) -> Self:
        """Settings from arguments, else the environment, else defaults.

        Raises:
            InvalidInput: a value that cannot be used; `field` is the name of the variable, or
                of the option where the value came from there.
        """
        folder = _absolute(data or Path(environ.get("RECEDE_DATA") or _default_data(environ)))
        return cls(
            data=folder,
            store_url=environ.get("RECEDE_STORE_URL") or sqlite_url(folder / "recede.db"),
            host=host or environ.get("RECEDE_HOST") or DEFAULT_HOST,
            port=_port(port, environ.get("RECEDE_PORT") or ""),
            allowed_hosts=_words(environ.get("RECEDE_ALLOWED_HOSTS", "")),
            data_roots=_folders(environ.get("RECEDE_DATA_ROOTS", "")),
            networks=_paths(environ.get("RECEDE_NETWORKS", "")),
            threads=_threads(environ.get("RECEDE_THREADS", "")),
            keep_s=_keep_s(environ.get("RECEDE_KEEP_S", "")),
            webhook=_webhook(environ.get("RECEDE_WEBHOOK", "")),
        )

    @property
    def url(self) -> str:
        """The address of the page, as a browser on this machine opens it."""
        return url_of(self.host, self.port)

    @property
    def artifacts(self) -> Path:
        """Folder of checkpoints and logs."""
        return self.data / "artifacts"

    @property
    def datasets(self) -> Path:
        """Folder into which data sets are downloaded; the first that is searched."""
        return self.data / "datasets"

    def prepare(self) -> None:
        """Create the data folder and its parts; raises StorageProblem if they cannot be used."""
        for folder in (self.data, self.artifacts, self.datasets):
            _make_writable(folder)


def url_of(host: str, port: int) -> str:
    """The address to open in a browser on this machine."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{f'[{shown}]' if ':' in shown and '[' not in shown else shown}:{port}"


def _default_data(environ: Mapping[str, str]) -> Path:
    home = environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path("~/.local/share")) / "recede"


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _port(option: int | None, variable: str) -> int:
    """The option reads the variable too: a value that equals it is reported as the variable's."""
    given = option if option is not None else variable or DEFAULT_PORT
    number = _whole(given)
    if number is not None and 1 <= number <= 65_535:
        return number
    wanted = "a whole number from 1 to 65535"
    if str(given) == variable:
        raise _bad("RECEDE_PORT", given, wanted, "8400 is the default.")
    raise InvalidInput(
        f"--port was {given}; it must be {wanted}.", field="port", hint="8400 is the default."
    )


def _threads(given: str) -> int | None:
    if not given:
        return None
    number = _whole(given)
    if number is None or not 1 <= number <= 1024:
        hint = "Leave it unset to use every core."
        raise _bad("RECEDE_THREADS", given, "a whole number from 1 to 1024", hint)
    return number


def _keep_s(given: str) -> int | None:
    if not given:
        return None
    number = _whole(given)
    if number is None or not 0 <= number <= 86_400:
        hint = "0 starts a fresh process for each job; leave it unset for 15 minutes."
        raise _bad("RECEDE_KEEP_S", given, "a whole number of seconds from 0 to 86400", hint)
    return number


def _webhook(given: str) -> str | None:
    return check_url(given, "RECEDE_WEBHOOK") if given.strip() else None


def _folders(given: str) -> tuple[Path, ...]:
    folders = _paths(given)
    for folder in folders:
        if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
            raise _bad(
                "RECEDE_DATA_ROOTS",
                str(folder),
                "a folder that exists and can be read",
                f"Create it, fix its permissions, or remove it from the list "
                f"(separated by {os.pathsep!r}).",
            )
    return folders


def _paths(given: str) -> tuple[Path, ...]:
    return tuple(_absolute(Path(part)) for part in given.split(os.pathsep) if part)


def _words(given: str) -> tuple[str, ...]:
    return tuple(word.strip().lower() for word in given.split(",") if word.strip())


def _whole(given: str | int) -> int | None:
    try:
        return int(given)
    except ValueError:
        return None


def _bad(key: str, given: object, wanted: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{key} was {given!r}; it must be {wanted}.", field=key, hint=hint)


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StorageProblem(
            f"The data folder {folder} cannot be used: {error.strerror or error}.",
            field="data",
            hint="Choose a folder that you may write with --data or RECEDE_DATA, "
            "or free some disk space.",
        ) from error
