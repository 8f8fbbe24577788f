"""The site is built without a network: fonts, packages and the portal's OpenAPI document."""

import shutil
import subprocess
import sys
from pathlib import Path

import hatch_build
import pytest

ALONE = """
import errno, socket
with socket.create_server(("127.0.0.1", 0)) as own:
    socket.create_connection(own.getsockname(), 5).close()
try:
    socket.create_connection(("192.0.2.1", 443), 5)
except OSError as error:
    assert error.errno == errno.ENETUNREACH, error
else:
    raise SystemExit("it reached another machine")
"""


def test_the_build_has_no_network_except_loopback() -> None:
    alone = hatch_build.cut_off()
    if not alone:
        pytest.skip("this machine does not allow network namespaces")
    ended = subprocess.run(
        [*alone, sys.executable, "-c", ALONE], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_a_rebuilt_site_replaces_the_old_one_completely(tmp_path: Path) -> None:
    built, place = tmp_path / "out", tmp_path / "_site"
    for round_ in ("first", "second"):
        built.mkdir()
        (built / round_).write_text("")
        hatch_build.put_in_place(built, place)
        assert [path.name for path in place.iterdir()] == [round_]
    assert [path.name for path in tmp_path.iterdir()] == ["_site"]


def make(directory: Path, python: str) -> subprocess.CompletedProcess[str]:
    """Run the Makefile's first step in a directory, with this shell script as Python."""
    shutil.copy(Path(hatch_build.__file__).with_name("Makefile"), directory)
    fake = directory / "python"
    fake.write_text(f"#!/bin/sh\n{python}\n")
    fake.chmod(0o755)
    command = ["make", f"PYTHON={fake}", ".venv/bin/python"]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_an_old_python_is_refused_in_one_line(tmp_path: Path) -> None:
    old = f"""exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 13)\n$2" """
    ended = make(tmp_path, old)
    assert ended.returncode != 0
    said = [line for line in ended.stderr.splitlines() if not line.startswith(("make", "find"))]
    assert len(said) == 1
    assert said[0].startswith("Daypass needs Python 3.11 or newer; ")
    assert "is 3.10" in said[0]
    assert not (tmp_path / ".venv").exists()


def test_an_interrupted_virtual_environment_is_recreated(tmp_path: Path) -> None:
    create = "[ $1 = -c ] && exit; mkdir -p .venv/bin; : >.venv/bin/python"
    assert make(tmp_path, f"{create}; : >.venv/half-made; kill -9 $PPID").returncode != 0
    assert (tmp_path / ".venv" / "half-made").is_file()
    assert make(tmp_path, create).returncode == 0
    assert sorted(path.name for path in (tmp_path / ".venv").iterdir()) == ["bin"]


def test_missing_programs_are_named_in_one_line(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tests.support.programs"],
        env={"PATH": str(tmp_path), "PYTHONPATH": str(Path(hatch_build.__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(hatch_build.__file__).parent,
    )
    assert found.returncode == 1
    (line,) = found.stderr.splitlines()
    assert "sudo apt-get install chromium redis-server" in line
