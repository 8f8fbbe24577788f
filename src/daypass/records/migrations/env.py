"""Connects Alembic to the database; run by `daypass.records.schema.upgrade`."""

from alembic import context

from daypass.records.tables import Base


def is_ours(name: str | None, type_: str, _parents: object) -> bool:
    """Return whether a table is managed by migrations. The ledger creates its own tables."""
    return type_ != "table" or name in Base.metadata.tables


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=is_ours,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
