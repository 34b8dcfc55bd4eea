"""Zones and keys of the data lake, its lock's among them. Knows nothing of S3 or disks: that is the store's business.

What is raw was paid for with calls and time, so it is written to outlast a power cut; tables can be made again.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Final

from mag7cli.core.errors import KeyNotFoundError, UsageError
from mag7cli.lake.open import open_store
from mag7cli.lake.store import ObjectInfo, Store

if TYPE_CHECKING:
    from mag7cli.lake.document import Document

RAW: Final = "raw/magnificent7/"
HOLDINGS: Final = "raw/holdings/"
FUNDS: Final = "raw/funds/"
REFERENCE: Final = "raw/reference/"
PROCESSED: Final = "processed/"
ANALYTICS: Final = "analytics/"
FIGURES: Final = PROCESSED + "_figures/"
COPY_JOBS: Final = "copyjobs/"
LIVE: Final = "live/"
_ZONES: Final = ("raw/", PROCESSED, ANALYTICS)
WAREHOUSE: Final = "warehouse.duckdb"
LOCK: Final = ".mag7.lock"

# Up to so many objects are looked at one by one: on S3 a listing of a thousand is one request.
_FEW_DATES: Final = 5

_DOCUMENT_NAME: Final = "market_data.json"
_HOLDINGS_NAME: Final = "IVV_holdings.csv"
_REFERENCE_NAME: Final = re.compile(
    rf"{REFERENCE}\w+/(date=\d{{4}}-\d\d-\d\d|month=\d{{4}}-\d\d|ticker=[\w.~%\-]+)\.json"
)


class Lake:
    """The lake over a store: raw documents, holdings files, reference data and the two Parquet layouts."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @classmethod
    def at(cls, address: str) -> "Lake":
        """The lake at a folder or `s3://bucket[/prefix]`; nothing is created. Raises UsageError."""
        return cls(open_store(address))

    @classmethod
    def typed(cls, address: str, default: str) -> "Lake":
        """The lake at an address for a command that can do without: if it is not the default, there must be one."""
        lake = cls.at(address)
        return lake if address == default else lake.require()

    def require(self) -> "Lake":
        """The lake itself, if there is one at its address. Raises UsageError, StoreError."""
        if not self._is_there():
            root = self.store.local_root
            where = self.store.uri("")
            raise UsageError(
                f"{where} is a file, not a lake" if root and root.is_file() else f"there is no lake at {where}",
                hint="check --lake: a lake is made by collecting into it, and by mag7 demo",
            )
        return self

    def _is_there(self) -> bool:
        root = self.store.local_root
        if root is not None:
            return any((root / zone).is_dir() for zone in _ZONES)
        return any(next(iter(self.store.list(zone)), None) for zone in _ZONES)

    # Raw documents

    @staticmethod
    def document_key(trading_date: date) -> str:
        """Where the raw document of a date lies."""
        return f"{RAW}trading_date={trading_date.isoformat()}/{_DOCUMENT_NAME}"

    def documents(self) -> dict[date, ObjectInfo]:
        """The raw documents that are there, by trading date, oldest first."""
        objects = self.store.list(RAW)
        return dict(sorted(_by_date(objects, RAW, "trading_date", _DOCUMENT_NAME)))

    def documents_on(self, dates: Collection[date]) -> dict[date, ObjectInfo]:
        """Those of these dates that have a raw document; a few are looked at one by one, of many all are listed."""
        if len(dates) > _FEW_DATES:
            return {day: info for day, info in self.documents().items() if day in dates}
        present: dict[date, ObjectInfo] = {}
        for day in sorted(dates):
            with suppress(KeyNotFoundError):
                present[day] = self.store.info(self.document_key(day))
        return present

    def read_document(self, trading_date: date) -> "Document":
        """The raw document of a date. Raises KeyNotFoundError, DocumentError."""
        from mag7cli.lake import document as market_data

        key = self.document_key(trading_date)
        return market_data.decode(self.store.read(key), self.store.uri(key))

    def write_document(self, trading_date: date, document: "Document") -> bytes:
        """Keep the raw document of a date, replacing the one that is there; the bytes that were written."""
        from mag7cli.lake import document as market_data

        data = market_data.encode(document)
        self.store.write(self.document_key(trading_date), data, durable=True)
        return data

    # Holdings files, as the issuer published them

    @staticmethod
    def holdings_key(as_of: date) -> str:
        """Where the holdings file of an as-of date lies."""
        return f"{HOLDINGS}as_of={as_of.isoformat()}/{_HOLDINGS_NAME}"

    def holdings_dates(self) -> list[date]:
        """The as-of dates of the holdings files that are there, oldest first."""
        return sorted(day for day, _ in _by_date(self.store.list(HOLDINGS), HOLDINGS, "as_of", _HOLDINGS_NAME))

    def read_holdings(self, as_of: date) -> bytes:
        """A holdings file. Raises KeyNotFoundError."""
        return self.store.read(self.holdings_key(as_of))

    def write_holdings(self, as_of: date, data: bytes) -> None:
        """Keep a holdings file under its as-of date."""
        self.store.write(self.holdings_key(as_of), data, durable=True)

    def keeps_funds(self) -> bool:
        """Whether holdings files of funds are kept, the index fund's among them."""
        return any(True for zone in (HOLDINGS, FUNDS) for _ in self.store.list(zone))

    # Reference data: what the vendor said, so that a rerun asks only what is new

    def read_reference(self, name: str) -> bytes | None:
        """A reference file, None if there is none yet."""
        try:
            return self.store.read(REFERENCE + name)
        except KeyNotFoundError:
            return None

    def reference_files(self, folder: str) -> list[ObjectInfo]:
        """The reference files below a folder whose names are ours, by key."""
        return [info for info in self.store.list(REFERENCE + folder) if _REFERENCE_NAME.fullmatch(info.key)]

    def write_reference(self, name: str, data: bytes) -> None:
        """Keep a reference file."""
        self.store.write(REFERENCE + name, data, durable=True)

    # Tables

    @staticmethod
    def partition_key(table: str, trading_date: date) -> str:
        """The one file of a table's Hive partition (Athena)."""
        return f"{PROCESSED}{table}/trading_date={trading_date.isoformat()}/part-0.parquet"

    @staticmethod
    def flat_key(table: str, year: int) -> str:
        """The one file of a table's calendar year in the flat layout (Redshift)."""
        return f"{ANALYTICS}{table}/{year}.parquet"

    @staticmethod
    def figures_key(year: int) -> str:
        """The daily figures of a calendar year; a name that engines leave alone."""
        return f"{FIGURES}{year}.json"


def _by_date(objects: Iterator[ObjectInfo], zone: str, label: str, name: str) -> Iterator[tuple[date, ObjectInfo]]:
    """The objects named `<zone><label>=DATE/<name>`; what else is in the zone is somebody else's."""
    for info in objects:
        text = info.key.removeprefix(f"{zone}{label}=").removesuffix(f"/{name}")
        try:
            day = date.fromisoformat(text)
        except ValueError:
            continue
        # There are other ways to write a date than ours.
        if info.key == f"{zone}{label}={day.isoformat()}/{name}":
            yield day, info
