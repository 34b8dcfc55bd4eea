"""Which trading dates were valued together, for as long as one of them is left to be completed.

The share counts of a batch are found together: a date that is retried later is valued with the same dates around it, so
that it gets what it would have got at once. `raw/reference/batches.json` has the batches that are not complete yet. It
can be deleted: dates are then retried on their own.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from mag7cli.lake import REFERENCE, Lake

SCHEMA_VERSION: Final = 1
_FILE: Final = "batches.json"


@dataclass(frozen=True, slots=True)
class Terms:
    """How share counts are found: dates that are retried on other terms are a batch of their own."""

    method: str
    tolerance: float
    refresh: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Trading dates (sorted) that were valued together."""

    dates: tuple[date, ...]
    terms: Terms


def read(lake: Lake) -> list[Batch]:
    """The batches that are not complete, oldest first; none if the file cannot be read."""
    try:
        return [_batch(row) for row in orjson.loads(lake.read_reference(_FILE) or b"{}").get("batches", [])]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return []


def remember(lake: Lake, batch: Batch) -> None:
    """Note a batch whose counts are found, before its first document is written."""
    known = read(lake)
    if batch not in known:
        _write(lake, [*known, batch])


def forget(lake: Lake, complete: Collection[date]) -> None:
    """Drop the batches of which every date is complete."""
    known = read(lake)
    left = [batch for batch in known if not set(batch.dates) <= set(complete)]
    if left != known:
        _write(lake, left)


def _batch(row: dict[str, Any]) -> Batch:
    dates = tuple(date.fromisoformat(day) for day in row["dates"])
    return Batch(dates, Terms(row["method"], row["tolerance"], row["refresh"]))


def _write(lake: Lake, batches: Iterable[Batch]) -> None:
    rows = [
        {
            "method": batch.terms.method,
            "tolerance": batch.terms.tolerance,
            "refresh": batch.terms.refresh,
            "dates": [day.isoformat() for day in batch.dates],
        }
        for batch in batches
    ]
    if rows:
        content = {"schema_version": SCHEMA_VERSION, "batches": rows}
        lake.write_reference(_FILE, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
    else:
        lake.store.delete(REFERENCE + _FILE)
