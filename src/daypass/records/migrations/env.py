"""How Alembic reaches the database; run by `records.database.Database.migrate`."""

from alembic import context
from sqlalchemy import engine_from_config, pool

from daypass.records.tables import Base

config = context.config
connectable = engine_from_config(
    config.get_section(config.config_ini_section) or {},
    prefix="sqlalchemy.",
    poolclass=pool.NullPool,
)


def is_ours(name: str | None, type_: str, _parents: object) -> bool:
    """Whether a table belongs to the records: the ledger's beside them do not."""
    return type_ != "table" or name in Base.metadata.tables


with connectable.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=is_ours,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
