"""keys that API Gateway enforces"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_key", sa.Column("aws_key_id", sa.String(length=64), nullable=True))
    op.add_column("api_key", sa.Column("next_usage_plan_id", sa.String(length=64), nullable=True))
    op.add_column("api_key", sa.Column("next_plan_at", sa.BigInteger(), nullable=True))
    op.add_column("api_key", sa.Column("activating_until", sa.BigInteger(), nullable=True))
    op.create_index("ix_api_key_aws_key_id", "api_key", ["aws_key_id"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_api_key_aws_key_id", "api_key")
    for name in ("aws_key_id", "next_usage_plan_id", "next_plan_at", "activating_until"):
        op.drop_column("api_key", name)
