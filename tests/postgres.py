"""A PostgreSQL server for the tests alone: its own folder, a free port on the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")  # has one folder a version, outside the PATH


def find_server() -> Path | None:
    """Folder with initdb and pg_ctl, or None; the server refuses to run as root."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).parent] if on_path else sorted(DEBIAN.glob("*/bin"))
    usable = os.getuid() != 0 or (_user_exists("postgres") and shutil.which("runuser"))
    return found[-1] if found and usable else None


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """Start a server in a folder of its own, give its URL, stop it and remove the folder."""
    # Not in pytest's folder: that is closed to the user who must run the server for root.
    with tempfile.TemporaryDirectory(prefix="recede-postgres-") as folder:
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        cluster, port = f"{folder}/cluster", _free_port()
        _run(programs, "initdb", "--auth=trust", "--username=recede", "-D", cluster)
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=''", "fsync=off")
        options = " ".join([f"-p {port}", *(f"-c {setting}" for setting in settings)])
        log = f"{folder}/log"
        _run(programs, "pg_ctl", "-w", "-D", cluster, "-o", options, "-l", log, "start")
        try:
            yield f"postgresql+psycopg://recede@127.0.0.1:{port}/postgres"
        finally:
            _run(programs, "pg_ctl", "-w", "-D", cluster, "-m", "immediate", "stop")


def _run(programs: Path, name: str, *arguments: str) -> None:
    prefix: Sequence[str] = ("runuser", "-u", "postgres", "--") if os.getuid() == 0 else ()
    done = subprocess.run(
        [*prefix, str(programs / name), *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}: {done.stdout}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _user_exists(name: str) -> bool:
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False
