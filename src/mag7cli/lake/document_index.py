"""Which dates are collected, and which of them completely: read from the documents themselves, and remembered.

The memory, `raw/reference/collected.json`, spares a rerun the reading of every document. It knows them by their version
in the store, and in a copy of the lake, where every version is another one, by their digest. It can be deleted at any
time.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

import orjson

from mag7cli.core.errors import DocumentError, StoreError
from mag7cli.lake import document as market_data
from mag7cli.lake.document import Document
from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.layout import Lake
from mag7cli.lake.store import ObjectInfo
from mag7cli.lake.write_record import digest

_FILE: Final = "collected.json"
# Another rule for what is partial makes what was remembered worthless.
_RULE: Final = 2


@dataclass(frozen=True, slots=True)
class Collected:
    """One date's document: how many lines failed, and why there is no concentration (None: there is)."""

    failed_count: int
    partial: str | None

    @property
    def is_complete(self) -> bool:
        """True if nothing of the date is left to be retried."""
        return self.partial is None and not self.failed_count


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is remembered of a document: its version in the store, the digest of its bytes, None if nobody noted it."""

    version: str
    digest: str | None
    outcome: Collected


@dataclass(frozen=True, slots=True)
class WrittenDocument:
    """A document that was just written: how many bytes, their digest, and what it says of its own completeness."""

    trading_date: date
    size: int
    digest: str
    outcome: Collected


class CollectedDates:
    """The documents of a lake, without reading those that have not changed since they were last read."""

    def __init__(self, lake: Lake) -> None:
        known = _decode(lake.read_reference(_FILE))
        entries = {
            day: entry if (entry := known.get(day)) and entry.version == info.version else _look(lake, day, info, entry)
            for day, info in lake.documents().items()
        }
        self._entries = {day: entry.outcome for day, entry in entries.items()}
        if entries != known:
            # A lake that may only be read can be looked at all the same.
            with suppress(StoreError):
                lake.write_reference(_FILE, _encode(entries))

    def __getitem__(self, day: date) -> Collected:
        return self._entries[day]

    def __contains__(self, day: date) -> bool:
        return day in self._entries

    def days(self) -> list[date]:
        """The dates that have a document, oldest first."""
        return list(self._entries)

    def is_complete(self, day: date) -> bool:
        """True if the date has a document with nothing left to retry."""
        return day in self._entries and self._entries[day].is_complete

    def is_incomplete(self, day: date) -> bool:
        """True if the date has a document with something left to retry."""
        return day in self._entries and not self._entries[day].is_complete


def note_written(lake: Lake, written: Iterable[WrittenDocument]) -> None:
    """Remember documents that were just written, so that the next run need not read them."""
    written = list(written)
    known, present = _decode(lake.read_reference(_FILE)), lake.documents_on([each.trading_date for each in written])
    entries = dict(known)
    for document in written:
        info = present.get(document.trading_date)
        # What has another size was put there by somebody else since.
        if info and info.size == document.size:
            entries[document.trading_date] = _Entry(info.version, document.digest, document.outcome)
    if entries != known:
        lake.write_reference(_FILE, _encode(entries))


def summary(document: Document) -> Collected:
    """What a document says of its own completeness."""
    failed: object = document["sp500_details"].get("failed_count")
    if not isinstance(failed, int):
        return Collected(0, "the document does not say how many lines failed")
    return Collected(failed, date_quality(document).partial_reason)


def _look(lake: Lake, day: date, info: ObjectInfo, known: _Entry | None) -> _Entry:
    """What a document says; of one whose bytes are known, what it is known to say."""
    key = lake.document_key(day)
    data = lake.store.read(key)
    seen = digest(data)
    if known and known.digest == seen:
        return _Entry(info.version, seen, known.outcome)
    try:
        outcome = summary(market_data.decode(data, lake.store.uri(key)))
    except DocumentError as error:
        outcome = Collected(0, f"the document cannot be read: {error.reason}")
    return _Entry(info.version, seen, outcome)


def _decode(data: bytes | None) -> dict[date, _Entry]:
    """The memory; an unreadable one is an empty one, since it can be made again."""
    try:
        memory = orjson.loads(data or b"{}")
        rows = memory.get("dates", ()) if memory.get("rule") == _RULE else ()
        return {
            date.fromisoformat(day): _Entry(version, noted[0] if noted else None, Collected(failed, why))
            for day, version, failed, why, *noted in rows
        }
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError):
        return {}


def _encode(entries: Mapping[date, _Entry]) -> bytes:
    rows = [
        [day.isoformat(), entry.version, entry.outcome.failed_count, entry.outcome.partial, entry.digest]
        for day, entry in sorted(entries.items())
    ]
    return orjson.dumps({"rule": _RULE, "dates": rows}, option=orjson.OPT_APPEND_NEWLINE)
