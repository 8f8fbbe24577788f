"""what operators do on the site: usage plans, invitations and their audit log"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage_plan",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("requests_per_minute", sa.BigInteger(), nullable=True),
        sa.Column("burst", sa.BigInteger(), nullable=True),
        sa.Column("requests_per_hour", sa.BigInteger(), nullable=True),
        sa.Column("requests_per_day", sa.BigInteger(), nullable=True),
        sa.Column("requests_per_week", sa.BigInteger(), nullable=True),
        sa.Column("requests_per_month", sa.BigInteger(), nullable=True),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("self_service", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.String(length=32), nullable=False),
        sa.Column("actor_email", sa.String(length=320), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=320), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_by", sa.String(length=320), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "departed_account",
        sa.Column("email_digest", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("email_digest"),
    )
    op.create_index("ix_receipt_batch_at", "receipt_batch", ["at"])
    # What a plan allows is part of what a key may do (migration 0003).
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for change in ("INSERT", "UPDATE", "DELETE"):
        name = f"usage_plan_{change.lower()}"
        if is_sqlite:
            rise = "UPDATE key_revision SET number = number + 1"
            op.execute(f"CREATE TRIGGER {name} AFTER {change} ON usage_plan BEGIN {rise}; END")
        else:
            op.execute(
                f"CREATE CONSTRAINT TRIGGER {name} AFTER {change} ON usage_plan "
                "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION key_changed()"
            )


def downgrade() -> None:
    op.drop_index("ix_receipt_batch_at", "receipt_batch")
    op.drop_table("departed_account")
    op.drop_table("invitation")
    op.drop_table("audit_entry")
    op.drop_table("usage_plan")
