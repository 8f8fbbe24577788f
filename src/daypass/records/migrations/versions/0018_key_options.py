"""what the owner of a key may set: expiry, pause, note, allowed models"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TRIGGER = "key_options_changed"
CHANGE = "UPDATE OF expires_at, paused_at, allowed_models ON api_key"


def upgrade() -> None:
    # Not in a batch: on SQLite that would replace the table and lose its triggers.
    op.add_column("api_key", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("api_key", sa.Column("paused_at", sa.BigInteger(), nullable=True))
    op.add_column("api_key", sa.Column("note", sa.String(500), nullable=False, server_default=""))
    op.add_column(
        "api_key", sa.Column("allowed_models", sa.JSON(), nullable=False, server_default="[]")
    )
    if op.get_bind().dialect.name == "sqlite":
        rise = "UPDATE key_revision SET number = number + 1"
        op.execute(f"CREATE TRIGGER {TRIGGER} AFTER {CHANGE} BEGIN {rise}; END")
        return
    op.execute(
        f"CREATE CONSTRAINT TRIGGER {TRIGGER} AFTER {CHANGE} DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION key_changed()"
    )


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(f"DROP TRIGGER {TRIGGER}" + ("" if is_sqlite else " ON api_key"))
    for name in ("allowed_models", "note", "paused_at", "expires_at"):
        op.drop_column("api_key", name)
