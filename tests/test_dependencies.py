"""Every direct dependency has its reason in docs/dependencies.md, and is locked with its hash."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?([^;]*)")


Listed = set[tuple[str, str]]
"""Names and ranges."""


def required(requirements: list[str]) -> Listed:
    matches = [REQUIREMENT.match(requirement) for requirement in requirements]
    return {(match[1], match[2].strip()) for match in matches if match}


def declared() -> dict[str, Listed]:
    """Return the declared packages by heading of the documentation page."""
    groups = PYPROJECT["dependency-groups"].values()
    site, tests = (
        json.loads((ROOT / path / "package.json").read_text()) for path in ("web", "tests/e2e/node")
    )
    return {
        "Python, in every installation": required(PYPROJECT["project"]["dependencies"]),
        "Python, to build, test and measure": required([x for group in groups for x in group]),
        "The site, in the browser": set(site["dependencies"].items()),
        "The site, to build and test it": set(
            (site["devDependencies"] | tests["dependencies"]).items()
        ),
    }


def test_every_dependency_is_listed_with_its_licence_and_its_reason() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text()
    listed = {}
    for section in page.split("\n## ")[1:]:
        heading, _, table = section.partition("\n")
        lines = [line for line in table.splitlines() if line.startswith("|")][2:]
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        listed[heading] = {(name, range_) for name, range_, _, _ in rows}
        assert len(listed[heading]) == len(rows), "listed twice"
        assert all(licence and reason for _, _, licence, reason in rows)
    assert listed == declared()


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.lock")), ids=lambda x: x.name)
def test_python_is_locked_with_hashes_and_names_no_registry(path: Path) -> None:
    text = path.read_text()
    pinned = re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", text, re.MULTILINE)
    assert pinned
    for block in re.split(r"^(?=[a-z0-9][\w.-]*==)", text, flags=re.MULTILINE)[1:]:
        assert "--hash=sha256:" in block, block
    assert "://" not in text


@pytest.mark.parametrize("path", ["web", "tests/e2e/node"])
def test_node_is_locked_with_hashes(path: str) -> None:
    lock = json.loads((ROOT / path / "package-lock.json").read_text())
    for name, package in lock["packages"].items():
        # Bundled packages are covered by the hash of the package that contains them.
        if name and not package.get("inBundle"):
            assert package["integrity"].startswith("sha512-"), name


@pytest.mark.parametrize(
    ("name", "at_least", "why"),
    [
        ("starlette", (1, 5, 1), "CVE-2026-48710: Host poisons request.url.path"),
        ("h11", (0, 16), "request smuggling by malformed chunks"),
    ],
)
def test_vulnerable_versions_are_not_locked(name: str, at_least: tuple[int, ...], why: str) -> None:
    for path in ROOT.glob("requirements*.lock"):
        found = re.search(rf"^{name}==([\d.]+)", path.read_text(), re.MULTILINE)
        if found:
            assert tuple(map(int, found[1].split("."))) >= at_least, (path.name, why)
