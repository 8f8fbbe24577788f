"""the site's logo, and which terms an account has accepted"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_logo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=16), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("width", sa.Float(), nullable=False),
        sa.Column("height", sa.Float(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    # Not in a batch: on SQLite that would replace the table and lose its triggers.
    op.add_column("account", sa.Column("accepted_terms", sa.String(length=40), nullable=True))
    op.add_column("account", sa.Column("terms_accepted_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("account", "terms_accepted_at")
    op.drop_column("account", "accepted_terms")
    op.drop_table("site_logo")
