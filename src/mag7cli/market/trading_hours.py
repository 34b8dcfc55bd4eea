"""The parts of a trading date: pre-market, the regular session, after-hours. Pure; hours are facts in
`data/trading_hours.csv`, closes are the calendar's.

All times are New York's, so that summer and winter need no rule of their own.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache

from mag7cli.core import packaged_data
from mag7cli.core.clock import NEW_YORK
from mag7cli.market.calendar import REGULAR_CLOSE, is_session, next_session, session_close


class TradingPhase(StrEnum):
    """What part of a trading date a moment lies in."""

    CLOSED = "closed"
    PRE_MARKET = "pre-market"
    REGULAR = "regular"
    AFTER_HOURS = "after-hours"


@dataclass(frozen=True, slots=True)
class TradingHours:
    """The hours of one trading date: `open` to `close` is the regular session, each phase without its end."""

    trading_date: date
    pre_market_open: datetime
    open: datetime
    close: datetime
    after_hours_close: datetime

    @property
    def is_early_close(self) -> bool:
        """Whether the regular session ends before the ordinary hour."""
        return self.close.time() != REGULAR_CLOSE

    def phase(self, moment: datetime) -> TradingPhase:
        """The phase in which a moment lies."""
        if not self.pre_market_open <= moment < self.after_hours_close:
            return TradingPhase.CLOSED
        if moment < self.open:
            return TradingPhase.PRE_MARKET
        return TradingPhase.REGULAR if moment < self.close else TradingPhase.AFTER_HOURS


@cache
def trading_hours(day: date) -> TradingHours:
    """The hours of a trading date.

    Args:
        day: A session of the exchange.

    Raises:
        CalendarError: `day` is no session, or out of the calendar's reach.
    """
    close = session_close(day)
    pre, after = _hours("pre-market", day), _hours("after-hours", day)
    is_early = close.time() != REGULAR_CLOSE
    return TradingHours(
        trading_date=day,
        pre_market_open=_at(day, pre.opens),
        open=_at(day, _hours("regular", day).opens),
        close=close,
        after_hours_close=_at(day, after.closes_early if is_early and after.closes_early else after.closes),
    )


def trading_hours_at(moment: datetime) -> TradingHours:
    """The hours of the trading date that a moment belongs to: that of its day until after-hours end, else the next.

    Args:
        moment: A time with an offset.

    Raises:
        CalendarError: The day is out of the calendar's reach.
    """
    local = moment.astimezone(NEW_YORK)
    day = local.date()
    if is_session(day) and local < trading_hours(day).after_hours_close:
        return trading_hours(day)
    return trading_hours(next_session(day))


@dataclass(frozen=True, slots=True)
class _Hours:
    """One row of the table."""

    opens: time
    closes: time
    closes_early: time | None
    first_day: date


def _hours(session: str, day: date) -> _Hours:
    """The row of a session that holds on a day: the newest that began by then."""
    return max((row for row in _rows()[session] if row.first_day <= day), key=lambda row: row.first_day)


@cache
def _rows() -> dict[str, list[_Hours]]:
    rows: dict[str, list[_Hours]] = {}
    for row in packaged_data.read("trading_hours"):
        early = time.fromisoformat(row["closes_early"]) if row["closes_early"] else None
        hours = _Hours(
            opens=time.fromisoformat(row["opens"]),
            closes=time.fromisoformat(row["closes"]),
            closes_early=early,
            first_day=date.fromisoformat(row["first_day"]),
        )
        rows.setdefault(row["session"], []).append(hours)
    return rows


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=NEW_YORK)
