"""The queue on SQLite, against a bare table written with the same durability.

    python -m benchmarks.job_queue

Claim: leases, fencing and events add a few milliseconds a job to what the disk takes for its
commits. Three transactions a job in both: enqueue, claim, finish; WAL, synchronous=FULL. The
ratio says little by itself: a disk that is slow to commit makes both slow and the ratio small.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.parts.report import interleaved, machine, ratio, spread
from recede.contract.spec.run import RunSpec
from recede.contract.states import (
    JobKind,
    Lane,
    State,
)
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
)
from recede.store.experiments import runs
from recede.store.queue import jobs, lease
from recede.store.tables.runs import JobRow

JOBS = 20
"""Jobs of one timed block."""
N_BLOCKS = 30
SPEC = RunSpec(dataset="digits", architecture="vgg11", method="rni")


def through_the_queue(store: Store, run_id: str) -> None:
    """JOBS jobs, each enqueued, claimed and finished in a transaction of its own."""
    for _ in range(JOBS):
        with store.write() as session:
            jobs.enqueue(session, run_id, JobKind.EVALUATE, {"plan": {"ratio": 0.5}})
    for _ in range(JOBS):
        with store.write() as session:
            held = lease.claim(session, owner="benchmark", lanes=[Lane.INTERACTIVE], device="cpu")
        if held is None:
            raise SystemExit("A job that was enqueued could not be claimed.")
        with store.write() as session:
            lease.finish(session, held, State.SUCCEEDED, result={"evaluation_id": 1})


def bare(connection: sqlite3.Connection) -> None:
    """The same three transactions a job, on one table and nothing else."""
    for _ in range(JOBS):
        with immediate(connection):
            connection.execute("INSERT INTO job (state, payload) VALUES ('queued', '{}')")
    for _ in range(JOBS):
        with immediate(connection):
            (job_id,) = connection.execute(
                "UPDATE job SET state = 'running' WHERE id = "
                "(SELECT id FROM job WHERE state = 'queued' ORDER BY id LIMIT 1) RETURNING id"
            ).fetchone()
        with immediate(connection):
            connection.execute("UPDATE job SET state = 'succeeded' WHERE id = ?", (job_id,))


@contextmanager
def immediate(connection: sqlite3.Connection) -> Iterator[None]:
    """One writing transaction, as the store begins it."""
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("COMMIT")


def bare_table(path: Path) -> sqlite3.Connection:
    """A jobs table with the index that the claim needs."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE job (id INTEGER PRIMARY KEY, state TEXT, payload TEXT)")
    connection.execute("CREATE INDEX queued ON job (state, id)")
    return connection


def measure(folder: Path) -> None:
    """Time both in turns and print one line each."""
    store = open_store(sqlite_url(folder / "recede.db"))
    with store.write() as session:
        run, _ = runs.create(session, SPEC)
        run_id = run.id
    connection = bare_table(folder / "bare.db")
    started = time.perf_counter()
    ours, base = interleaved(
        N_BLOCKS, lambda: through_the_queue(store, run_id), lambda: bare(connection)
    )
    elapsed = time.perf_counter() - started
    with store.read() as session:
        done = session.scalar(select(func.count()).where(JobRow.state == State.SUCCEEDED.value))
    expected = (N_BLOCKS + 1) * JOBS
    if done != expected:
        raise SystemExit(f"{done} of {expected} jobs ended as succeeded: nothing was measured.")
    each = [[block / JOBS for block in blocks] for blocks in (ours, base)]
    print("| what | ms a job: median (middle half) | jobs/s |")
    print("|---|---|---|")
    for name, seconds in zip(("Recede's queue", "bare table"), each, strict=True):
        print(f"| {name} | {spread(seconds)} | {1 / sorted(seconds)[len(seconds) // 2]:.0f} |")
    added = [of_queue - of_table for of_queue, of_table in zip(*each, strict=True)]
    print(f"| added by Recede, block by block | {spread(added)} | |")
    print(f"Ratio {ratio(ours, base):.1f}×; both together took {elapsed:.1f} s.")
    connection.close()
    store.close()


def main() -> None:
    """Measure in a folder that is removed afterwards."""
    print(
        f"Enqueue, claim and finish on SQLite, n = {N_BLOCKS} blocks of {JOBS} jobs; {machine()}"
    )
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))


if __name__ == "__main__":
    main()
