"""Stock that a cover page counts although it has not vested and may be forfeited: what the share count counts. Pure.

The events are `data/stock_awards.csv`, each with its filing. A count holds what was unvested on the day of the cover
page behind it, which is not the day on which it is used.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final, Literal, cast

from mag7cli.core import packaged_data
from mag7cli.shares.cover_pages import CoverPage

AwardEventKind = Literal["granted", "exercised", "vested", "forfeited"]

_SIGN: Final[Mapping[AwardEventKind, int]] = {"granted": 1, "exercised": 1, "vested": -1, "forfeited": -1}


@dataclass(frozen=True, slots=True)
class AwardEvent:
    """What became of an award on a day: `shares` are those that it is about. `company` is the line that is counted."""

    company: str
    award: str
    kind: AwardEventKind
    on: date
    shares: int
    filing: str
    note: str

    @property
    def change(self) -> int:
        """By how many shares the event changes what is issued, unvested and forfeitable."""
        return _SIGN[self.kind] * self.shares


@cache
def award_events() -> Sequence[AwardEvent]:
    """The events of `data/stock_awards.csv`, oldest first."""
    events = [
        AwardEvent(
            company=row["company"],
            award=row["award"],
            kind=cast(AwardEventKind, row["event"]),
            on=date.fromisoformat(row["on"]),
            shares=int(row["shares"]),
            filing=row["filing"],
            note=row["note"],
        )
        for row in packaged_data.read("stock_awards")
    ]
    return tuple(sorted(events, key=lambda event: event.on))


def events_in_count(company: str, day: date, covers: Sequence[CoverPage]) -> list[AwardEvent]:
    """The events up to the cover page behind a company's count of a date. `covers` are the company's, oldest first.

    Before the first cover that is known there is none.
    """
    index = bisect_right(covers, day, key=lambda cover: cover.period_end) - 1
    if index < 0:
        return []
    counted_on = covers[index].as_of
    return [event for event in award_events() if event.company == company and event.on <= counted_on]


def unvested(events: Iterable[AwardEvent]) -> int:
    """Shares that are issued and counted, but unvested and forfeitable, after some events."""
    return sum(event.change for event in events)
