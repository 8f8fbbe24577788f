import asyncio
import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, inspect

from daypass.records.database import MIGRATIONS, Database
from daypass.records.tables import Base
from daypass.records.usage import UsageRecorder, UsageRow, Use


def test_migrations_make_the_tables_and_take_them_away(tmp_path: Path) -> None:
    path = tmp_path / "daypass.db"
    engine = create_engine(f"sqlite:///{path}")
    migrate(path, "head")
    made = inspect(engine)
    assert set(made.get_table_names()) == set(Base.metadata.tables) | {"alembic_version"}
    for table in Base.metadata.sorted_tables:
        columns = {column["name"] for column in made.get_columns(table.name)}
        assert columns == set(table.columns.keys())
    migrate(path, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]


async def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    databases = [Database(tmp_path / "data" / "daypass.db") for _ in range(4)]
    await asyncio.gather(*(database.migrate() for database in databases))
    for database in databases:
        await database.ping()
        await database.close()


async def test_usage_that_cannot_be_written_yet_is_written_later(tmp_path: Path) -> None:
    path = tmp_path / "data" / "daypass.db"
    database = Database(path)
    await database.migrate()
    recorder = UsageRecorder(database)
    row = UsageRow(0, "key_1", "m", "api")
    recorder.add(row, Use(requests=1, input_tokens=5), 0)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    await recorder.flush()
    recorder.add(row, Use(requests=1, input_tokens=6), 0)
    blocker.execute("ROLLBACK")
    await recorder.flush()
    await recorder.flush()
    written = blocker.execute("SELECT requests, input_tokens FROM usage_day").fetchall()
    assert written == [(2, 11)]
    blocker.close()
    await database.close()
