"""`daypass backup` and `daypass restore`, on real files."""

import asyncio
import io
import json
import os
import signal
import sqlite3
import stat
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from daypass.cli.commands import app
from daypass.config.secret_key import existing_secret_keys
from daypass.config.settings import Settings
from daypass.records.schema import upgrade
from tests.conftest import StartServer, daypass

OLD_SECRET, NEW_SECRET = "o" * 64, "n" * 64
QUESTION = {"model": "demo", "messages": [{"role": "user", "content": "x"}]}


def run(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"DAYPASS_DATA_DIR": str(data_dir)})


def site(directory: Path, secret: str, mark: str) -> Path:
    """Make a data directory with a database that can be told apart."""
    asyncio.run(upgrade(f"sqlite:///{directory}/daypass.db"))
    with closing(sqlite3.connect(directory / "daypass.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE mark AS SELECT ? AS name", (mark,))
        connection.commit()
    (directory / "secret-key").write_text(secret)
    return directory


def mark_of(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return str(connection.execute("SELECT name FROM mark").fetchone()[0])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "site.backup"
    assert run(site(tmp_path / "source", NEW_SECRET, "new"), "backup", str(path)).exit_code == 0
    return path


@pytest.fixture
def present(tmp_path: Path) -> Path:
    return site(tmp_path / "present", OLD_SECRET, "old")


def test_a_backup_of_a_busy_server_restores_accounts_keys_and_counts(
    start: StartServer, tmp_path: Path
) -> None:
    server = start()
    key = server.sign_up().create_key("10RequestPerDay")["key"]

    def call() -> int:
        with server.gateway(key) as api:
            return api.post("/v1/chat/completions", json=QUESTION).status_code

    assert call() == 200
    path = tmp_path / "site.backup"
    busy = threading.Thread(target=lambda: [call() for _ in range(8)])
    busy.start()
    made = run(server.data_dir, "backup", str(path), "--json")
    busy.join()
    assert json.loads(made.stdout) == {"path": str(path), "bytes": path.stat().st_size}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    refused = run(server.data_dir, "restore", str(path), "--replace")
    assert refused.exit_code == 2
    assert f"a server uses {server.data_dir}" in refused.stderr
    server.stop()
    restored = tmp_path / "restored"
    assert run(restored, "restore", str(path)).exit_code == 0
    accounts = run(server.data_dir, "accounts", "list", "--json").stdout
    assert run(restored, "accounts", "list", "--json").stdout == accounts
    secret = (server.data_dir / "secret-key").read_text()
    server = start(DAYPASS_DATA_DIR=str(restored))
    assert (restored / "secret-key").read_text() == secret
    used = server.used(key)
    assert 1 <= used <= 9
    assert [call() for _ in range(11 - used)] == [200] * (10 - used) + [429]


def test_nothing_is_overwritten(archive: Path, present: Path) -> None:
    before = archive.read_bytes()
    assert run(present, "backup", str(archive)).exit_code == 2
    assert archive.read_bytes() == before
    assert run(present, "restore", str(archive)).exit_code == 2
    assert mark_of(present / "daypass.db") == "old"
    printed = run(present, "restore", str(archive), "--replace", "--json")
    kept = Path(json.loads(printed.stdout)["kept"])
    assert (mark_of(present / "daypass.db"), mark_of(kept)) == ("new", "old")
    assert (present / "secret-key").read_text() == NEW_SECRET
    (old_secret,) = present.glob("secret-key.before-restore-*")
    assert old_secret.read_text() == OLD_SECRET


@pytest.mark.parametrize("at", range(3))
def test_a_kill_leaves_the_old_state_or_the_new(archive: Path, present: Path, at: int) -> None:
    """Kill the process just before each of the three renames."""
    child = os.fork()
    if child == 0:
        replace, left = Path.replace, [at]

        def replace_or_die(path: Path, target: Path) -> Path:
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return replace(path, target)

        Path.replace = replace_or_die  # type: ignore[method-assign,assignment]
        run(present, "restore", str(archive), "--replace")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    found = mark_of(present / "daypass.db")
    assert found == ("new" if at == 2 else "old")
    keys = existing_secret_keys(Settings(data_dir=present))
    assert {"old": OLD_SECRET, "new": NEW_SECRET}[found] in keys
    assert run(present, "restore", str(archive), "--replace").exit_code == 0
    assert mark_of(present / "daypass.db") == "new"
    assert (present / "secret-key").read_text() == NEW_SECRET
    assert not (present / ".restore").exists()


def _tar(path: Path, *members: tarfile.TarInfo) -> None:
    with tarfile.open(path, "w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))


def _member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, "/etc/passwd", size
    return member


FAULTY: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "not a tar": lambda path: path.write_bytes(b"x" * 2000),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-20_000]),
    "path outside": lambda path: _tar(path, _member("../daypass.db")),
    "link": lambda path: _tar(path, _member("daypass.db", tarfile.SYMTYPE)),
    "twice": lambda path: _tar(path, _member("daypass.db"), _member("daypass.db")),
    "no tables": lambda path: _tar(path, _member("daypass.db")),
    "not a database": lambda path: _tar(path, _member("daypass.db", size=4096)),
    "missing": lambda path: path.unlink(),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_faulty_backup_changes_nothing(archive: Path, present: Path, fault: str) -> None:
    FAULTY[fault](archive)
    around = set(present.parent.rglob("*")) | {present / "serve.lock"}
    ended = run(present, "restore", str(archive), "--replace")
    assert ended.exit_code == 2
    assert str(archive) in ended.stderr
    assert set(present.parent.rglob("*")) <= around
    assert mark_of(present / "daypass.db") == "old"


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path, present: Path) -> None:
    newer = tmp_path / "newer.backup"
    with closing(sqlite3.connect(present / "daypass.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        (tmp_path / "copy").mkdir()
        connection.execute("VACUUM INTO ?", (str(tmp_path / "copy" / "daypass.db"),))
    with tarfile.open(newer, "w") as tar:
        tar.add(tmp_path / "copy" / "daypass.db", "daypass.db")
    ended = daypass("restore", str(newer), DAYPASS_DATA_DIR=str(tmp_path / "empty"))
    assert ended.returncode == 2
    assert "revision 9999" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / "empty" / "daypass.db").exists()


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_other_stores_have_their_own_tools(tmp_path: Path, command: str) -> None:
    env = {"DAYPASS_DATA_DIR": str(tmp_path), "DAYPASS_DATABASE_URL": "postgresql://h/d"}
    ended = CliRunner().invoke(app, [command, str(tmp_path / "file")], env=env)
    assert ended.exit_code == 2
    assert "pg_dump" in ended.stderr
    assert not (tmp_path / "file").exists()
