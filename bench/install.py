"""The peers' programs: their pinned versions, and how they get onto the machine.

Of nginx, wrk and Redis the version is Debian's; the report names it.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from hatch_build import Node, find_node
from tests.support.programs import program, redis_server

from bench.process import BenchError

LITELLM = "1.106.12"
PORTKEY = "1.15.2"
# With a newer one Portkey's gateway fails at every stream (issue 1389 of Portkey-AI/gateway).
HONO_NODE_SERVER = "1.14.1"

PEERS = Path(__file__).parent / ".peers"


def litellm() -> str:
    """LiteLLM's proxy, in a virtual environment of its own."""
    directory = PEERS / f"litellm-{LITELLM}"
    if not (directory / "installed").exists():
        _say(f"Installing LiteLLM {LITELLM} (some 100 packages)…")
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
        pip = [str(directory / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, f"litellm[proxy]=={LITELLM}"], check=True)
        (directory / "installed").touch()
    return str(directory / "bin" / "litellm")


def portkey() -> list[str]:
    """The command of Portkey's gateway."""
    directory = PEERS / f"portkey-{PORTKEY}"
    if not (directory / "installed").exists():
        _say(f"Installing Portkey's gateway {PORTKEY}…")
        directory.mkdir(parents=True, exist_ok=True)
        wanted = {
            "dependencies": {"@portkey-ai/gateway": PORTKEY},
            "overrides": {"@hono/node-server": HONO_NODE_SERVER},
        }
        (directory / "package.json").write_text(json.dumps(wanted))
        command = [*node().npm, "install", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=directory, check=True)
        (directory / "installed").touch()
    script = directory / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    return [str(node().directory / "node"), str(script)]


def node() -> Node:
    """The Node.js that the site is built with."""
    found = find_node()
    if found is None:
        raise BenchError("install Node.js, which Portkey's gateway runs on")
    return found


def versions() -> dict[str, str]:
    """The version of everything that is measured or measures."""
    nginx = subprocess.run([program("nginx"), "-v"], capture_output=True, text=True, check=True)
    wrk = subprocess.run([program("wrk"), "-v"], capture_output=True, text=True, check=False)
    redis = subprocess.run([redis_server(), "-v"], capture_output=True, text=True, check=True)
    return {
        "nginx": nginx.stderr.strip().rpartition("/")[2],
        "wrk": wrk.stdout.split()[1].partition("/")[2],
        "redis": redis.stdout.partition("v=")[2].split()[0],
        "litellm": LITELLM,
        "portkey": PORTKEY,
        "node": _output([str(node().directory / "node"), "--version"]).removeprefix("v"),
    }


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
