"""By how much a share count may be off, beside what sampling leaves open: frozen years, old answers, rounding. Pure.

The bounds are what was seen of the vendor and of companies: docs/methodology.md, "Quality", says from what.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from mag7cli.shares.fiscal_calendar import FiscalCalendar
from mag7cli.shares.history import ShareCount, ShareHistory
from mag7cli.shares.records import HONOURED_FROM

LeewaySource = Literal["frozen_counts", "stale_counts", "rounding"]

REASONS: Final[dict[LeewaySource, str]] = {
    "frozen_counts": "counts from before October 2021 that the vendor froze, or of which nothing later tells",
    "stale_counts": "counts asked for before a fiscal quarter ended, or between two answers that differ",
    "rounding": "counts that were given in the share units of another day, or rounded on a cover page",
}

# Frozen counts of companies with several classes were up to 2 % off; a quarter's buybacks and issues rarely come to so
# much.
_FROZEN: Final = 0.02
_QUARTER: Final = 0.02
# Covers may count in thousands, and a split of 20 for 1 leaves as many shares: of the smallest company a millionth.
_ROUNDED: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Leeway:
    """The part of a count by which it may be above the truth or below it."""

    source: LeewaySource
    part: float


def leeways(
    history: ShareHistory, count: ShareCount, day: date, calendar: FiscalCalendar, *, sampled: bool
) -> Iterator[Leeway]:
    """What the count of a date leaves open; where the line is `sampled`, that is known of its steps already."""
    is_frozen = any(adjustment.is_frozen for adjustment in count.adjustments)
    is_confirmed = history.observed[-1] >= HONOURED_FROM
    if count.basis == "weighted" and (is_frozen or (day < HONOURED_FROM and not is_confirmed)):
        yield Leeway("frozen_counts", max(_FROZEN, *(adjustment.open_part for adjustment in count.adjustments), 0.0))
    elif count.basis == "cover_page" and (part := max(adjustment.open_part for adjustment in count.adjustments)):
        yield Leeway("frozen_counts", part)
    elif is_frozen or any(adjustment.is_converted for adjustment in count.adjustments):
        yield Leeway("rounding", _ROUNDED)
    stale = 0.0 if sampled else _stale_part(history, day, calendar)
    if stale or count.basis == "last_known":
        yield Leeway("stale_counts", max(stale, _QUARTER if count.basis == "last_known" else 0.0))


def _stale_part(history: ShareHistory, day: date, calendar: FiscalCalendar) -> float:
    """By how much a count may have moved since the answer behind it, or before the next one."""
    index = bisect_right(history.observed, day)
    before, after = history.observed[:index][-1:], history.observed[index : index + 1]
    if before and before[0] == day:
        return 0.0
    if before and after:
        return abs(history.base_shares(after[0]) / history.base_shares(before[0]) - 1)
    first, last = (before[0], day) if before else (day, after[0])
    return _QUARTER if any(calendar.period_ends(first + timedelta(days=1), last)) else 0.0
