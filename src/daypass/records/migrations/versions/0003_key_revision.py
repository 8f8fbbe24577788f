"""a number that rises with every change of what a key may do"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A table, and the change of it after which a key that was good may not be good any more.
# `last_used_at` is left out: it is written every second.
CHANGES = (
    ("api_key", "UPDATE OF usage_plan_id, slot, deleted_at"),
    ("api_key_secret", "UPDATE"),
    ("api_key_secret", "DELETE"),
    ("account", "UPDATE OF disabled_at"),
    ("account", "DELETE"),
)


def upgrade() -> None:
    table = op.create_table(
        "key_revision",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    op.bulk_insert(table, [{"id": 1, "number": 1}])
    rise = "UPDATE key_revision SET number = number + 1"
    if op.get_bind().dialect.name == "sqlite":
        for name, change in _triggers():
            op.execute(f"CREATE TRIGGER {name} AFTER {change} BEGIN {rise}; END")
        return
    op.execute(
        "CREATE FUNCTION key_changed() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {rise}; RETURN NULL; END $$"
    )
    for name, change in _triggers():
        # Deferred to the commit, so that two transactions cannot wait for each other's row.
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {change} DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION key_changed()"
        )


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, change in _triggers():
        table = "" if is_sqlite else " ON " + change.rpartition(" ON ")[2]
        op.execute(f"DROP TRIGGER {name}{table}")
    if not is_sqlite:
        op.execute("DROP FUNCTION key_changed()")
    op.drop_table("key_revision")


def _triggers() -> list[tuple[str, str]]:
    """Each trigger's name, and what it follows."""
    return [
        (f"key_changed_{number}", f"{change} ON {table}")
        for number, (table, change) in enumerate(CHANGES, start=1)
    ]
