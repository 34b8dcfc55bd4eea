"""The figures of a year's dates beside the tables: `processed/_figures/<year>.json`, for a look without an engine.

It holds those columns of five tables that the answer of a date needs, as they are in the flat files, and follows from
these alone. What it says counts only while the record of the tables knows it, and knows the flat files that are there.
Engines leave names that begin with `_` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from mag7cli.core.errors import KeyNotFoundError
from mag7cli.lake.layout import Lake
from mag7cli.tables import manifest as manifests
from mag7cli.tables.manifest import MadeYear

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "concentration_metrics": (
        *("trading_date", "total_mag7_market_cap", "sp500_total_market_cap", "mag7_pct_of_sp500"),
    ),
    "company_details": ("trading_date", "ticker", "company_name"),
    "daily_summary": (
        *("trading_date", "status", "partial_reason", "failed_count", "mag7_pct_low", "mag7_pct_high"),
        *("companies_count", "top10_pct", "hhi", "effective_n", "membership_kind", "membership_as_of"),
        *("method", "simulated"),
    ),
    "data_quality": ("trading_date", "ticker", "kind", "severity", "reason"),
    "magnificent7_metrics": ("trading_date", "ticker", "market_cap", "pct_of_mag7", "pct_of_sp500", "ranking"),
}
"""What of which table."""

Figures = Mapping[str, list[list[Any]]]
"""Rows by table, their values in the order of `COLUMNS`: dates are text as ISO has it, money is text to the cent."""


def encode(tables: "Mapping[str, pa.Table]") -> bytes:
    """The figures of a year, of its flat tables."""
    rows = {name: _rows(tables[name], columns) for name, columns in COLUMNS.items() if name in tables}
    return orjson.dumps(rows, default=str, option=orjson.OPT_APPEND_NEWLINE)


def _rows(table: "pa.Table", columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    if "severity" not in columns:
        return list(zip(*(table.column(column).to_pylist() for column in columns), strict=True))
    # What is only told makes no date doubtful, and is most of what there is to tell.
    severities = table.column("severity").to_pylist()
    places = [place for place, severity in enumerate(severities) if severity != "info"]
    return [tuple(table.column(column)[place].as_py() for column in columns) for place in places]


@dataclass(frozen=True, slots=True)
class DailyFigures:
    """The figures that a lake holds beside its tables, by year as the record of the tables has them."""

    lake: Lake
    years: Mapping[int, MadeYear]

    @classmethod
    def of(cls, lake: Lake) -> "DailyFigures | None":
        """Those of a lake; None if there are none that can be relied on. Raises StoreError."""
        years = manifests.recorded_years(lake)
        if years is None or not any(made.figures for made in years.values()):
            return None
        figures = cls(lake, dict(sorted(years.items())))
        return figures if all(figures._is_true(year) for year in figures.years) else None

    def read(self, year: int) -> Figures:
        """The rows of a year. Raises StoreError."""
        if not self.years[year].figures:
            return {}
        figures: Figures = orjson.loads(self.lake.store.read(Lake.figures_key(year)))
        return figures

    def _is_true(self, year: int) -> bool:
        """Whether the files of a year are those of the record, which no run is about to replace."""
        made = self.years[year]
        if not made.fingerprint or bool(made.figures) != ("daily_summary" in made.versions):
            return False
        recorded = made.files(year)
        read = [Lake.figures_key(year), *(Lake.flat_key(name, year) for name in COLUMNS)]
        return all(self._version(key) == recorded[key] for key in read if key in recorded)

    def _version(self, key: str) -> str | None:
        try:
            return self.lake.store.info(key).version
        except KeyNotFoundError:
            return None
