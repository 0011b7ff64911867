"""Creates the schema through Alembic, or says what to do when its version is another one."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from recede.contract.errors import SchemaMismatch

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_CREATE_LOCK = 7_245_061  # any number, the same in every process: one creates, others wait


def ensure_schema(connection: Connection) -> None:
    """Create the tables in an empty database; leave a current one as it is.

    Raises:
        SchemaMismatch: the tables are of an older or newer version, or not ours.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATE_LOCK})
    found = MigrationContext.configure(connection).get_current_revision()
    config = _config(connection)
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    if found == head:
        return
    if found is None and not inspect(connection).get_table_names():
        command.upgrade(config, "head")
        return
    raise _mismatch(found, str(head), {script.revision for script in scripts.walk_revisions()})


def upgrade_schema(connection: Connection) -> tuple[str | None, str]:
    """Bring an older schema to this version; returns the versions before and after.

    Raises:
        SchemaMismatch: the tables are of a newer version, or not ours.
    """
    before = MigrationContext.configure(connection).get_current_revision()
    config = _config(connection)
    scripts = ScriptDirectory.from_config(config)
    head = str(scripts.get_current_head())
    known = {script.revision for script in scripts.walk_revisions()}
    foreign = before is None and bool(inspect(connection).get_table_names())
    if foreign or (before is not None and before not in known):
        raise _mismatch(before, head, known)
    command.upgrade(config, "head")
    return before, head


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _mismatch(found: str | None, head: str, known: set[str]) -> SchemaMismatch:
    if found is None:
        return SchemaMismatch(
            "This database holds tables that are not Recede's.",
            hint="Point Recede at a database or folder of its own.",
        )
    if found in known:
        return SchemaMismatch(
            f"The store has schema {found}; this Recede needs {head}.",
            hint="Copy the data folder, then run `recede upgrade`.",
        )
    return SchemaMismatch(
        f"The store has schema {found}, which a newer Recede wrote; this one knows up to {head}.",
        hint="Install the newer Recede again, or choose another data folder with --data.",
    )
