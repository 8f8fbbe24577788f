"""sums of the usage table by day and by week, and how far each process has written its usage"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# 1970-01-01 was a Thursday; weeks begin on Monday.
WEEK_OF_DAY = "day - ((day / 86400 + 3) % 7) * 86400"


def upgrade() -> None:
    op.create_table(
        "usage_site_day",
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.String(length=100), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "model"),
    )
    op.create_table(
        "usage_key_week",
        sa.Column("week", sa.BigInteger(), nullable=False),
        sa.Column("api_key_id", sa.String(length=32), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("week", "api_key_id"),
    )
    op.create_table(
        "usage_writer",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.Column("behind_since", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(
        "INSERT INTO usage_site_day "
        "SELECT day, model, sum(requests), sum(refused), sum(input_tokens), sum(output_tokens) "
        "FROM usage_day GROUP BY day, model"
    )
    op.execute(
        f"INSERT INTO usage_key_week SELECT {WEEK_OF_DAY}, api_key_id, sum(requests), sum(refused) "  # noqa: S608
        f"FROM usage_day GROUP BY {WEEK_OF_DAY}, api_key_id"
    )


def downgrade() -> None:
    op.drop_table("usage_writer")
    op.drop_table("usage_key_week")
    op.drop_table("usage_site_day")
