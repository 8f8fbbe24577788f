import sqlite3
from pathlib import Path

import pytest

from daypass.records.database import Database, DatabaseUnavailableError
from daypass.records.recorder import Recorder
from daypass.records.schema import upgrade
from daypass.records.usage import UsageRow, Use


async def test_unwritten_usage_is_written_later(tmp_path: Path) -> None:
    path = tmp_path / "data" / "daypass.db"
    await upgrade(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    recorder = Recorder(database)
    row = UsageRow(0, "key_1", "m", "api")
    recorder.use(row).add(Use(requests=1, input_tokens=5))
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    await recorder.flush()
    recorder.use(row).add(Use(requests=1, input_tokens=6))
    blocker.execute("ROLLBACK")
    await recorder.flush()
    await recorder.flush()
    written = blocker.execute("SELECT requests, input_tokens FROM usage_day").fetchall()
    assert written == [(2, 11)]
    blocker.close()
    await database.close()


async def test_a_file_that_is_not_a_database_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "daypass.db"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(DatabaseUnavailableError, match=r"daypass\.db: file is not a database"):
        await upgrade(f"sqlite:///{path}")


async def test_a_directory_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseUnavailableError, match="cannot open"):
        await upgrade(f"sqlite:///{tmp_path}/file/daypass.db")
