"""The tables of facts in `data/*.csv`; knows where they lie and how they are written, not what they mean.

Every table says where its rows come from: in `#` lines, in a `source` column, or both.
Values are text: whoever owns the meaning parses them.
"""

import csv
from functools import cache
from pathlib import Path
from typing import Final

# Not importlib.resources: it doubles the time to import this module, and a wheel is always unpacked.
_PACKAGE: Final = Path(__file__).resolve().parents[1]


@cache
def text(name: str) -> str:
    """The whole of `data/<name>.csv`, provenance included. Raises FileNotFoundError: a wrong name is a bug."""
    path = folder() / f"{name}.csv"
    return path.read_text(encoding="utf-8")


def read(name: str) -> list[dict[str, str]]:
    """The rows of `data/<name>.csv` in file order, by column name; an absent value is an empty string."""
    return [dict(row) for row in _rows(name)]


def provenance(name: str) -> list[str]:
    """The `#` lines at the head of `data/<name>.csv`, without the sign: where the rows come from."""
    return [row.lstrip("# ").rstrip() for row in text(name).splitlines() if row.startswith("#")]


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    rows = (row for row in text(name).splitlines() if row and not row.startswith("#"))
    return tuple(csv.DictReader(rows, strict=True))


@cache
def folder() -> Path:
    """`mag7cli/data` in an installed wheel; in a checkout the tables are at its top level."""
    installed = _PACKAGE / "data"
    return installed if installed.is_dir() else _PACKAGE.parents[1] / "data"
