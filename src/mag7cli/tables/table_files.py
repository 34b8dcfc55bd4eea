"""The files of the tables that a reader may take: those of the lake's own record, never whatever lies under a prefix.

The record is the manifest. Without one, as in a lake whose tables came without it, a file is known by its name alone.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from mag7cli.core.errors import KeyNotFoundError
from mag7cli.lake import inventory
from mag7cli.lake.layout import ANALYTICS, FIGURES, PROCESSED, Lake
from mag7cli.lake.store import ObjectInfo
from mag7cli.tables import manifest as manifests
from mag7cli.tables.manifest import Manifest
from mag7cli.tables.schema import COMPUTED, PARTITION, TABLE

# Engines that read a whole prefix leave such names alone.
_HIDDEN: Final = (".", "_")
# The record of what was transformed knows nothing of them.
_COMPUTED: Final = frozenset(table.name for table in COMPUTED)


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The table files of a lake, as its record of them knows them; `record` is None where there is none."""

    lake: Lake
    record: Manifest | None

    @classmethod
    def of(cls, lake: Lake) -> "TableFiles":
        """Those of a lake. Raises StoreError."""
        return cls(lake, manifests.recorded(lake))

    @classmethod
    def of_years(cls, lake: Lake) -> "TableFiles":
        """The same for who looks at the flat layout alone: of partitions it knows nothing. Raises StoreError."""
        years = manifests.recorded_years(lake)
        return cls(lake, None if years is None else Manifest({}, years))

    def flat(self, table: str) -> list[ObjectInfo]:
        """The files of a table in the flat layout, by year."""
        return [info for info in self.lake.store.list(f"{ANALYTICS}{table}/") if self._is_flat(info.key, table)]

    def flat_of_all(self) -> dict[str, list[ObjectInfo]]:
        """The files of every table in the flat layout, by year: one listing, where `flat` takes one for each."""
        files: dict[str, list[ObjectInfo]] = {table: [] for table in (*TABLE, *_COMPUTED)}
        for info in self.lake.store.list(ANALYTICS):
            table = info.key.removeprefix(ANALYTICS).partition("/")[0]
            if table in files and self._is_flat(info.key, table):
                files[table].append(info)
        return files

    def partitions(self, table: str) -> dict[date, ObjectInfo]:
        """The files of a table's partitions, by trading date, oldest first."""
        prefix = f"{PROCESSED}{table}/{PARTITION}="
        days = ((_day(info.key.removeprefix(prefix)), info) for info in self.lake.store.list(prefix))
        return {day: info for day, info in days if day and self._is_partition(info.key, table, day)}

    def partitions_on(self, table: str, dates: Collection[date]) -> list[str]:
        """The keys of a table's partitions on some dates, as far as they are there, oldest first."""
        keys = [Lake.partition_key(table, day) for day in sorted(dates) if self._may_have(table, day)]
        return [key for key in keys if self.lake.store.exists(key)]

    def partition_versions(self) -> dict[date, dict[str, str]]:
        """The version of every partition's file by table, on each date that has one."""
        versions: dict[date, dict[str, str]] = {}
        for table, day, version in self._listed() if self.record is None else self._recorded(self.record):
            versions.setdefault(day, {})[table] = version
        return versions

    def _listed(self) -> Iterator[tuple[str, date, str]]:
        return ((table, day, info.version) for table in TABLE for day, info in self.partitions(table).items())

    def _recorded(self, record: Manifest) -> Iterator[tuple[str, date, str]]:
        """What the record knows to be there: to look at each file costs a third of a listing of all folders."""
        info = self.lake.store.info
        for day, made in record.dates.items():
            for table in made.tables:
                try:
                    yield table, day, info(Lake.partition_key(table, day)).version
                except KeyNotFoundError:
                    continue

    def _may_have(self, table: str, day: date) -> bool:
        return self.record is None or table in self.record.tables_on(day)

    def _is_flat(self, key: str, table: str) -> bool:
        name = key.rpartition("/")[2].removesuffix(".parquet")
        if not (name.isascii() and name.isdigit()) or key != Lake.flat_key(table, int(name)):
            return False
        return self.record is None or table in _COMPUTED or table in self.record.tables_in(int(name))

    def _is_partition(self, key: str, table: str, day: date) -> bool:
        return self._may_have(table, day) and key == Lake.partition_key(table, day)

    def _is_own(self, key: str) -> bool:
        zone, table, *rest = key.split("/")
        if not inventory.is_own(key, {*TABLE, *_COMPUTED} if f"{zone}/" == ANALYTICS else TABLE):
            return False
        if f"{zone}/" == ANALYTICS:
            return self._is_flat(key, table)
        if key.startswith(FIGURES):
            return self.record is None or int(rest[0].removesuffix(".json")) in self.record.years
        day = _day(rest[0].removeprefix(f"{PARTITION}=")) if f"{zone}/" == PROCESSED and table in TABLE else None
        return day is None or self._is_partition(key, table, day)


def foreign_objects(lake: Lake, zones: Sequence[str] = inventory.ZONES) -> list[ObjectInfo]:
    """What lies in these zones of a lake and is not its own, by key: no reader takes it. Raises StoreError."""
    files = TableFiles.of(lake)
    return [info for zone in zones for info in lake.store.list(zone) if not files._is_own(info.key)]


def visible_to_engines(objects: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """Those objects that Athena and its kin would read along, since they read every name under a table's prefix."""
    return [info for info in objects if not info.key.rpartition("/")[2].startswith(_HIDDEN)]


def year_of(key: str) -> int:
    """The year of a flat file, by its key."""
    return int(key.rpartition("/")[2].removesuffix(".parquet"))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
