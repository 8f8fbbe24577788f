"""usage in tokens and micro-dollars, settled and reserved"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

OF_A_DAY = (
    "cached_tokens",
    "reasoning_tokens",
    "audio_tokens",
    "cost",
    "reserved_tokens",
    "reserved_cost",
)
COLUMNS = {
    "usage_day": OF_A_DAY,
    "usage_site_day": OF_A_DAY,
    "usage_key_week": ("input_tokens", "output_tokens", "cost"),
}


def upgrade() -> None:
    for table, names in COLUMNS.items():
        for name in names:
            column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
            op.add_column(table, column)
    op.add_column("usage_day", sa.Column("price", sa.String(length=100), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("usage_day") as changed:
        changed.drop_column("price")
    for table, names in COLUMNS.items():
        with op.batch_alter_table(table) as changed:
            for name in names:
                changed.drop_column(name)
