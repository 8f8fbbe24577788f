"""Every direct dependency has its reason in docs/dependencies.md, and is locked with its hash."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?([^;]*)")


def documented() -> dict[tuple[str, str], list[str]]:
    """The rows of the page's tables: name and range, then licence and reason."""
    page = (ROOT / "docs" / "dependencies.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("|") and not line.startswith(("|---", "| package"))
    ]
    found = {(name, range_): rest for name, range_, *rest in rows}
    assert len(found) == len(rows), "a dependency is listed twice"
    return found


def declared() -> set[tuple[str, str]]:
    """Names and ranges in pyproject.toml and the package.json files."""
    groups = PYPROJECT["dependency-groups"].values()
    requirements = [*PYPROJECT["project"]["dependencies"], *(x for group in groups for x in group)]
    found = set()
    for requirement in requirements:
        match = REQUIREMENT.match(requirement)
        assert match, requirement
        found.add((match[1], match[2].strip()))
    for path in ("web/package.json", "tests/e2e/node/package.json"):
        package = json.loads((ROOT / path).read_text())
        for kind in ("dependencies", "devDependencies"):
            found |= set(package.get(kind, {}).items())
    return found


def test_every_dependency_is_listed_with_its_licence_and_its_reason() -> None:
    listed = documented()
    assert set(listed) == declared()
    for name, (licence, reason) in listed.items():
        assert licence, name
        assert reason, name


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
        # What is bundled inside another package has that one's hash.
        if name and not package.get("inBundle"):
            assert package["integrity"].startswith("sha512-"), name


@pytest.mark.parametrize(
    ("name", "at_least", "why"),
    [
        ("starlette", (1, 5, 1), "CVE-2026-48710: Host poisons request.url.path"),
        ("h11", (0, 16), "request smuggling by malformed chunks"),
    ],
)
def test_known_holes_are_not_locked_in(name: str, at_least: tuple[int, ...], why: str) -> None:
    for path in ROOT.glob("requirements*.lock"):
        found = re.search(rf"^{name}==([\d.]+)", path.read_text(), re.MULTILINE)
        if found:
            assert tuple(map(int, found[1].split("."))) >= at_least, (path.name, why)
