"""A transform whose years are made by several processes, perhaps on several machines, one year each.

`begin` says which years, `make` makes one of them, `merge` puts their records together. A year writes its own files and
its own part of the record, so that no two processes write to one object. In between, every file of these years counts
as unknown: whatever dies, the next transform makes them again. One execution holds the lake all the while.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from mag7cli.core.errors import UsageError
from mag7cli.lake.layout import PROCESSED, Lake
from mag7cli.tables import changes as transform_plan
from mag7cli.tables import manifest as manifests
from mag7cli.tables.changes import Range, Sources, YearPlan
from mag7cli.tables.manifest import Manifest
from mag7cli.tables.transform import delete_leftovers, make_year, transform

_PARTS: Final = f"{PROCESSED}_parts/"
_WHOLE: Final = Range(date.min, date.max)


def begin(lake: Lake) -> list[int]:
    """The years to be made, each by a call of `make`; a single one is made at once, date by date, as ever.

    Args:
        lake: The lake, held by the caller.

    Returns:
        The years that are left to make, oldest first; empty if there is nothing left.
    """
    for part in _parts(lake):
        lake.store.delete(part)
    manifest = manifests.read(lake)
    plans = list(transform_plan.plans(Sources.of(lake), manifest, _WHOLE, force=False))
    if len(plans) <= 1:
        transform(lake)
        return []
    unknown = [day for plan in plans for day in (*plan.changed, *plan.removed)]
    manifests.write(lake, manifest.doubting(unknown, [plan.year for plan in plans]))
    return [plan.year for plan in plans]


def make(lake: Lake, year: int) -> int:
    """Make the files of a year, and its part of the record; safe to repeat.

    Args:
        lake: The lake, held for the caller.
        year: One of those that `begin` named.

    Returns:
        How many dates were made.

    Raises:
        UsageError: There is nothing to make of that year.
    """
    manifest = manifests.read(lake)
    plan = _plan(lake, manifest, year)
    result = make_year(lake, plan)
    delete_leftovers(lake, result, manifest)
    manifests.write(lake, Manifest({}, {}).with_year(year, result.flat, result.dates, ()), _part(year))
    return len(result.dates)


def merge(lake: Lake) -> int:
    """Put the parts of the record into the whole, and remove them; how many dates they told of."""
    manifest, dates = manifests.read(lake), 0
    parts = list(_parts(lake))
    for key in parts:
        part = manifests.read_part(lake, key)
        for year, flat in part.years.items() if part else ():
            unknown = [day for day, record in manifest.dates.items() if day.year == year and not record.fingerprint]
            manifest = manifest.with_year(year, flat, part.dates if part else {}, unknown)
            dates += len(part.dates) if part else 0
    manifests.write(lake, manifest)
    for key in parts:
        lake.store.delete(key)
    return dates


def _plan(lake: Lake, manifest: Manifest, year: int) -> YearPlan:
    whole_year = Range(date(year, 1, 1), date(year, 12, 31))
    for plan in transform_plan.plans(Sources.of(lake), manifest, whole_year, force=False):
        if plan.year == year:
            return plan
    raise UsageError(f"there is nothing to make of {year}: it is as it should be")


def _part(year: int) -> str:
    return f"{_PARTS}{year}.json"


def _parts(lake: Lake) -> Iterator[str]:
    return iter([item.key for item in lake.store.list(_PARTS)])
