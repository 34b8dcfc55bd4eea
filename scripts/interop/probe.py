"""Runs one reader of readers.toml over a lake, in that reader's own environment, and prints what it saw as JSON.

Only the standard library is imported here; the reader's packages come with the lines of its entry.
"""

import hashlib
import json
import math
import sys
import tomllib
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

LAYOUTS = ("flat", "hive")
SHARE_TABLE = "concentration_metrics"


def entry(name: str) -> dict[str, Any]:
    """The lines of a reader; one that is `like` another has that one's."""
    readers = {reader["name"]: reader for reader in tomllib.loads(_toml())["reader"]}
    reader = readers[name]
    return {**readers[reader["like"]], **reader} if "like" in reader else reader


def names() -> list[str]:
    """Every reader, in the order of the page."""
    return [reader["name"] for reader in tomllib.loads(_toml())["reader"]]


def _toml() -> str:
    return Path(__file__).with_name("readers.toml").read_text(encoding="utf-8")


def canonical(value: Any) -> str:
    """A value as text that is equal whichever reader it came from, if it is the same value."""
    if (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or type(value).__name__ in ("NAType", "NaTType")
    ):
        return "NULL"
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        value = Decimal(repr(float(value)))
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def digests(columns: Iterable[str], rows: list[tuple[Any, ...]]) -> dict[str, str]:
    """A hash of each column's values and, under "", of the rows, whatever their order."""
    names = sorted(columns)
    places = [list(columns).index(name) for name in names]
    cells = sorted("\x1f".join(canonical(row[place]) for place in places) for row in rows)
    whole = {"": hashlib.sha256("\x1e".join(cells).encode()).hexdigest()[:16]}
    split = [cell.split("\x1f") for cell in cells]
    return whole | {name: _hash(sorted(cell[place] for cell in split)) for place, name in enumerate(names)}


def _hash(values: list[str]) -> str:
    return hashlib.sha256("\x1e".join(values).encode()).hexdigest()[:16]


def attempt(action: Callable[..., Any], *arguments: Any) -> Any:
    """The result, or the error as one line."""
    try:
        return action(*arguments)
    except BaseException as error:  # noqa: BLE001  a panic of Rust is no Exception
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"}


def probe(reader: dict[str, Any], lake: str, day: date) -> dict[str, Any]:
    """Types and digests of every table of both layouts, and the results of the reader's own lines."""
    space: dict[str, Any] = {"lake": lake, "day": day}
    exec(reader["setup"], space)
    tables = sorted(path.name for path in Path(lake, "analytics").iterdir())
    found = {layout: {table: attempt(_table, reader, space, layout, table) for table in tables} for layout in LAYOUTS}
    shares = {layout: attempt(_lines, reader, space, layout) for layout in LAYOUTS}
    obvious = [
        [layout, code, _text(attempt(_obvious, reader, space, layout, code))] for layout, code in reader["obvious"]
    ]
    packages = {name: version(name) for name in (_distribution(package) for package in reader["packages"])}
    return {"name": reader["name"], "packages": packages, "tables": found, "shares": shares, "obvious": obvious}


def _text(result: Any) -> str:
    return result["error"] if isinstance(result, dict) and "error" in result else repr(result)


def _distribution(package: str) -> str:
    return package.partition("==")[0].partition("[")[0]


def _open(reader: dict[str, Any], space: dict[str, Any], layout: str, table: str) -> None:
    space["table"] = table
    space["source"] = reader.get(f"source_{layout}", "").format(lake=space["lake"], table=table)
    space["t"] = eval(reader[layout], space)


def _table(reader: dict[str, Any], space: dict[str, Any], layout: str, table: str) -> dict[str, Any]:
    _open(reader, space, layout, table)
    columns, types = list(eval(reader["columns"], space)), eval(reader["types"], space)
    rows = [tuple(row) for row in eval(reader["rows"], space)]
    nulls = {
        name: type(next((row[place] for row in rows if canonical(row[place]) == "NULL"), 0)).__name__
        for place, name in enumerate(columns)
    }
    return {"rows": len(rows), "types": types, "nulls": nulls, "digests": digests(columns, rows)}


def _lines(reader: dict[str, Any], space: dict[str, Any], layout: str) -> dict[str, Any]:
    _open(reader, space, layout, SHARE_TABLE)
    return {"on_day": eval(reader["on_day"], space), "share": eval(reader["share"], space)}


def _obvious(reader: dict[str, Any], space: dict[str, Any], layout: str, code: str) -> Any:
    _open(reader, space, layout, SHARE_TABLE)
    return eval(code, space)


if __name__ == "__main__":
    json.dump(probe(entry(sys.argv[1]), sys.argv[2], date.fromisoformat(sys.argv[3])), sys.stdout, default=str)
