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
    op.add_column("usage_plan", sa.Column("terms", sa.JSON(), nullable=True))
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
    with op.batch_alter_table("usage_plan") as table:
        table.alter_column("terms", existing_type=sa.JSON(), nullable=False)
        for name in (*LIMITS, "models", "self_service"):
            table.drop_column(name)


def downgrade() -> None:
    with op.batch_alter_table("usage_plan") as table:
        for name in LIMITS:
            table.add_column(sa.Column(name, sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("models", sa.JSON(), nullable=True))
        table.add_column(sa.Column("self_service", sa.Boolean(), nullable=True))
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
    with op.batch_alter_table("usage_plan") as table:
        table.alter_column("models", existing_type=sa.JSON(), nullable=False)
        table.alter_column("self_service", existing_type=sa.Boolean(), nullable=False)
        table.drop_column("terms")
