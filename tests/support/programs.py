"""Find Debian programs that tests and measurements use, or install them as root.

`python -m tests.programs` installs everything that the tests need besides Python's and Node's
packages, so that no two of them try to at the same time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path


class ProgramMissingError(RuntimeError):
    """A program is missing and could not be installed."""

    def __init__(self, name: str, package: str) -> None:
        super().__init__(f"install {name}: Debian's package is {package}")
        self.package = package


def program(name: str, package: str | None = None) -> str:
    """The path of a program, by default of Debian's package of the same name.

    Raises ProgramMissingError.
    """
    package = package or name
    if (found := _find(name)) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing Debian's {package}…", file=sys.stderr, flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-qq"], ["install", "-y", "-qq", package]):
            subprocess.run(
                ["apt-get", *command], check=False, env=environment, stdout=subprocess.DEVNULL
            )
        found = _find(name)
    if found is None:
        raise ProgramMissingError(name, package)
    return found


def chromium() -> str:
    """Return the path of the browser."""
    return program("chromium")


def redis_server() -> str:
    """Return the path of redis-server, which is also the sentinel."""
    return program("redis-server")


def postgres() -> Path:
    """Return the directory of PostgreSQL's server programs."""
    return Path(program("initdb", "postgresql")).resolve().parent


def nginx() -> str:
    """Return the path of nginx."""
    return program("nginx", "nginx-light")


def curl() -> str:
    """Return the path of curl."""
    return program("curl")


def java() -> str:
    """Return the path of `java` of a JDK, which runs source files directly."""
    return str(Path(program("javac", "default-jdk-headless")).with_name("java"))


def mkfs_ext4() -> str:
    """Return the path of mkfs."""
    return program("mkfs.ext4", "e2fsprogs")


def _find(name: str) -> str | None:
    places = (os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *_of_postgresql())
    return shutil.which(name, path=os.pathsep.join(places))


def _of_postgresql() -> list[str]:
    """Debian has one directory per version."""
    return sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)


def main() -> None:
    """Find or install all programs; exit with one line that names the missing ones."""
    from tests.support.ministack import find_python

    missing = []
    for find in (chromium, redis_server, postgres, mkfs_ext4, nginx, curl, java):
        try:
            find()
        except ProgramMissingError as error:
            missing.append(error.package)
    if missing:
        sys.exit(
            "The tests need programs that are not installed. On Debian: sudo apt-get install "
            + " ".join(missing)
        )
    find_python()


if __name__ == "__main__":
    main()
