"""The SQL that ships with mag7: one statement a file, with a header that says what it is for.

-- The sentence that says what the rows mean.
-- grain: one row per trading_date
-- severity: error
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from mag7cli.core.errors import UsageError

_FIELD: Final = re.compile(r"^(\w+):\s*(.*)$")


@dataclass(frozen=True, slots=True)
class SqlFile:
    """A statement: its name, the sentence and the fields of its header, its text as it stands in the file."""

    name: str
    meaning: str
    fields: Mapping[str, str]
    sql: str


@cache
def names(folder: str) -> tuple[str, ...]:
    """The statements of a folder (`validate`, `analysis`, `report`), in alphabetical order."""
    files = (resources.files("mag7cli.warehouse") / "sql" / folder).iterdir()
    return tuple(sorted(file.name.removesuffix(".sql") for file in files if file.name.endswith(".sql")))


@cache
def read(folder: str, name: str) -> SqlFile:
    """One statement. Raises UsageError if there is none of this name."""
    if name not in names(folder):
        raise UsageError(f"there is no {folder} query {name!r}", hint=f"use one of {', '.join(names(folder))}")
    text = (resources.files("mag7cli.warehouse") / "sql" / folder / f"{name}.sql").read_text()
    return _parse(name, text)


def _parse(name: str, text: str) -> SqlFile:
    sentences: list[str] = []
    fields: dict[str, str] = {}
    for comment in text.splitlines():
        if not comment.startswith("--"):
            break
        words = comment.removeprefix("--").strip()
        match = _FIELD.match(words)
        if match:
            fields[match[1]] = match[2]
        else:
            sentences.append(words)
    return SqlFile(name, " ".join(sentences), fields, text)
