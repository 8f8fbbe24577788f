"""when receipts were written, for the live view"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("receipt_batch", sa.Column("written_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_receipt_batch_written_at", "receipt_batch", ["written_at"])


def downgrade() -> None:
    op.drop_index("ix_receipt_batch_written_at", "receipt_batch")
    with op.batch_alter_table("receipt_batch") as changed:
        changed.drop_column("written_at")
