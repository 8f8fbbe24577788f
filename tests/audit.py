"""Known vulnerabilities of what is locked: `make audit`.

pip-audit and `npm audit` ask the registries' advisory services. Where one cannot be reached this
says so and fails: nothing found is something else than not asked.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")
PACKAGES = ("web", "tests/e2e/node")
UNREACHABLE = ("ConnectionError", "Connection refused", "timed out", "HTTPError", "404", "403",
               "ENOTFOUND", "ECONNREFUSED", "ENOAUDIT", "endpoint returned an error")  # fmt: skip


def main() -> int:
    """Ask about every lock. Returns the exit code."""
    pip_audit = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip"]
    commands = [(f"pip-audit, {lock}", [*pip_audit, "-r", lock]) for lock in LOCKS]
    npm = [sys.executable, "hatch_build.py", "npm", "audit", "--prefix"]
    commands += [(f"npm audit, {path}", [*npm, f"../{path}"]) for path in PACKAGES]
    return max(ask(what, command) for what, command in commands)


def ask(what: str, command: list[str]) -> int:
    """Run one of them and tell the outcome in a line. Returns the exit code."""
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = (ended.stdout + ended.stderr).strip()
    if ended.returncode == 0:
        print(f"{what}: nothing known")
    elif any(sign in said for sign in UNREACHABLE):
        print(f"{what}: NOT REACHABLE from here, so nothing is known ({said.splitlines()[-1]})")
    else:
        print(f"{what}: FOUND\n{said}")
    return ended.returncode


if __name__ == "__main__":
    raise SystemExit(main())
