"""all terms of a usage plan in one column"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LIMITS = (
    "requests_per_minute",
    "burst",
    "requests_per_hour",
    "requests_per_day",
    "requests_per_week",
    "requests_per_month",
)


def upgrade() -> None:
    # Not in a batch: on SQLite that would replace the table and lose its triggers.
    op.add_column("usage_plan", sa.Column("terms", sa.JSON(), nullable=False, server_default="{}"))
    connection = op.get_bind()
    old = sa.table(
        "usage_plan",
        sa.column("id"),
        *(sa.column(name, sa.BigInteger()) for name in LIMITS),
        sa.column("models", sa.JSON()),
        sa.column("self_service", sa.Boolean()),
        sa.column("terms", sa.JSON()),
    )
    for row in connection.execute(sa.select(old)).mappings().all():
        limits = {name: row[name] for name in LIMITS if row[name] is not None}
        terms: dict[str, object] = {**limits, "models": row["models"]}
        if not limits:
            terms["unlimited"] = True
        if not row["self_service"]:
            terms["self_service"] = False
        connection.execute(sa.update(old).where(old.c.id == row["id"]).values(terms=terms))
    _run_triggers(connection)
    for name in (*LIMITS, "models", "self_service"):
        op.drop_column("usage_plan", name)


def downgrade() -> None:
    for name in LIMITS:
        op.add_column("usage_plan", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("usage_plan", sa.Column("models", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column(
        "usage_plan",
        sa.Column("self_service", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    connection = op.get_bind()
    new = sa.table(
        "usage_plan",
        sa.column("id"),
        *(sa.column(name, sa.BigInteger()) for name in LIMITS),
        sa.column("models", sa.JSON()),
        sa.column("self_service", sa.Boolean()),
        sa.column("terms", sa.JSON()),
    )
    for row in connection.execute(sa.select(new)).mappings().all():
        terms = row["terms"]
        values = {name: terms.get(name) for name in LIMITS}
        values["models"] = terms.get("models", [])
        values["self_service"] = terms.get("self_service", True)
        connection.execute(sa.update(new).where(new.c.id == row["id"]).values(**values))
    _run_triggers(connection)
    op.drop_column("usage_plan", "terms")


def _run_triggers(connection: sa.Connection) -> None:
    """Run deferred triggers: PostgreSQL alters no table that has some pending."""
    if connection.dialect.name == "postgresql":
        op.execute("SET CONSTRAINTS ALL IMMEDIATE")
