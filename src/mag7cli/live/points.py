"""The minutes of a session in the lake, in a zone and under a lock of their own: `live/trading_date=D/`.

During the session each minute is written as it comes: on a disk as a line at the end of a file, on S3, where nothing
can be added to an object, as an object of its own. At the end they are merged into two Parquet files. Whoever reads
takes both, so that a process that was killed at any moment has lost the minute it was at, and no other.
"""

import io
import logging
import os
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from mag7cli.core.errors import KeyNotFoundError, StoreError
from mag7cli.lake.layout import Lake
from mag7cli.live.records import (
    COMPANIES,
    POINTS,
    Record,
    arrow_table,
    is_of_the_seven,
    latest_by_minute,
    records_of,
    subject,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

_log = logging.getLogger(__name__)

ZONE: Final = "live"

_LABEL: Final = "trading_date="
_LINES: Final = "points.jsonl"
_MINUTES: Final = "minutes/"


class LivePoints:
    """The zone of live points of a lake. `lake` here is the zone itself, so that its lock is not the lake's."""

    def __init__(self, lake: Lake) -> None:
        self.lake = Lake.at(lake.store.uri(ZONE))
        self._store = self.lake.store

    def append(self, entry: Record) -> None:
        """Keep one minute. Raises StoreError."""
        folder = _folder(date.fromisoformat(entry["trading_date"]))
        data = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        root = self._store.local_root
        if root is not None:
            _append(root / folder / _LINES, data)
        else:
            minute = datetime.fromisoformat(entry["minute"])
            of = zlib.crc32(" without ".join(filter(None, subject(entry))).encode())
            self._store.write(f"{folder}{_MINUTES}{minute:%H%M}-{of:08x}.json", data)

    def dates(self) -> list[date]:
        """The trading dates that have minutes, oldest first."""
        keys = (info.key for info in self._store.list("") if info.key.startswith(_LABEL))
        return sorted({day for key in keys if (day := _date(key))})

    def read(self, trading_date: date) -> list[Record]:
        """The minutes of a date, oldest first, each once. Raises StoreError."""
        return latest_by_minute([*self._merged(trading_date), *self._unmerged(trading_date)])

    def merge(self, trading_date: date) -> int:
        """Turn the minutes of a date into its two Parquet files, at any time and again; how many there are."""
        import pyarrow.parquet as pq

        loose = self._loose_keys(trading_date)
        records = self.read(trading_date)
        if not loose:
            return len(records)
        for name in (COMPANIES, POINTS):
            sink = io.BytesIO()
            pq.write_table(arrow_table(name, records), sink, compression="snappy")
            self._store.write(f"{_folder(trading_date)}{name}.parquet", sink.getvalue(), durable=True)
        for key in loose:
            self._store.delete(key)
        return len(records)

    def merge_before(self, trading_date: date) -> None:
        """Merge what a process that was killed has left of earlier dates."""
        keys = [info.key for info in self._store.list("") if info.key.startswith(_LABEL)]
        left = {day for key in keys if not key.endswith(".parquet") and (day := _date(key)) and day < trading_date}
        for day in sorted(left):
            self.merge(day)

    def table(self, name: str) -> "pa.Table":
        """All minutes of all dates as the table `points` or `companies`."""
        return arrow_table(name, [entry for day in self.dates() for entry in self.read(day)])

    def _merged(self, trading_date: date) -> list[dict[str, Any]]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        folder = _folder(trading_date)
        try:
            # Without Arrow's threads: small files gain nothing by them, and they can outlive a short command.
            points, companies = (
                pq.ParquetFile(pa.BufferReader(self._store.read(f"{folder}{name}.parquet"))).read(use_threads=False)
                for name in (POINTS, COMPANIES)
            )
        except KeyNotFoundError:
            return []
        return records_of(points, companies)

    def _unmerged(self, trading_date: date) -> Iterator[Record]:
        """The lines that were not merged yet; one that a dead process left half written is passed over."""
        for key in self._loose_keys(trading_date):
            for row in self._store.read(key).splitlines():
                try:
                    yield orjson.loads(row)
                except orjson.JSONDecodeError:
                    _log.warning("%s: a minute was cut off by the end of its process", self._store.uri(key))

    def _loose_keys(self, trading_date: date) -> list[str]:
        folder = _folder(trading_date)
        keys = (info.key.removeprefix(folder) for info in self._store.list(folder))
        return [folder + key for key in keys if key == _LINES or key.startswith(_MINUTES)]


def latest_record(lake: Lake, after: date) -> Record | None:
    """The newest minute of the Mag 7 that was kept of a trading date after `after`; None if there is none."""
    points = LivePoints(lake)
    newest = [day for day in points.dates() if day > after][-1:]
    records = [entry for day in newest for entry in points.read(day) if is_of_the_seven(entry)]
    return records[-1] if records else None


def add_live_tables(engine: "DuckDbEngine", lake: Lake) -> None:
    """Offer the live points of a lake as `live.points` and `live.companies`, apart from the tables of closes."""
    points = LivePoints(lake)
    for name in (POINTS, COMPANIES):
        engine.add_arrow_table(ZONE, name, points.table(name))


def _folder(trading_date: date) -> str:
    return f"{_LABEL}{trading_date.isoformat()}/"


def _date(key: str) -> date | None:
    try:
        return date.fromisoformat(key.partition("/")[0].removeprefix(_LABEL))
    except ValueError:
        return None


def _append(path: Path, data: bytes) -> None:
    """Add a line in one write and see it to the disk; a half line of a process that died gets its end first."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            os.write(file, b"\n" + data if torn else data)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error
