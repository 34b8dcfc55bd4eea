"""Which dates are collected, and which of them completely: read from the documents themselves, remembered by version.

The memory, `raw/reference/collected.json`, spares a rerun the reading of every document. It can be deleted at any time.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

import orjson

from mag7cli.core.errors import DocumentError, StoreError
from mag7cli.lake.document import Document
from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.layout import Lake
from mag7cli.lake.store import ObjectInfo

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


class CollectedDates:
    """The documents of a lake, without reading those that have not changed since they were last read."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        known = _decode(lake.read_reference(_FILE))
        documents = lake.documents()
        self._entries = {day: known.get((day, info.version)) or self._look(day) for day, info in documents.items()}
        self._remember(documents, known)

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

    def _look(self, day: date) -> Collected:
        try:
            return summary(self._lake.read_document(day))
        except DocumentError as error:
            return Collected(0, f"the document cannot be read: {error.reason}")

    def _remember(self, documents: Mapping[date, ObjectInfo], known: Mapping[tuple[date, str], Collected]) -> None:
        fresh = {(day, info.version): self._entries[day] for day, info in documents.items()}
        if fresh != known:
            # A lake that may only be read can be looked at all the same.
            with suppress(StoreError):
                self._lake.write_reference(_FILE, _encode(fresh))


def summary(document: Document) -> Collected:
    """What a document says of its own completeness."""
    failed: object = document["sp500_details"].get("failed_count")
    if not isinstance(failed, int):
        return Collected(0, "the document does not say how many lines failed")
    return Collected(failed, date_quality(document).partial_reason)


def _decode(data: bytes | None) -> dict[tuple[date, str], Collected]:
    """The memory; an unreadable one is an empty one, since it can be made again."""
    try:
        memory = orjson.loads(data or b"{}")
        rows = memory.get("dates", ()) if memory.get("rule") == _RULE else ()
        return {(date.fromisoformat(day), version): Collected(failed, why) for day, version, failed, why in rows}
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError):
        return {}


def _encode(entries: Mapping[tuple[date, str], Collected]) -> bytes:
    rows = [
        [day.isoformat(), version, entry.failed_count, entry.partial]
        for (day, version), entry in sorted(entries.items())
    ]
    return orjson.dumps({"rule": _RULE, "dates": rows}, option=orjson.OPT_APPEND_NEWLINE)
