"""What `transform` has made, and of what: `processed/_manifest.json`. It saves work and decides nothing else.

A manifest that is missing, damaged, of other code or of other files than the lake has is replaced by a listing of the
files, which matches no document, so that everything is made again. Athena ignores names that start with `_`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import orjson

from mag7cli import __version__
from mag7cli.core.errors import KeyNotFoundError
from mag7cli.lake.layout import ANALYTICS, FIGURES, PROCESSED, Lake
from mag7cli.lake.store import ObjectInfo

if TYPE_CHECKING:
    from mag7cli.market.date_quality import DateStatus
    from mag7cli.shares.anomalies import Suspicion

KEY: Final = PROCESSED + "_manifest.json"

_EVERY_DATE: Final = "daily_summary"
_PARTITION: Final = re.compile(rf"{PROCESSED}(\w+)/trading_date=(\d{{4}}-\d\d-\d\d)/part-0\.parquet")
_FLAT: Final = re.compile(rf"{ANALYTICS}(\w+)/(\d{{4}})\.parquet")
_FIGURES: Final = re.compile(rf"{FIGURES}(\d{{4}})\.json")


@dataclass(frozen=True, slots=True)
class Made:
    """The tables that have a partition for a date, and the fingerprint of what they were made of.

    `problem` is why the date's document made no rows; `status` what its rows say of the date; `suspicions` are what the
    guard raised on it that later dates may inherit.
    """

    fingerprint: str
    tables: frozenset[str]
    problem: str | None = None
    status: "DateStatus | None" = None
    suspicions: "tuple[Suspicion, ...]" = ()


@dataclass(frozen=True, slots=True)
class MadeYear:
    """The flat files of a year: their versions by table, and the fingerprint of what they were made of.

    `figures` is the version of the file with the year's figures, if it has any.
    """

    fingerprint: str
    versions: Mapping[str, str]
    figures: str = ""

    def files(self, year: int) -> dict[str, str]:
        """The version of every file, by key."""
        flat = {Lake.flat_key(table, year): version for table, version in self.versions.items()}
        return flat | ({Lake.figures_key(year): self.figures} if self.figures else {})


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is there: partitions by date and flat files by year."""

    dates: Mapping[date, Made]
    years: Mapping[int, MadeYear]

    def tables_on(self, day: date) -> frozenset[str]:
        """The tables that have a partition for that date."""
        return self.dates[day].tables if day in self.dates else frozenset()

    def tables_in(self, year: int) -> frozenset[str]:
        """The tables that have a flat file for that year."""
        return frozenset(self.years[year].versions) if year in self.years else frozenset()

    def doubting(self, dates: Iterable[date], years: Iterable[int]) -> "Manifest":
        """The manifest while these are being made: any of their files may be there, whatever it was made of."""
        unknown, unknown_year = Made("", _tables()), MadeYear("", dict.fromkeys(_tables(), ""))
        return Manifest(
            {**self.dates, **dict.fromkeys(dates, unknown)}, {**self.years, **dict.fromkeys(years, unknown_year)}
        )

    def with_year(self, year: int, record: MadeYear, dates: Mapping[date, Made], removed: Iterable[date]) -> "Manifest":
        """The manifest after a year was made: some of its `dates` anew, some of them `removed`."""
        others = {day: of for day, of in self.dates.items() if day not in set(removed)}
        return Manifest({**others, **dates}, {**self.years, year: record})


@cache
def _tables() -> frozenset[str]:
    """The names of all tables; who reads the record alone does not wait for their columns."""
    from mag7cli.tables.schema import TABLE

    return frozenset(TABLE)


def read(lake: Lake) -> Manifest:
    """The manifest that the lake keeps, or, where it cannot be trusted, what a listing of the files shows."""
    present = _decoded(lake)
    return present if present and _agrees(present, lake) else _listed(lake, recorded(lake))


def write(lake: Lake, manifest: Manifest, key: str = KEY) -> None:
    """Keep the manifest, or a part of it under a key of its own."""
    content = {
        "made_by": _code(),
        "dates": {
            day.isoformat(): [
                record.fingerprint,
                sorted(record.tables),
                record.problem,
                record.status,
                *([_encoded(record.suspicions)] if record.suspicions else []),
            ]
            for day, record in sorted(manifest.dates.items())
        },
        "years": {
            str(year): [record.fingerprint, dict(sorted(record.versions.items())), record.figures]
            for year, record in sorted(manifest.years.items())
        },
    }
    lake.store.write(key, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))


def _code() -> str:
    """What turns documents into bytes: another version of any of it may make other bytes."""
    # Takes as long to import as a worker of `transform`, which never asks, does to make some dates.
    from importlib.metadata import version

    from mag7cli.tables.schema import SCHEMA_VERSION

    return f"mag7cli {__version__}, tables {SCHEMA_VERSION}, figures 1, guard 1, pyarrow {version('pyarrow')}"


def _encoded(suspicions: "Iterable[Suspicion]") -> list[list[object]]:
    return [[raised.shares, *astuple(raised.event)] for raised in suspicions]


def _suspicions(day: str, rows: Sequence[Sequence[Any]] = ()) -> "tuple[Suspicion, ...]":
    if not rows:
        return ()
    from mag7cli.shares.anomalies import Event, Suspicion

    return tuple(Suspicion(date.fromisoformat(day), Event(*values), shares) for shares, *values in rows)


def read_part(lake: Lake, key: str) -> Manifest | None:
    """A part of the manifest; None if there is none, or it was made by other code."""
    return _decoded(lake, key)


def recorded(lake: Lake) -> Manifest | None:
    """The manifest as it stands, whichever code made it: which files are a lake's own. None without a readable one."""
    return _decoded(lake, by_any_code=True)


def recorded_years(lake: Lake) -> dict[int, MadeYear] | None:
    """The years of the manifest as it stands, whichever code made it; None without a readable one."""
    try:
        return _years(orjson.loads(lake.store.read(KEY)))
    except _UNREADABLE:
        return None


def _decoded(lake: Lake, key: str = KEY, *, by_any_code: bool = False) -> Manifest | None:
    try:
        made_by, manifest = _of_bytes(lake.store.read(key))
        return manifest if by_any_code or made_by == _code() else None
    except _UNREADABLE:
        return None


@lru_cache(maxsize=1)
def _of_bytes(data: bytes) -> tuple[str | None, Manifest]:
    """What made a manifest, and the manifest; the stages of a run all read the same one."""
    content = orjson.loads(data)
    dates = {
        date.fromisoformat(day): Made(fingerprint, _names(*names), problem, status, _suspicions(day, *raised))
        for day, (fingerprint, names, problem, status, *raised) in content["dates"].items()
    }
    return content.get("made_by"), Manifest(MappingProxyType(dates), MappingProxyType(_years(content)))


@cache
def _names(*names: str) -> frozenset[str]:
    """Names of tables: the same set for all dates that have the same ones."""
    return frozenset(names)


_UNREADABLE: Final = (KeyNotFoundError, orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError)


def _years(content: Any) -> dict[int, MadeYear]:
    return {
        int(year): MadeYear(fingerprint, dict(versions), *figures)
        for year, (fingerprint, versions, *figures) in content["years"].items()
    }


def _agrees(manifest: Manifest, lake: Lake) -> bool:
    """Whether the files are still there, by a sample that costs little even where listing is a request.

    Every flat file in its version, every date's summary, and every partition of the last date: enough to notice a
    folder that was deleted, be it a zone's, a table's or a date's. What an earlier run was making when it died proves
    nothing, nor does a file that the manifest does not know: it is somebody else's.
    """
    flat = {
        key: version
        for year, record in manifest.years.items()
        if record.fingerprint
        for key, version in record.files(year).items()
    }
    summaries = {day for day, record in manifest.dates.items() if record.fingerprint and _EVERY_DATE in record.tables}
    last = max(summaries, default=None)
    return (
        flat.items() <= listed_versions(lake).items()
        and summaries <= {day for day, _ in _summaries(lake)}
        and (last is None or all(lake.store.exists(lake.partition_key(t, last)) for t in manifest.dates[last].tables))
    )


def _summaries(lake: Lake) -> Iterator[tuple[date, str]]:
    return _partitions(lake, f"{PROCESSED}{_EVERY_DATE}/")


def _listed(lake: Lake, record: Manifest | None) -> Manifest:
    """What is there by the names of the files, those of the record only if there is one: others are somebody else's."""
    dates: dict[date, set[str]] = {}
    years: dict[int, dict[str, str]] = {}
    for day, table in _partitions(lake, PROCESSED):
        if record is None or table in record.tables_on(day):
            dates.setdefault(day, set()).add(table)
    for year, table in _flat_files(lake):
        if record is None or table in record.tables_in(year):
            years.setdefault(year, {})[table] = ""
    for year in (int(match[1]) for info in _figures(lake) if (match := _FIGURES.fullmatch(info.key))):
        if record is None or year in record.years:
            years.setdefault(year, {})
    return Manifest(
        {day: Made("", frozenset(names)) for day, names in dates.items()},
        {year: MadeYear("", names) for year, names in years.items()},
    )


def listed_keys(lake: Lake) -> set[str]:
    """The keys of every file of either layout, and of those with the figures."""
    partitions = {lake.partition_key(table, day) for day, table in _partitions(lake, PROCESSED)}
    flat = {lake.flat_key(table, year) for year, table in _flat_files(lake)}
    return partitions | flat | {info.key for info in _figures(lake)}


def listed_versions(lake: Lake) -> dict[str, str]:
    """The version of every flat file and of every file with figures, by key."""
    return {info.key: info.version for info in (*lake.store.list(ANALYTICS), *_figures(lake))}


def _partitions(lake: Lake, prefix: str) -> Iterator[tuple[date, str]]:
    for info in lake.store.list(prefix):
        match = _PARTITION.fullmatch(info.key)
        day = _date(match[2]) if match and match[1] in _tables() else None
        if match and day:
            yield day, match[1]


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _flat_files(lake: Lake) -> Iterator[tuple[int, str]]:
    """Year and table of every flat file."""
    for info in lake.store.list(ANALYTICS):
        match = _FLAT.fullmatch(info.key)
        if match and match[1] in _tables():
            yield int(match[2]), match[1]


def _figures(lake: Lake) -> list[ObjectInfo]:
    """The files with the figures of a year."""
    return [info for info in lake.store.list(FIGURES) if _FIGURES.fullmatch(info.key)]
