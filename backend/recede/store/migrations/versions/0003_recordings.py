"""recordings of trainings elsewhere, with metrics of their own"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COUNTS: dict[str, sa.types.TypeEngine[Any]] = {
    "val_loss": sa.Double(),
    "val_correct": sa.Integer(),
    "n_val": sa.Integer(),
}


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("metric", sa.JSON(), nullable=True),
        sa.Column("heard_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_recordings_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("key", name=op.f("uq_recordings_key")),
    )
    with op.batch_alter_table("epochs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("metrics", sa.JSON(), nullable=True))
        for name, type_ in _COUNTS.items():
            batch_op.alter_column(name, existing_type=type_, nullable=True)


def downgrade() -> None:
    with op.batch_alter_table("epochs", schema=None) as batch_op:
        for name, type_ in _COUNTS.items():
            batch_op.alter_column(name, existing_type=type_, nullable=False)
        batch_op.drop_column("metrics")
    op.drop_table("recordings")
