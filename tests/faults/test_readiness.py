"""GET /readyz says whether the stores can be written, not only whether they answer."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, StartServer
from tests.faults.wire import FaultyWire
from tests.postgres import NOBODY, Postgres
from tests.waiting import until


def is_ready(server: Server) -> bool:
    with server.client() as client:
        response = client.get("/readyz")
    assert response.status_code in (200, 503)
    return response.status_code == 200


@pytest.fixture
def disk() -> Iterator[Path]:
    """A file system of 96 MiB, which may be filled, and entered by PostgreSQL's user."""
    place = Path(tempfile.mkdtemp(prefix="daypass-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(place)]
    subprocess.run(mount, check=True)
    place.chmod(0o755)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
    place.rmdir()


def fill(disk: Path) -> Path:
    """Leave no room on a disk. Returns the file that takes it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    return filler


def test_a_standby_is_not_ready_until_it_is_promoted(start: StartServer) -> None:
    primary = Postgres()
    primary.start()
    standby = Postgres(standby_of=primary)
    standby.start()
    wire = FaultyWire(primary.port)
    wire.start()
    try:
        url = primary.url().replace(f":{primary.port}/", f":{wire.port}/")
        server = start(DAYPASS_DATABASE_URL=url)
        assert is_ready(server)
        until(lambda: has_tables(standby))
        wire.server_port = standby.port
        primary.kill()
        until(lambda: not is_ready(server))
        # It answers reads all the while.
        until(lambda: server.client().get("/api/usage-plans").status_code == 200)
        assert not is_ready(server)
        standby.promote()
        until(lambda: is_ready(server))
    finally:
        wire.stop()
        standby.remove()
        primary.remove()


def has_tables(server: Postgres) -> bool:
    import psycopg

    with psycopg.connect(server.url()) as connection:
        found = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    return found is not None and found[0] is not None


def test_a_full_disk_of_postgresql_is_not_ready_until_there_is_room(
    start: StartServer, disk: Path
) -> None:
    directory = disk / "postgres"
    directory.mkdir()
    if os.geteuid() == 0:
        shutil.chown(directory, NOBODY)
    postgres = Postgres(directory)
    try:
        postgres.start()
        server = start(DAYPASS_DATABASE_URL=postgres.url())
        assert is_ready(server)
        filler = fill(disk)
        until(lambda: not is_ready(server))
        filler.unlink()
        until(lambda: is_ready(server))
    finally:
        postgres.remove()


def test_a_full_data_directory_is_not_ready_until_there_is_room(
    start: StartServer, disk: Path
) -> None:
    server = start(DAYPASS_DATA_DIR=str(disk / "data"))
    with server.client() as client:
        assert client.head("/readyz").status_code == client.head("/healthz").status_code == 200
    filler = fill(disk)
    until(lambda: not is_ready(server))
    filler.unlink()
    until(lambda: is_ready(server))
    assert "Traceback" not in server.log()
