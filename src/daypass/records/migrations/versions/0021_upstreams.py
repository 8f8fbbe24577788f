"""upstreams made on the site"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "upstream",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=True),
        sa.Column("key_last4", sa.String(length=4), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    # Every process polls this number (migration 0003), and then reads its upstreams again.
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for change in ("INSERT", "UPDATE", "DELETE"):
        name = f"upstream_{change.lower()}"
        if is_sqlite:
            rise = "UPDATE key_revision SET number = number + 1"
            op.execute(f"CREATE TRIGGER {name} AFTER {change} ON upstream BEGIN {rise}; END")
        else:
            op.execute(
                f"CREATE CONSTRAINT TRIGGER {name} AFTER {change} ON upstream "
                "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION key_changed()"
            )


def downgrade() -> None:
    op.drop_table("upstream")
