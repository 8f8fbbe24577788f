"""Report known vulnerabilities of the locked packages: `make audit`.

pip-audit and `npm audit` query the registries' advisory services. If one does not answer, this
says so and fails: an unanswered query is not a clean result. (pip-audit alone skips packages
that its service does not know, and reports no vulnerabilities.)
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGES = ("web", "tests/e2e/node")


def main() -> int:
    """Audit every lock file, print one line for each, and return the exit code."""
    outcomes = {path.name: python(path) for path in sorted(ROOT.glob("requirements*.lock"))}
    outcomes |= {f"{path}/package-lock.json": node(path) for path in PACKAGES}
    for what, outcome in outcomes.items():
        print(f"{what}: {outcome}")
    return any(outcome != "nothing known" for outcome in outcomes.values())


def python(lock: Path) -> str:
    """Audit the packages in a pip lock file."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip"]
    said = ask([*command, "--format", "json", "--requirement", str(lock)])
    packages = said.get("dependencies", [])
    skipped = [package for package in packages if "skip_reason" in package]
    if not packages:
        return f"NOT ASKED, the service does not answer: {said.get('message')}"
    if skipped:
        return f"NOT ASKED, the service does not know {len(skipped)} of {len(packages)} packages"
    found = [
        f"{package['name']} {package['version']}: {problem['id']}"
        for package in packages
        for problem in package["vulns"]
    ]
    return outcome(found)


def node(directory: str) -> str:
    """Audit the packages in an npm lock file."""
    command = [sys.executable, "hatch_build.py", "npm", "audit", "--json"]
    said = ask([*command, "--prefix", f"../{directory}"])
    if "vulnerabilities" not in said:
        return f"NOT ASKED, the service does not answer: {said.get('message')}"
    found = said["vulnerabilities"].items()
    return outcome([f"{name}: {problem['severity']}" for name, problem in found])


def ask(command: list[str]) -> dict[str, Any]:
    """Return the JSON object that a command prints, or its last line as `message`."""
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        said: dict[str, Any] = json.loads(ended.stdout)
    except ValueError:
        return {"message": (ended.stderr.strip().splitlines() or ["no word"])[-1]}
    return said


def outcome(found: list[str]) -> str:
    """Return the outcome of a completed audit."""
    return "FOUND " + "; ".join(found) if found else "nothing known"


if __name__ == "__main__":
    raise SystemExit(main())
