"""The files around the code agree with each other: requirements, lock, supported Pythons, what CI runs."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "constraints.txt").read_text(encoding="utf-8")
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


def requirements() -> Iterator[Requirement]:
    """Everything that pyproject.toml asks for, whatever for."""
    groups: dict[str, list[Any]] = PROJECT["dependency-groups"]
    lists = [
        PROJECT["build-system"]["requires"],
        PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"].values(),
        *groups.values(),
    ]
    yield from (Requirement(entry) for entries in lists for entry in entries if isinstance(entry, str))


def locked() -> dict[str, list[Requirement]]:
    """The rows of the lock by package: more than one where versions differ by Python."""
    rows: dict[str, list[Requirement]] = {}
    for text in LOCK.splitlines():
        if not text.startswith("#"):
            requirement = Requirement(text)
            rows.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return rows


def supported_pythons() -> list[str]:
    prefix = "Programming Language :: Python :: 3."
    return [f"3.{name.removeprefix(prefix)}" for name in PROJECT["project"]["classifiers"] if name.startswith(prefix)]


def test_every_requirement_is_locked_at_a_version_that_it_allows() -> None:
    lock = locked()
    wrong = [
        str(requirement)
        for requirement in requirements()
        if not any(
            requirement.specifier.contains(str(row.specifier).removeprefix("=="))
            for row in lock.get(canonicalize_name(requirement.name), [])
        )
    ]
    assert wrong == [], "run `make lock`"


def test_the_lock_pins_one_version_a_row_and_names_no_place_to_get_it_from() -> None:
    rows = [row for rows in locked().values() for row in rows]

    assert all(re.fullmatch(r"==[\w.+!]+", str(row.specifier)) and row.url is None for row in rows)
    assert "://" not in LOCK
    assert not re.search(r"^\s*-", LOCK, re.MULTILINE)


def test_ci_runs_on_every_python_that_is_supported() -> None:
    matrix = re.search(r"python: \[(.*)\]", WORKFLOW)

    assert matrix is not None
    assert re.findall(r'"([\d.]+)"', matrix[1]) == supported_pythons()
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    assert all(f"{version}.0" in supported for version in supported_pythons())
    assert supported_pythons()[0] == str(supported).removeprefix(">=")


def test_ci_runs_what_the_makefile_offers() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^\s+- run: make (\w+)", WORKFLOW, re.MULTILINE)

    assert {"lint", "test", "package"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_the_sdist_takes_what_its_tests_read() -> None:
    included = {name.removeprefix("/") for name in PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]}

    assert {"tests", "scripts", "docs", "data", ".github", "constraints.txt", "Makefile", "README.md"} <= included
    assert all((ROOT / name).exists() for name in included), "the build passes over what is not there"


PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
_PATH = re.compile(r"`((?:\.github|data|docs|scripts|src|tests)/[\w./-]+)`")
_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")


def test_files_that_a_page_names_are_there() -> None:
    missing = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        paths = [ROOT / name for name in _PATH.findall(text)] + [page.parent / name for name in _LINK.findall(text)]
        missing += [f"{page.name}: {path.relative_to(ROOT)}" for path in paths if not path.exists()]
    assert missing == []


def test_targets_that_a_page_names_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    called = {
        name
        for page in PAGES
        for name in re.findall(r"`make (\w+)|^make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert {first or second for first, second in called} <= targets
