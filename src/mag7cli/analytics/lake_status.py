"""What the lake holds and what it lacks: dates, gaps, doubts, failures, sizes. Reads; changes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from mag7cli.analytics.date_statuses import date_statuses
from mag7cli.lake import failed_checks
from mag7cli.lake.document_index import CollectedDates
from mag7cli.lake.failed_checks import FailedCheck
from mag7cli.lake.layout import ANALYTICS, HOLDINGS, PROCESSED, RAW, REFERENCE, WAREHOUSE, Lake
from mag7cli.market.calendar import known_until, sessions
from mag7cli.market.index_history import confirmed_until
from mag7cli.tables.table_files import foreign_objects
from mag7cli.tables.transform import as_counted, unmade_dates

_ZONES: Final = {
    "raw documents": RAW,
    "holdings": HOLDINGS,
    "reference": REFERENCE,
    "processed": PROCESSED,
    "analytics": ANALYTICS,
    "warehouse": WAREHOUSE,
}
_ANSWERS: Final = ("bars/", "details/")


@dataclass(frozen=True, slots=True)
class Size:
    """How much one zone holds."""

    zone: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Trading dates in a row that have no document."""

    first: date
    last: date
    count: int


@dataclass(frozen=True, slots=True)
class Status:
    """The lake at a glance. `missing` are the gaps up to the last session that is over, later ones are `behind`.

    `unmade` are the dates that were collected, and whose tables are not made yet. `answer_files` hold what the vendor
    answered, counted where no date came of it yet. `membership_known_until` is the last day for which the joins and
    leaves of the index are known. `foreign` are the keys of objects that mag7 did not write.
    """

    first: date | None
    last: date | None
    complete: int
    suspect: tuple[date, ...]
    partial: Mapping[date, str]
    failed: Mapping[date, int]
    reasons: Mapping[str, int]
    gaps: tuple[Gap, ...]
    behind: int
    holdings: tuple[date, ...]
    membership_known_until: date
    sizes: tuple[Size, ...]
    last_collected_at: str | None
    simulated: bool
    calendar_until: date
    foreign: tuple[str, ...] = ()
    failed_checks: tuple[FailedCheck, ...] = ()
    answer_files: int = 0
    unmade: tuple[date, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if there is no document at all."""
        return self.first is None


def status(lake: Lake, last_session: date) -> Status:
    """Look at a lake. `last_session` is the last one whose data could be there."""
    collected, statuses = CollectedDates(lake), date_statuses(lake)
    days = collected.days()
    expected = sessions(days[0], max(last_session, days[-1])) if days else []
    gaps = _gaps(expected, set(days))
    newest = lake.read_document(days[-1]) if days else None
    return Status(
        first=days[0] if days else None,
        last=days[-1] if days else None,
        complete=sum(status == "complete" for status in statuses.values()),
        suspect=tuple(day for day, status in statuses.items() if status == "suspect"),
        partial={day: why for day in days if (why := collected[day].partial)},
        failed={day: collected[day].failed_count for day in days if collected[day].failed_count},
        reasons=_reasons(lake, [day for day in days if collected[day].failed_count]),
        gaps=tuple(gap for gap in gaps if gap.last < days[-1]) if days else (),
        behind=sum(day > days[-1] for day in expected) if days else 0,
        holdings=tuple(lake.holdings_dates()),
        membership_known_until=confirmed_until(),
        sizes=tuple(_size(lake, zone, prefix) for zone, prefix in _ZONES.items()),
        last_collected_at=newest["data_collection_time"] if newest else None,
        simulated=bool(newest and newest.get("source", {}).get("simulated")),
        calendar_until=known_until(),
        foreign=tuple(info.key for info in foreign_objects(lake)),
        failed_checks=failed_checks.read(lake),
        answer_files=0 if days else sum(len(lake.reference_files(folder)) for folder in _ANSWERS),
        unmade=as_counted(lake, unmade_dates(lake)),
    )


def _gaps(expected: Sequence[date], present: set[date]) -> list[Gap]:
    runs: list[list[date]] = []
    open_run = False
    for day in expected:
        if day in present:
            open_run = False
        elif open_run:
            runs[-1].append(day)
        else:
            runs.append([day])
            open_run = True
    return [Gap(run[0], run[-1], len(run)) for run in runs]


def _reasons(lake: Lake, days: Iterable[date]) -> dict[str, int]:
    """How many lines failed for which reason, the commonest first."""
    failed = (failure for day in days for failure in lake.read_document(day)["sp500_details"]["failed_tickers"])
    return dict(Counter(failure["reason"] for failure in failed).most_common())


def _size(lake: Lake, zone: str, prefix: str) -> Size:
    objects = list(lake.store.list(prefix))
    return Size(zone, len(objects), sum(info.size for info in objects))
