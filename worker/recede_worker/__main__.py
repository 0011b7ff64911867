"""`python -m recede_worker`: the worker, its catalog, or the check of a folder or a download.

The environment is read here and nowhere else in the worker.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from filelock import FileLock, Timeout

from recede.contract.errors import Conflict, RecedeError
from recede.store.database.engine import WORKER_BUSY_TIMEOUT_S, open_store
from recede_worker.engine.job.settings import KEEP_S, WorkerSettings, files_of
from recede_worker.engine.supervisor.loop import Supervisor
from recede_worker.process.limits import Limits

SPIN_COUNT = "10000"
"""How long an OpenMP thread spins before it sleeps (libgomp's default is about 300,000).

With the default, one other busy process on a two-core machine slows training 5 to 30 times;
10,000 costs nothing measurable on an idle machine (benchmarks/contention.py).
"""

FOR_TORCH = {
    "GOMP_SPINCOUNT": SPIN_COUNT,
    # Processes of one training are on this machine, whose name may not resolve.
    **({"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}),
}
"""Defaults of variables that the processes of jobs read when they load torch."""

EXIT_TAKEN = 3
"""Exit code when another worker serves the folder, so that `recede up` can wait and retry."""


def main() -> int:
    """Run the worker; returns the exit code."""
    for name, value in FOR_TORCH.items():
        os.environ.setdefault(name, value)
    arguments = _parser().parse_args()
    roots = tuple(Path(root) for root in arguments.data_root)
    networks = os.pathsep.join(arguments.networks) or os.environ.get("RECEDE_NETWORKS", "")
    own_networks = tuple(files_of(networks))
    # What follows imports torch, which the worker's own process leaves to its jobs'.
    if arguments.probe:
        from recede_worker.plugins.catalog import build_catalog  # noqa: PLC0415

        sys.stdout.write(build_catalog(roots, own_networks).model_dump_json(indent=2) + "\n")
        return 0
    if arguments.inspect:
        from recede_worker.programs.inspect_images import inspect  # noqa: PLC0415

        return inspect(Path(arguments.inspect), roots, arguments.image_size, arguments.channels)
    if arguments.verify:
        from recede_worker.programs.verify_files import prove  # noqa: PLC0415

        return prove(Path(arguments.verify), trust=arguments.trust)
    if arguments.bench:
        from recede_worker.programs.bench_files import Asked, bench  # noqa: PLC0415

        asked = Asked(
            batches=arguments.batch or (1, 64),
            threads=arguments.bench_threads,
            providers=arguments.provider,
            name=arguments.name,
            trust=arguments.trust,
        )
        return bench(Path(arguments.bench), asked)
    try:
        settings = WorkerSettings(
            store_url=arguments.store,
            artifacts=Path(arguments.artifacts).resolve(),
            roots=roots,
            threads=arguments.threads,
            keep_s=arguments.keep,
            networks=own_networks,
            trace_limits=Limits.read(os.environ),
        )
        _serve(settings, end_with_stdin=arguments.end_with_stdin)
    except RecedeError as error:
        hint = f" {error.hint}" if error.hint else ""
        sys.stderr.write(f"worker: {error.message}{hint}\n")
        return EXIT_TAKEN if isinstance(error, Conflict) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m recede_worker", description=__doc__)
    url = os.environ.get("RECEDE_STORE_URL", "")
    parser.add_argument("--store", default=url, help="URL of the store (or RECEDE_STORE_URL)")
    parser.add_argument("--artifacts", default="", help="folder for weights and logs")
    parser.add_argument(
        "--data-root", action="append", default=[], help="folder with data sets (repeatable)"
    )
    parser.add_argument(
        "--networks",
        action="append",
        default=[],
        help="file with your own networks (repeatable)",
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--keep",
        type=float,
        default=KEEP_S,
        help="seconds to keep an idle process for interactive jobs; 0: a new one for each job",
    )
    parser.add_argument(
        "--end-with-stdin", action="store_true", help="stop when standard input is closed"
    )
    parser.add_argument("--inspect", default="", help="check this folder of images and exit")
    parser.add_argument("--image-size", type=int, default=64, help="for --inspect")
    parser.add_argument("--channels", type=int, default=3, help="for --inspect: 3 or 1")
    parser.add_argument("--verify", default="", help="verify the files of a checkpoint and exit")
    parser.add_argument("--bench", default="", help="time the files of a checkpoint and exit")
    parser.add_argument("--batch", type=int, action="append", default=[], help="for --bench")
    parser.add_argument("--provider", action="append", default=[], help="for --bench: cpu, cuda")
    parser.add_argument("--bench-threads", type=int, help="for --bench: CPU threads")
    parser.add_argument("--name", default="", help="for --bench: what this device is called")
    parser.add_argument(
        "--trust", action="store_true", help="for --verify and --bench: run its model.py"
    )
    parser.add_argument("--probe", action="store_true", help="print the catalog as JSON and exit")
    return parser


def _serve(settings: WorkerSettings, *, end_with_stdin: bool) -> None:
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    if end_with_stdin:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    # One supervisor for each folder and host: several hosts may share one folder.
    lock = FileLock(settings.artifacts / f".worker-{socket.gethostname()}.lock")
    try:
        with lock.acquire(timeout=0):
            store = open_store(settings.store_url, busy_timeout_s=WORKER_BUSY_TIMEOUT_S)
            Supervisor(settings, store, stop).run()
            store.close()
    except Timeout:
        raise Conflict(
            f"Another worker already serves {settings.artifacts}.",
            hint="Stop it first, or choose another data folder with --data.",
        ) from None


def _stop_at_end_of_input(stop: threading.Event) -> None:
    """The process that started this one holds the other end; stop when it is gone."""
    while os.read(0, 4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
