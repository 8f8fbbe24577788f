"""Break each guard in turn, in a temporary copy of `src`; this checkout is not changed.

Run all with `make mutations`, or some with `python -m tests.mutations reservation forgery`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutations import PACKAGE, ROOT, mutate
from tests.mutations.table import MUTATIONS


def main(wanted: list[str]) -> int:
    """Try the mutations whose guard contains one of these words, or all; return the exit code."""
    chosen = [x for x in MUTATIONS if not wanted or any(word in x.guard for word in wanted)]
    with tempfile.TemporaryDirectory(prefix="daypass-mutations-") as directory:
        copy = Path(directory) / "daypass"
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("_site", "__pycache__"))
        if (PACKAGE / "_site").is_dir():
            (copy / "_site").symlink_to(PACKAGE / "_site")
        as_it_is = _run(copy, sorted({x.test for x in chosen}))
        if as_it_is.returncode:
            print(as_it_is.stdout)
            print("The tests do not pass on the unbroken code, so failures would mean nothing.")
            return 1
        print("| guard | broken line | test that fails | |\n|---|---|---|---|")
        survivors = 0
        for mutation in chosen:
            file = copy / mutation.file
            whole = file.read_text()
            file.write_text(mutate(whole, mutation))
            survived = _run(copy, [mutation.test]).returncode == 0
            file.write_text(whole)
            survivors += survived
            name = mutation.test.rpartition("/")[2].replace("::", " ")
            verdict = "SURVIVED" if survived else "failed"
            print(f"| {mutation.guard} | `{mutation.file}` | `{name}` | {verdict} |", flush=True)
    print(f"{len(chosen)} mutations, {survivors} survived")
    return survivors > 0


def _run(copy: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    """Run these tests on the copy. Raises RuntimeError if they cannot be run."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode not in (0, 1):
        raise RuntimeError(ended.stdout + ended.stderr)
    return ended


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
