"""signing in: canonical and confirmed addresses, identities elsewhere, throttles"""

import sqlalchemy as sa
from alembic import op

from daypass.domain.emails import canonical

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("email_canonical", sa.String(length=320), nullable=True))
    op.add_column("account", sa.Column("email_confirmed_at", sa.BigInteger(), nullable=True))
    _fill_canonical()
    op.create_index("ix_account_email_canonical", "account", ["email_canonical"], unique=True)
    op.create_table(
        "identity",
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("ix_identity_account_id", "identity", ["account_id"])
    op.create_table(
        "sign_up",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("invitation", sa.String(length=80), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "attempts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("whole_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_attempts_whole_at", "attempts", ["whole_at"])


def _fill_canonical() -> None:
    """The oldest account of each mailbox has it; others that exist already stay as they are."""
    account = sa.table(
        "account", *(sa.column(x) for x in ("id", "email", "email_canonical", "created_at"))
    )
    connection = op.get_bind()
    in_age = sa.select(account.c.id, account.c.email).order_by(account.c.created_at, account.c.id)
    first: dict[str, str] = {}
    for account_id, email in connection.execute(in_age):
        first.setdefault(canonical(email), account_id)
    for mailbox, account_id in first.items():
        connection.execute(
            account.update().where(account.c.id == account_id).values(email_canonical=mailbox)
        )


def downgrade() -> None:
    op.drop_table("attempts")
    op.drop_table("sign_up")
    op.drop_table("identity")
    op.drop_index("ix_account_email_canonical", "account")
    op.drop_column("account", "email_confirmed_at")
    op.drop_column("account", "email_canonical")
