"""settings that operators change on the site"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_setting",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    # Ceilings limit keys, so that the gateway must look them up again (migration 0003).
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for change in ("INSERT", "UPDATE", "DELETE"):
        name = f"site_setting_{change.lower()}"
        if is_sqlite:
            rise = "UPDATE key_revision SET number = number + 1"
            op.execute(f"CREATE TRIGGER {name} AFTER {change} ON site_setting BEGIN {rise}; END")
        else:
            op.execute(
                f"CREATE CONSTRAINT TRIGGER {name} AFTER {change} ON site_setting "
                "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION key_changed()"
            )


def downgrade() -> None:
    op.drop_table("site_setting")
