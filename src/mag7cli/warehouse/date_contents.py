"""What the table files of a lake hold on each date, as fingerprints: whether a date is still what it was.

Of the flat layout it is the rows themselves that count, since a new date makes the file of its year anew; of the
partitions it is the version of each file. A date is text as ISO has it; rows without one stand under `0001-01-01`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import TYPE_CHECKING

from mag7cli.tables.schema import TABLE
from mag7cli.tables.table_files import TableFiles, year_of

if TYPE_CHECKING:
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine


@dataclass(frozen=True, slots=True)
class YearContents:
    """The flat files of a year: their versions by table, and the fingerprint of their rows on each date."""

    versions: Mapping[str, str]
    dates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DateContents:
    """The rows of both layouts: by year those of its flat files, by date the versions of the partitions."""

    years: Mapping[int, YearContents]
    partitions: Mapping[str, str]

    def dates(self) -> set[str]:
        """Every date of either layout."""
        return set(self.partitions).union(*(year.dates for year in self.years.values()))

    def fingerprint(self, day: str) -> tuple[str | None, ...]:
        """What is there on a date."""
        rows = [f"{year} {of.dates[day]}" for year, of in sorted(self.years.items()) if day in of.dates]
        return (self.partitions.get(day), *rows)

    def years_with(self, dates: Collection[str]) -> frozenset[int]:
        """The years whose flat files have rows on any of these dates."""
        return frozenset(year for year, of in self.years.items() if not of.dates.keys().isdisjoint(dates))


def contents(files: TableFiles, engine: "DuckDbEngine", before: DateContents | None = None) -> DateContents:
    """What the files hold now; a year whose files are those of `before` is not read again. Raises EngineError."""
    # First the versions: a file that is replaced meanwhile is then looked at again the next time.
    is_local = files.lake.store.local_root is not None
    partitions = files.partition_versions() if is_local else {}
    versions = _flat_versions(files)
    known = before.years if before else {}
    return DateContents(
        {
            year: known[year] if year in known and known[year].versions == of else _read(files, engine, year, of)
            for year, of in versions.items()
        },
        {day.isoformat(): _digest(f"{table} {of[table]}" for table in sorted(of)) for day, of in partitions.items()},
    )


def _flat_versions(files: TableFiles) -> dict[int, dict[str, str]]:
    versions: dict[int, dict[str, str]] = {}
    for table in TABLE:
        for info in files.flat(table):
            year = year_of(info.key)
            versions.setdefault(year, {})[table] = info.version
    return versions


def _read(files: TableFiles, engine: "DuckDbEngine", year: int, versions: Mapping[str, str]) -> YearContents:
    by_date: dict[date, list[str]] = {}
    for table in sorted(versions):
        key = files.lake.flat_key(table, year)
        for day, rows in engine.rows_of_file(files.lake, TABLE[table], key, versions[table]).items():
            by_date.setdefault(day, []).append(f"{table} {rows.count} {rows.hash_sum}")
    return YearContents(versions, {day.isoformat(): _digest(of) for day, of in by_date.items()})


def _digest(parts: Iterable[str]) -> str:
    return blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()
