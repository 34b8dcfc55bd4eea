"""Which dates passed the checks, and what was there when they did: `state/passed_dates.json`.

It saves work and decides nothing: without it, after an upgrade of mag7 or of DuckDB, or when a check or a table has
changed, every date is checked again.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import orjson

from mag7cli import __version__
from mag7cli.core.errors import StoreError
from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import TABLES, create_sql
from mag7cli.warehouse.date_contents import DateContents, YearContents
from mag7cli.warehouse.engines.duckdb import version

KEY: Final = "state/passed_dates.json"


@dataclass(frozen=True, slots=True)
class PassedDates:
    """The dates on which no check of a date's own rows found anything, and what the lake held then."""

    contents: DateContents
    dates: frozenset[str]

    def unchanged(self, now: DateContents) -> frozenset[str]:
        """Those that are what they were."""
        return frozenset(day for day in self.dates if now.fingerprint(day) == self.contents.fingerprint(day))


def read(lake: Lake, checks: Iterable[str]) -> PassedDates | None:
    """What passed these checks, by their SQL; None where that is not known."""
    try:
        content = orjson.loads(lake.store.read(KEY))
        if content["made_by"] != _code(checks):
            return None
        years = {int(year): YearContents(*of) for year, of in content["years"].items()}
        return PassedDates(DateContents(years, content["partitions"]), frozenset(content["passed"]))
    except (StoreError, orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None


def write(lake: Lake, checks: Iterable[str], passed: PassedDates) -> None:
    """Keep what passed. Raises StoreError."""
    content = {
        "made_by": _code(checks),
        "years": {str(year): [of.versions, of.dates] for year, of in sorted(passed.contents.years.items())},
        "partitions": passed.contents.partitions,
        "passed": sorted(passed.dates),
    }
    lake.store.write(KEY, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))


def _code(checks: Iterable[str]) -> str:
    """What decided that a date passed, and what its fingerprints are made by."""
    text = "\n".join([*checks, *(create_sql(table, "duckdb") for table in TABLES)])
    return f"mag7cli {__version__}, duckdb {version()}, {hashlib.sha256(text.encode()).hexdigest()}"
