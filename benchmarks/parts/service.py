"""A Recede service for a benchmark: started as a person would, or one that runs already."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recede.client import ApiError, RecedeClient

START = """
import os, signal, threading

def end_with_the_benchmark():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end_with_the_benchmark, daemon=True).start()

from recede.cli import main
main()
"""
"""Standard input ends with the benchmark, however that ends: no service of it stays behind."""
PATIENCE_S = 120.0
LAST_LINES = 4
"""Of the log of a service that ends: as many as an error with its hint takes."""


@contextmanager
def service(data: Path, url: str | None = None) -> Iterator[RecedeClient]:
    """A client of the service at `url`, or of a new one over the folder `data`.

    Raises:
        RuntimeError: the service did not start.
    """
    if url is not None:
        with RecedeClient(url) as client:
            yield client
        return
    data.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    options = ["up", "--data", str(data), "--port", str(port), "--no-open"]
    with (data / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", START, *options],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, "NO_COLOR": "1"},
        )
    try:
        with RecedeClient(f"http://127.0.0.1:{port}") as client:
            _wait(client, process, data / "up.log")
            yield client
    finally:
        process.terminate()
        process.wait(60)


def _wait(client: RecedeClient, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = "\n".join(log.read_text().splitlines()[-LAST_LINES:])
            raise RuntimeError(f"the service ended with {process.returncode}; {log} ends:\n{said}")
        try:
            client.catalog()
        except ApiError:
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"the service did not start within {PATIENCE_S:.0f} s; see {log}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
