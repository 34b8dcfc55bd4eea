"""Raw documents to tables, in both layouts: what has changed since the last run, and only that.

The tables are a function of the raw documents and the splits: a document that is gone or cannot be understood has no
rows. A run that dies at any point is completed by the next one. Knows nothing of rows and Parquet.
"""

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Final

from mag7cli.core import processes
from mag7cli.core.progress import NoProgress, Progress
from mag7cli.lake.layout import Lake
from mag7cli.shares.anomalies import REMEMBERED
from mag7cli.tables import changes
from mag7cli.tables import manifest as manifests
from mag7cli.tables.changes import Range, Sources, YearPlan
from mag7cli.tables.manifest import Made, MadeYear, Manifest

if TYPE_CHECKING:
    from mag7cli.tables.year_files import DocumentReader

_DATES_FOR_A_PROCESS: Final = 120


@dataclass(frozen=True, slots=True)
class FailedDocument:
    """A raw document that made no rows, and why."""

    trading_date: date
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class TransformResult:
    """What a run did, by trading date. `failed` has the documents of this and of earlier runs that are still bad."""

    written: tuple[date, ...]
    unchanged: tuple[date, ...]
    removed: tuple[date, ...]
    failed: tuple[FailedDocument, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not what the raw documents make."""

    key: str
    reason: str


def transform(
    lake: Lake,
    start: date | None = None,
    end: date | None = None,
    *,
    force: bool = False,
    progress: Progress | None = None,
    spread: "Spread | None" = None,
) -> TransformResult:
    """Bring the tables up to date with the raw documents from `start` to `end`, both included, and say what changed.

    Dates outside are touched only if they are in the tables already and share a year, hence a flat file, with one that
    changed, or if another version of mag7 made them. `force` makes every date of the range anew. `spread` makes the
    years elsewhere than on the cores of this machine. Raises StoreError.
    """
    sources = Sources.of(lake)
    manifest = manifests.read(lake)
    period = Range(start or date.min, end or date.max)
    plans = list(changes.plans(sources, manifest, period, force=force))
    if plans:
        before, progress, spread = manifest, progress or NoProgress(), spread or _on_cores
        manifest = _carry_out(lake, plans, before, progress, spread)
        if _raised(before) != _raised(manifest):
            manifest = changes.settled(sources, manifest, plans)
            # Which other dates inherit another doubt than before is known once those that raised it are made.
            heirs = list(changes.plans(sources, manifest, period, force=False))
            plans, manifest = [*plans, *heirs], _carry_out(lake, heirs, manifest, progress, spread)
    return _result(sources, plans, manifest, period)


def _raised(manifest: Manifest) -> dict[date, object]:
    """What the guard raised, and later dates inherit."""
    return {day: record.suspicions for day, record in manifest.dates.items() if record.suspicions}


def unmade_dates(lake: Lake) -> set[date]:
    """The dates that were collected, collected anew or removed since their tables were made.

    Only of years whose files are still those that were written: in others it is not known what a difference is due to.
    """
    every, record = Range(date.min, date.max), manifests.recorded(lake)
    is_of_other_code = record is not None and manifests.read_part(lake, manifests.KEY) is None
    known = record or Manifest({}, {})
    plans = [*changes.plans(Sources.of(lake), known, every, force=is_of_other_code)]
    versions = manifests.listed_versions(lake) if plans else {}
    untouched = (plan for plan in plans if _is_untouched(plan.year, known.years.get(plan.year), versions))
    return {day for plan in untouched for day in plan.changed | plan.removed}


def as_counted(lake: Lake, unmade: Collection[date]) -> tuple[date, ...]:
    """Of unmade dates those that were collected, as a person counts them; all of them where no such one is among them.

    The others are days of splits, which have rows whether or not they were collected, and documents that were removed.
    """
    collected = set(lake.documents())
    return tuple(sorted(collected.intersection(unmade) or unmade))


def heirs(lake: Lake, unmade: Set[date]) -> set[date]:
    """The dates that inherit another doubt than their tables say as soon as the unmade ones before them are made.

    Which these are, only the documents of those tell. As with `unmade_dates`, of years that are as they were written.
    """
    record = manifests.recorded(lake)
    if record is None or not unmade or unmade >= record.dates.keys():
        return set()
    changed, versions = _doubted_otherwise(lake, record, unmade), manifests.listed_versions(lake)
    later = {day for since in changed for day in record.dates if since < day <= since + REMEMBERED} - {*unmade}
    return {day for day in later if _is_untouched(day.year, record.years.get(day.year), versions)}


def _doubted_otherwise(lake: Lake, record: Manifest, unmade: Collection[date]) -> list[date]:
    """The unmade dates on which the guard raises something else by their documents than is recorded."""
    from mag7cli.tables import year_files

    reader = year_files.DocumentReader(lake)
    collected = [inputs for inputs, _ in Sources.of(lake).inputs({}) if inputs.trading_date in unmade]
    raised = {inputs.trading_date: reader.raised_by_document(inputs) for inputs in collected if inputs.has_document}
    before = {day: made.suspicions for day, made in record.dates.items()}
    return [day for day, now in raised.items() if now != before.get(day, ())]


def _is_untouched(year: int, record: MadeYear | None, versions: Mapping[str, str]) -> bool:
    """Whether the flat files are those of the record; without one, whether there are none."""
    if record is None:
        return not any(key.endswith((f"/{year}.parquet", f"/{year}.json")) for key in versions)
    # A run that died has made some of them.
    return not record.fingerprint or record.files(year).items() <= versions.items()


def differences(lake: Lake, unmade: Collection[date] = ()) -> Iterator[Difference]:
    """Where the tables are not, byte for byte, what the raw documents make: the proof behind every figure.

    Files of the dates in `unmade`, and of their years, are not looked at.
    """
    from mag7cli.tables import year_files

    skipped, reader = _keys(lake, unmade), year_files.DocumentReader(lake)
    there = manifests.listed_keys(lake) - skipped
    for plan in changes.plans(Sources.of(lake), Manifest({}, {}), Range(date.min, date.max), force=True):
        expected = dict(year_files.files(year_files.read(reader, plan.inputs), plan.changed))
        expected = {key: data for key, data in expected.items() if key not in skipped}
        yield from (Difference(key, "missing") for key in expected if key not in there)
        present = [key for key in expected if key in there]
        with year_files.transfers(lake.store) as run:
            for key, data in zip(present, run(lake.store.read, present), strict=True):
                if data != expected[key]:
                    yield Difference(key, "other bytes than the raw documents make")
        there.difference_update(present)
    yield from (Difference(key, "made by no raw document") for key in sorted(there))


def _keys(lake: Lake, days: Collection[date]) -> set[str]:
    """The files of these dates in either layout, whether they are there or not."""
    from mag7cli.tables.schema import TABLE

    flat = {lake.flat_key(table, year) for table in TABLE for year in {day.year for day in days}}
    figures = {lake.figures_key(day.year) for day in days}
    return flat | figures | {lake.partition_key(table, day) for table in TABLE for day in days}


# Doing it


@dataclass(frozen=True, slots=True)
class YearResult:
    """What became of a plan: the flat files, and the partitions of the changed dates."""

    plan: YearPlan
    flat: MadeYear
    dates: Mapping[date, Made]


Spread = Callable[[Lake, Sequence[YearPlan]], AbstractContextManager[Iterator[YearResult]]]
"""Makes years of a lake, each by `make_years`, in any order and as often as it takes."""


def _carry_out(lake: Lake, plans: Sequence[YearPlan], before: Manifest, progress: Progress, spread: Spread) -> Manifest:
    """Make the years and keep the manifest true at every step: what is being made counts as unknown until it is."""
    changed = [day for plan in plans for day in plan.changed]
    removed = [day for plan in plans for day in plan.removed]
    manifest = before.doubting([*changed, *removed], [plan.year for plan in plans])
    manifests.write(lake, manifest)
    if not plans:
        return manifest
    with spread(lake, plans) as made_years:
        progress.start(len(changed))
        for result in made_years:
            delete_leftovers(lake, result, before)
            manifest = manifest.with_year(result.plan.year, result.flat, result.dates, result.plan.removed)
            manifests.write(lake, manifest)
            progress.advance(len(result.plan.changed))
    progress.finish()
    return manifest


def _on_cores(lake: Lake, plans: Sequence[YearPlan]) -> AbstractContextManager[Iterator[YearResult]]:
    return processes.spread(partial(make_years, lake), _shares(plans, _workers(lake, plans)))


def _workers(lake: Lake, plans: Sequence[YearPlan]) -> int:
    """How many processes the work is worth: another one takes as long to start as some dates take to make."""
    # On S3 it is requests that take time, not the processor.
    if lake.store.local_root is None:
        return 1
    dates = sum(len(plan.inputs.dates) for plan in plans)
    return max(1, min(processes.cores(), len(plans), dates // _DATES_FOR_A_PROCESS))


def _shares(plans: Sequence[YearPlan], workers: int) -> list[list[YearPlan]]:
    """The years in runs of about as many dates: within a run each takes from the one before what the guard remembers.

    The first run is the longer one if they cannot be alike: this process need not be started.
    """
    shares: list[list[YearPlan]] = [[] for _ in range(workers)]
    total, before = sum(len(plan.inputs.dates) for plan in plans), 0
    for plan in plans:
        dates = len(plan.inputs.dates)
        middle = (2 * before + dates) * workers
        shares[max(0, -(-middle // (2 * total)) - 1) if total else 0].append(plan)
        before += dates
    return shares


def make_years(lake: Lake, plans: Sequence[YearPlan]) -> Iterator[YearResult]:
    """Write the files of years, the oldest first. Another process may do it: it must be safe to repeat."""
    with _no_garbage_collection():
        # Arrow and NumPy take longer to import than it takes to find that nothing has changed.
        from mag7cli.tables import parquet, year_files
    reader = year_files.DocumentReader(lake)
    for plan in plans:
        with _no_garbage_collection(), parquet.system_memory():
            result = _make_year(reader, plan)
        yield result


def make_year(lake: Lake, plan: YearPlan) -> YearResult:
    """Write the files of a year alone."""
    (result,) = make_years(lake, [plan])
    return result


def _make_year(reader: "DocumentReader", plan: YearPlan) -> YearResult:
    from mag7cli.tables import year_files

    lake, rows = reader.lake, year_files.read(reader, plan.inputs)
    with year_files.transfers(lake.store) as run:
        for _ in run(lambda file: lake.store.write(*file), year_files.files(rows, plan.changed)):
            pass
        flat = {lake.flat_key(table, plan.year): table for table in sorted(rows.tables)}
        figures = [lake.figures_key(plan.year)] if year_files.has_figures(rows) else []
        versions = {info.key: info.version for info in run(lake.store.info, [*flat, *figures])}
    statuses = rows.statuses()
    dates = {
        day: Made(
            plan.fingerprints[day],
            rows.tables_on(day),
            rows.problems.get(day),
            statuses.get(day),
            rows.suspicions.get(day, ()),
        )
        for day in sorted(plan.changed)
    }
    by_table = {table: versions[key] for key, table in flat.items()}
    made = MadeYear(plan.fingerprint, by_table, versions.get(lake.figures_key(plan.year), ""))
    return YearResult(plan, made, dates)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Documents hold no circles, nor do imports leave many: to look for some takes a twentieth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def delete_leftovers(lake: Lake, result: YearResult, before: Manifest) -> None:
    """Files that the new documents no longer make: a date that is gone, a table that has no rows any more."""
    from mag7cli.tables import year_files

    year = result.plan.year
    keys = [
        lake.partition_key(table, day)
        for day in (*result.plan.removed, *result.dates)
        for table in before.tables_on(day) - (result.dates[day].tables if day in result.dates else frozenset())
    ]
    keys += [lake.flat_key(table, year) for table in before.tables_in(year) - result.flat.versions.keys()]
    keys += [lake.figures_key(year)] if year in before.years and not result.flat.figures else []
    with year_files.transfers(lake.store) as run:
        for _ in run(lake.store.delete, sorted(keys)):
            pass


def _result(sources: Sources, plans: Sequence[YearPlan], manifest: Manifest, period: Range) -> TransformResult:
    changed = {day for plan in plans for day in plan.changed if day in sources.documents}
    known = {day: record for day, record in manifest.dates.items() if day in sources.documents}
    failed = {day: record.problem for day, record in known.items() if record.problem and period.touches(day.year)}
    return TransformResult(
        written=tuple(sorted(changed - failed.keys())),
        unchanged=tuple(day for day in sorted(known) if day in period and day not in changed and day not in failed),
        removed=tuple(sorted(day for plan in plans for day in plan.removed)),
        failed=tuple(FailedDocument(day, Lake.document_key(day), reason) for day, reason in sorted(failed.items())),
    )
