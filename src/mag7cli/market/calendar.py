"""The sessions of the New York Stock Exchange (XNYS): which dates trade, and when each session ends.

Closures are facts in `data/xnys_closures.csv`; pandas_market_calendars, slow to import, is asked only beyond them.
Refuses to know when a vendor serves a session's data. All dates are New York dates.
"""

import logging
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from mag7cli.core import packaged_data
from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import CalendarError

if TYPE_CHECKING:
    from pandas_market_calendars import MarketCalendar

REGULAR_CLOSE: Final = time(16, 0)
AFTER_HOURS_CLOSE: Final = time(20, 0)
"""The end of after-hours trading, and of a trading date. Source: https://www.nyse.com/markets/hours-calendars."""

_log = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5

# The library's holiday rules stop at 2200; a date this far ahead is a slip of the keyboard.
_LAST_YEAR_TO_ASK: Final = 2100


@dataclass(frozen=True, slots=True)
class Closure:
    """A weekday that differs from the rule: no session (`close` is None), or one that ends early at `close`."""

    day: date
    name: str
    close: time | None


def known_from() -> date:
    """The first date that the calendar covers; earlier ones are refused with CalendarError."""
    return date(_known_years().start, 1, 1)


def known_until() -> date:
    """The last date that the shipped table covers; later ones are the library's forecast, with a warning in the log."""
    return date(_known_years().stop - 1, 12, 31)


def is_session(day: date) -> bool:
    """Whether the exchange trades that day, be it shortly. Raises CalendarError."""
    return why_closed(day) is None


def why_closed(day: date) -> str | None:
    """Why there is no session, such as "Saturday" or "Good Friday"; None if there is one. Raises CalendarError."""
    closure = _closures(day.year).get(day)
    if day.weekday() >= _SATURDAY:
        return f"{day:%A}"
    return closure.name if closure and closure.close is None else None


def sessions(start: date, end: date) -> list[date]:
    """The trading dates from `start` to `end`, both included, oldest first. Raises CalendarError."""
    if start > end:
        return []
    for year in (start.year, end.year):
        _closures(year)  # refuse a year out of reach before the years on the way to it are built
    known = _sessions_of_years(start.year, end.year)
    return list(known[bisect_left(known, start) : bisect_right(known, end)])


def previous_session(day: date) -> date:
    """The last trading date before `day`. Raises CalendarError."""
    return _step(day, -_DAY)


def next_session(day: date) -> date:
    """The first trading date after `day`. Raises CalendarError."""
    return _step(day, _DAY)


def session_on_or_before(day: date) -> date:
    """`day` if it is a trading date, else the last one before it. Raises CalendarError."""
    return day if is_session(day) else previous_session(day)


def session_offset(day: date, count: int) -> date:
    """The trading date `count` sessions after `day` (before it if negative), counted from `session_on_or_before(day)`.

    Raises CalendarError.
    """
    session = session_on_or_before(day)
    for _ in range(abs(count)):
        session = next_session(session) if count > 0 else previous_session(session)
    return session


def session_close(day: date) -> datetime:
    """When the session of `day` ends, in New York time: 16:00 but for early closes. Raises CalendarError."""
    _require_session(day)
    closure = _closures(day.year).get(day)
    close = closure.close if closure and closure.close else REGULAR_CLOSE
    return datetime.combine(day, close, tzinfo=NEW_YORK)


def last_completed_session(now: datetime) -> date:
    """The last trading date whose session has ended at `now`, a time with an offset. Raises CalendarError."""
    if now.tzinfo is None:
        raise ValueError(f"{now} has no offset")
    today = now.astimezone(NEW_YORK).date()
    if is_session(today) and now >= session_close(today):
        return today
    return previous_session(today)


def years_before(day: date, years: int) -> date:
    """The same day of an earlier year; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _require_session(day: date) -> None:
    reason = why_closed(day)
    if reason:
        raise CalendarError(f"{day} is not a trading date ({reason})", hint=f"mag7 dates --end {day} --last 1")


def _step(day: date, step: timedelta) -> date:
    day += step
    while not is_session(day):
        day += step
    return day


@cache
def _sessions_of_years(first: int, last: int) -> tuple[date, ...]:
    return tuple(day for year in range(first, last + 1) for day in _sessions_of(year))


@cache
def _sessions_of(year: int) -> tuple[date, ...]:
    closed = {day for day, closure in _closures(year).items() if closure.close is None}
    return tuple(day for day in _weekdays(year) if day not in closed)


def _closures(year: int) -> Mapping[date, Closure]:
    """The closures of a year: from the table, beyond it from the library. Raises CalendarError."""
    known = _known_closures().get(year)
    if known is not None:
        return known
    if not _known_years().stop <= year <= _LAST_YEAR_TO_ASK:
        raise CalendarError(
            f"the trading calendar covers {known_from()} to {known_until()}, not {year}",
            hint=f"choose dates from {known_from()} on",
        )
    return _forecast_closures(year)


@cache
def _known_years() -> range:
    years = _known_closures()
    return range(min(years), max(years) + 1)


@cache
def _known_closures() -> Mapping[int, Mapping[date, Closure]]:
    closures: dict[int, dict[date, Closure]] = {}
    for row in packaged_data.read("xnys_closures"):
        day = date.fromisoformat(row["date"])
        close = time.fromisoformat(row["close"]) if row["close"] else None
        closures.setdefault(day.year, {})[day] = Closure(day, row["name"], close)
    return closures


@cache
def _forecast_closures(year: int) -> Mapping[date, Closure]:
    """What the library's rules say of a year that the table does not cover yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schedule = _library().schedule(f"{year}-01-01", f"{year}-12-31", tz=NEW_YORK.key)
    closes: dict[date, time] = {day.date(): close.time() for day, close in schedule["market_close"].items()}
    return {
        day: Closure(day, "forecast by pandas_market_calendars", closes.get(day))
        for day in _weekdays(year)
        if closes.get(day) != REGULAR_CLOSE
    }


@cache
def _library() -> "MarketCalendar":
    """The library's calendar of the exchange: a second to import, so only for dates that the table does not have."""
    _log.warning("the trading calendar is announced to %s; later dates are a forecast by rule", known_until())
    import pandas_market_calendars

    return pandas_market_calendars.get_calendar("NYSE")


def _weekdays(year: int) -> Iterator[date]:
    ordinals = range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1)
    return (day for day in map(date.fromordinal, ordinals) if day.weekday() < _SATURDAY)
