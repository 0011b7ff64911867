"""cuts that are measured on request where a recorded network is"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("recordings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("serving_at", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("serving_epochs", sa.JSON(), nullable=True))
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("value", sa.Double(), nullable=True))
        batch_op.alter_column("loss", existing_type=sa.Double(), nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM evaluations WHERE loss IS NULL")
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.alter_column("loss", existing_type=sa.Double(), nullable=False)
        batch_op.drop_column("value")
    with op.batch_alter_table("recordings", schema=None) as batch_op:
        batch_op.drop_column("serving_epochs")
        batch_op.drop_column("serving_at")
