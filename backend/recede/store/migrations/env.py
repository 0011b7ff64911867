"""Runs the migrations on the connection that the store hands in."""

from __future__ import annotations

from alembic import context

from recede.store.tables.benches import BenchRow
from recede.store.tables.cuts import PlanRow
from recede.store.tables.notices import WebhookRow
from recede.store.tables.reaches import ReachRow

# Importing one of each module declares every table.
assert PlanRow.metadata is WebhookRow.metadata is BenchRow.metadata is ReachRow.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=PlanRow.metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
