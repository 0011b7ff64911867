"""Opening, versions of the schema, writers side by side, a database that is busy or foreign."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text, update

from recede.contract.errors import (
    InvalidInput,
    NotInstalled,
    SchemaMismatch,
    StorageProblem,
    Unavailable,
)
from recede.contract.states import Lane
from recede.store.database import clock
from recede.store.database.engine import (
    Store,
    open_store,
    sqlite_url,
    upgrade_store,
)
from recede.store.experiments import runs
from recede.store.queue import jobs
from recede.store.queue.lease import claim
from recede.store.tables.cuts import PlanRow
from recede.store.tables.runs import RunRow
from tests.backend.store.samples import add_run

THREADS, TIMES = 4, 100


def set_revision(store: Store, revision: str) -> None:
    with store.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})


def test_the_migrations_make_exactly_the_declared_tables(store: Store):
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, PlanRow.metadata) == []


def test_opening_again_changes_nothing(url: str, store: Store):
    run_id, _ = add_run(store)
    again = open_store(url)
    with again.read() as session:
        assert runs.get(session, run_id).id == run_id
    again.close()
    assert upgrade_store(url) == ("0006", "0006")


def test_a_newer_schema_is_refused_with_what_to_do(url: str, store: Store):
    set_revision(store, "9999")
    for open_ in (open_store, upgrade_store):
        with pytest.raises(SchemaMismatch, match="newer Recede wrote") as caught:
            open_(url)
        assert "--data" in str(caught.value.hint)


def test_a_foreign_database_is_refused_and_left_alone(url: str):
    store = open_store(url)
    with store.write() as session:
        session.execute(text("DROP TABLE alembic_version"))
    for open_ in (open_store, upgrade_store):
        with pytest.raises(SchemaMismatch, match="not Recede's"):
            open_(url)
    store.close()


def test_many_read_modify_writes_side_by_side_lose_nothing(store: Store):
    run_id, _ = add_run(store)

    def count() -> None:
        for _ in range(TIMES):
            with store.write() as session:
                session.get_one(RunRow, run_id).epochs_done += 1

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(count) for _ in range(THREADS)]:
            done.result()
    with store.read() as session:
        assert runs.get(session, run_id).epochs_done == THREADS * TIMES


def test_no_job_is_claimed_twice_by_workers_side_by_side(store: Store):
    made = {add_run(store)[1] for _ in range(20)}
    start = threading.Barrier(THREADS)

    def work(owner: str) -> list[int]:
        taken: list[int] = []
        start.wait()
        while True:
            with store.write() as session:
                held = claim(session, owner=owner, lanes=[Lane.TRAINING], device="cpu")
            if held is None:
                with store.read() as session:
                    if not jobs.queue_positions(session):
                        return taken
                continue
            taken.append(held.job_id)

    with ThreadPoolExecutor(THREADS) as pool:
        shares = [done.result() for done in [pool.submit(work, f"w{n}") for n in range(THREADS)]]
    everything = [job_id for share in shares for job_id in share]
    assert sorted(everything) == sorted(made)


def test_a_failed_transaction_leaves_nothing(store: Store):
    run_id, _ = add_run(store)

    def half() -> None:
        with store.write() as session:
            session.execute(update(RunRow).values(name="half"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with store.read() as session:
        assert runs.get(session, run_id).name != "half"


def test_the_clock_is_the_databases(store: Store):
    run_id, _ = add_run(store)
    with store.read() as session:
        first, second = clock.now(session), clock.now(session)
        assert runs.get(session, run_id).created_at <= first <= second


def test_sqlite_keeps_its_promises(tmp_path: Path):
    store = open_store(sqlite_url(tmp_path / "r.db"))
    with store.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        }
    store.close()
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 3000}


def test_a_reader_is_not_stopped_by_a_writer(tmp_path: Path):
    store = open_store(sqlite_url(tmp_path / "r.db"))
    run_id, _ = add_run(store)
    with store.write() as writing:
        runs.rename(writing, run_id, name="new", notes=None)
        with store.read() as reading:
            assert runs.get(reading, run_id).name != "new"
    store.close()


def test_a_database_that_stays_busy_is_unavailable_and_unchanged(url: str):
    first = open_store(url)
    second = open_store(url, busy_timeout_s=0.01)
    run_id, _ = add_run(first)
    with first.write() as held:
        runs.rename(held, run_id, name="first", notes=None)
        with pytest.raises(Unavailable, match="did not answer"), second.write() as session:
            runs.rename(session, run_id, name="second", notes=None)
    with second.read() as session:
        assert runs.get(session, run_id).name == "first"
    first.close()
    second.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    path = tmp_path / "r.db"
    path.write_text("this is a letter, not a database " * 100)
    with pytest.raises(StorageProblem, match=r"r\.db"):
        open_store(sqlite_url(path))
    assert path.read_text().startswith("this is a letter")


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(StorageProblem, match="nowhere"):
        open_store(sqlite_url(tmp_path / "nowhere" / "r.db"))


@pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", ""])
def test_a_url_of_another_kind_is_refused(url: str):
    with pytest.raises(InvalidInput) as caught:
        open_store(url)
    assert caught.value.field == "store_url"


def test_a_server_without_a_driver_for_it_is_refused_in_words(monkeypatch):
    monkeypatch.setattr("recede.store.database.engine.find_spec", lambda _: None)
    with pytest.raises(NotInstalled, match="psycopg is not installed") as caught:
        open_store("postgresql://someone:secret@127.0.0.1:1/none")
    assert "recede[postgres]" in (caught.value.hint or "")


def test_a_server_that_is_not_there_hides_the_password():
    pytest.importorskip("psycopg")
    with pytest.raises(StorageProblem) as caught:
        open_store("postgresql://someone:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
