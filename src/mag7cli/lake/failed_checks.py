"""Which checks of severity error the tables failed last: `state/validation.json`. It stays until they pass.

`mag7 run`, `mag7 validate` and the deployment's functions write it; every surface that shows a figure reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from mag7cli.core.errors import DocumentError, KeyNotFoundError, StoreError
from mag7cli.lake.layout import Lake

KEY: Final = "state/validation.json"


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A check of severity error that found `rows`: on which `dates`; none are those of a row of the whole lake."""

    check: str
    meaning: str
    rows: int
    dates: tuple[date, ...] = ()

    def concerns(self, day: date) -> bool:
        """True if the figure of a date cannot be relied on because of it."""
        return not self.dates or day in self.dates

    @property
    def sentence(self) -> str:
        """The check and what it found, in a sentence."""
        return f"{self.check}: {self.meaning.rstrip('.')}"


DAMAGED: Final = FailedCheck(
    "validation_record", f"{KEY} cannot be read, so what failed last is not known until the checks are run again", 0
)
"""What stands for a record that says nothing: what failed is unknown, and unknown is not none."""


def read(lake: Lake) -> tuple[FailedCheck, ...]:
    """The checks that failed when they were last run; none without a record, `DAMAGED` for one that says nothing."""
    try:
        return read_record(lake)
    except KeyNotFoundError:
        return ()
    except (DocumentError, StoreError):
        return (DAMAGED,)


def read_record(lake: Lake) -> tuple[FailedCheck, ...]:
    """The checks that the record names. Raises KeyNotFoundError without one, and DocumentError for a damaged one."""
    data = lake.store.read(KEY)
    try:
        content: Any = orjson.loads(data)
        return tuple(map(_check, content["failed"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise DocumentError(lake.store.uri(KEY), "it is not the record of the last checks") from error


def write(lake: Lake, failed: Sequence[FailedCheck]) -> None:
    """Keep what failed in place of what failed before; a lake in which nothing ever did has no such record."""
    if failed or lake.store.exists(KEY):
        lake.store.write(KEY, orjson.dumps({"failed": list(failed)}, option=orjson.OPT_APPEND_NEWLINE))


def _check(entry: Any) -> FailedCheck:
    days = tuple(date.fromisoformat(day) for day in entry["dates"])
    return FailedCheck(entry["check"], entry.get("meaning", "rows that offend it"), entry.get("rows", len(days)), days)
