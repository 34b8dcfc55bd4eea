"""Which trading dates were valued together: what a date needs to be valued again as it was.

The share counts of a batch are found together. A date that is retried, or whose document was lost, is valued with the
same dates around it, so that it gets what it would have got at once, and asks for nothing that is known.
`raw/reference/batches.json` can be deleted: dates are then valued again on their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from mag7cli.lake.layout import Lake

SCHEMA_VERSION: Final = 1
_FILE: Final = "batches.json"


@dataclass(frozen=True, slots=True)
class Terms:
    """How share counts are found: dates that are valued again on other terms are a batch of their own."""

    method: str
    tolerance: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Trading dates (sorted) that were valued together. It is `settled` once no answer was missing."""

    dates: tuple[date, ...]
    terms: Terms
    settled: bool


def read(lake: Lake) -> list[Batch]:
    """The batches of a lake in the order of their making; none if the file cannot be read."""
    try:
        return [_batch(row) for row in orjson.loads(lake.read_reference(_FILE) or b"{}").get("batches", [])]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return []


def find(known: Iterable[Batch], dates: tuple[date, ...], terms: Terms) -> Batch | None:
    """The batch of exactly these dates on these terms."""
    return next((batch for batch in known if batch.dates == dates and batch.terms == terms), None)


def remember(lake: Lake, batch: Batch) -> None:
    """Note a batch, before its first document is written: in place of itself, and of those that it comprises."""
    known = read(lake)
    if batch in known:
        return
    same = find(known, batch.dates, batch.terms)
    if same:
        _write(lake, [batch if one == same else one for one in known])
    else:
        _write(lake, [*(one for one in known if not set(one.dates) <= set(batch.dates)), batch])


def _batch(row: dict[str, Any]) -> Batch:
    dates = tuple(date.fromisoformat(day) for day in row["dates"])
    return Batch(dates, Terms(row["method"], row["tolerance"]), row["settled"])


def _write(lake: Lake, batches: Iterable[Batch]) -> None:
    rows = [
        {
            "method": batch.terms.method,
            "tolerance": batch.terms.tolerance,
            "settled": batch.settled,
            "dates": [day.isoformat() for day in batch.dates],
        }
        for batch in batches
    ]
    content = {"schema_version": SCHEMA_VERSION, "batches": rows}
    lake.write_reference(_FILE, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
