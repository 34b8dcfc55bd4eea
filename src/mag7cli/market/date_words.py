"""Dates as people say them: `2024-06-07`, `yesterday`, `2024`, `2024-06`, `ytd`, `max`, or two of them. Pure.

A period begins at a close: a year at the last one of the year before, a month at the last one of the month before.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from mag7cli.core.errors import UsageError
from mag7cli.market.calendar import session_on_or_before

HINT: Final = "write 2024-06-07, 2023-12-29 2024-12-31, yesterday, 2024, 2024-06, ytd or max"

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")
_YEAR: Final = re.compile(r"\d{4}")
_NAMED: Final = frozenset({"yesterday", "ytd", "max"})


def is_word(text: str) -> bool:
    """Whether a text is a date or a period as it is written; not whether there is such a day."""
    return text.lower() in _NAMED or any(pattern.fullmatch(text) for pattern in (_DAY, _MONTH, _YEAR))


@dataclass(frozen=True, slots=True)
class Period:
    """From the close of `base` to the close of `last`, both sessions. `words` are what was said."""

    words: str
    base: date
    last: date


def period(words: Sequence[str], *, today: date, first: date, latest: date) -> date | Period | None:
    """The date or period that words mean.

    Args:
        words: None, one or two of them.
        today: The day in New York.
        first: The first date that is collected, where `max` begins.
        latest: The last date that is collected, where `ytd`, `max` and a year that is not over end.

    Returns:
        A date for one day; a period; None without words. A day on which nothing traded stands for the session before,
        but for a single date, which is left as it was said.

    Raises:
        UsageError: A word is no date, or the period ends before it begins.
    """
    if len(words) > 2:
        raise UsageError(f"{len(words)} dates where one or two belong", hint=HINT)
    if not words:
        return None
    spans = [_span(word.lower(), today=today, first=first, latest=latest) for word in words]
    if len(words) == 1:
        span = spans[0]
        return span if isinstance(span, date) else _checked(Period(words[0], *span))
    starts = spans[0] if isinstance(spans[0], date) else spans[0][0]
    ends = spans[1] if isinstance(spans[1], date) else spans[1][1]
    return _checked(Period(" ".join(words), session_on_or_before(starts), session_on_or_before(ends)))


def _span(word: str, *, today: date, first: date, latest: date) -> date | tuple[date, date]:
    """A day, or the closes between which a period lies."""
    if word == "yesterday":
        return session_on_or_before(today - timedelta(days=1))
    if word == "max":
        return first, latest
    if word == "ytd":
        return _close_before(date(latest.year, 1, 1)), latest
    if _DAY.fullmatch(word):
        return _day(word)
    month = _MONTH.fullmatch(word)
    if month or _YEAR.fullmatch(word):
        start = _day(f"{word}-01" if month else f"{word}-01-01")
        following = (start + timedelta(days=31 if month else 366)).replace(day=1)
        return _close_before(start), min(_close_before(following), latest)
    raise UsageError(f"{word!r} is not a date like 2024-12-13, nor a period", hint=HINT)


def _close_before(day: date) -> date:
    return session_on_or_before(day - timedelta(days=1))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"there is no such day as {text}", hint=HINT) from error


def _checked(candidate: Period) -> Period:
    if candidate.last <= candidate.base:
        raise UsageError(
            f"{candidate.words}: nothing lies between the close of {candidate.base} and that of {candidate.last}",
            hint=HINT,
        )
    return candidate
