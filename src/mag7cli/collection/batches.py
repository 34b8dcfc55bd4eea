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
class ValuationTerms:
    """How share counts are found: dates that are valued again on other terms are a batch of their own."""

    method: str
    tolerance: float


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """Trading dates (sorted) that were valued together. It is `is_final` once no answer was missing."""

    dates: tuple[date, ...]
    terms: ValuationTerms
    is_final: bool


def read(lake: Lake) -> list[BatchRecord]:
    """The batches of a lake in the order of their making; none if the file cannot be read."""
    try:
        return [_batch(row) for row in orjson.loads(lake.read_reference(_FILE) or b"{}").get("batches", [])]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return []


def find(known: Iterable[BatchRecord], dates: tuple[date, ...], terms: ValuationTerms) -> BatchRecord | None:
    """The batch of exactly these dates on these terms."""
    return next((batch for batch in known if batch.dates == dates and batch.terms == terms), None)


def remember(lake: Lake, batch: BatchRecord) -> None:
    """Note a batch, before its first document is written: in place of itself, and of those that it comprises."""
    known = read(lake)
    if batch in known:
        return
    same = find(known, batch.dates, batch.terms)
    if same:
        _write(lake, [batch if batch_known == same else batch_known for batch_known in known])
    else:
        _write(lake, [*(batch_known for batch_known in known if not set(batch_known.dates) <= set(batch.dates)), batch])


def _batch(row: dict[str, Any]) -> BatchRecord:
    dates = tuple(date.fromisoformat(day) for day in row["dates"])
    return BatchRecord(dates, ValuationTerms(row["method"], row["tolerance"]), row["settled"])


def _write(lake: Lake, batches: Iterable[BatchRecord]) -> None:
    rows = [
        {
            "method": batch.terms.method,
            "tolerance": batch.terms.tolerance,
            "settled": batch.is_final,
            "dates": [day.isoformat() for day in batch.dates],
        }
        for batch in batches
    ]
    content = {"schema_version": SCHEMA_VERSION, "batches": rows}
    lake.write_reference(_FILE, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
