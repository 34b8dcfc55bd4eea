"""The files around the code agree with each other: requirements and lock."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "constraints.txt").read_text(encoding="utf-8")


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
