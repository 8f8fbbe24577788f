"""the outbox of mails; sign-ups without a password, which the link in the mail asks for"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("about", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mail_due_at", "mail", ["due_at"])
    op.create_index("ix_mail_recipient", "mail", ["recipient"])
    # Links to sign-ups of before named a row with a password; they are at most a day old.
    op.execute("DELETE FROM sign_up")
    op.drop_column("sign_up", "password_hash")
    op.create_index("ix_sign_up_email", "sign_up", ["email"])


def downgrade() -> None:
    op.execute("DELETE FROM sign_up")
    op.drop_index("ix_sign_up_email", "sign_up")
    op.add_column(
        "sign_up", sa.Column("password_hash", sa.String(255), nullable=False, server_default="")
    )
    op.drop_table("mail")
