"""What can be trained, asked for in the first seconds of a service, too."""

from __future__ import annotations

import time

from recede.cli.terminal.console import err
from recede.client import ApiError, RecedeClient
from recede.contract.errors import Unavailable
from recede.contract.spec.catalog import Catalog

PATIENCE_S = 120.0
EVERY_S = 0.5


def offered(client: RecedeClient) -> Catalog:
    """The catalog; while the first worker of a service starts, it is waited for.

    Raises:
        ApiError: the service does not answer, or no worker is starting there.
    """
    until = time.monotonic() + PATIENCE_S
    said = False
    while True:
        try:
            return client.catalog()
        except ApiError as error:
            is_early = error.code == Unavailable.code and client.health().worker_starting
            if not is_early or time.monotonic() > until:
                raise
        if not said:
            err.print("The worker is starting…", style="dim")
            said = True
        time.sleep(EVERY_S)
