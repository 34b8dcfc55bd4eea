"""Days as files write them: `Nov 20, 2026`, `20.Nov.2026`, `31.Juli2026`, `17-Sep-26`, `2026/11/20`, `11/20/2026`."""

import re
from datetime import date
from functools import lru_cache
from typing import Final

# The first letters of the months in English, German, French, Italian, Spanish and Dutch, as far as they differ.
_MONTHS: Final = {
    1: "jan gen ene",
    2: "feb fév fev",
    3: "mar mär mrt maa",
    4: "apr avr abr",
    5: "may mai mag mei",
    6: "jun juin giu",
    7: "jul juil lug",
    8: "aug aoû aou ago",
    9: "sep set",
    10: "oct okt ott",
    11: "nov",
    12: "dec dez déc dic",
}
_MONTH_OF: Final = {word: number for number, words in _MONTHS.items() for word in words.split()}
_CENTURY: Final = 2000
_LETTERS: Final = r"(?P<month>[A-Za-zÀ-ÿ]{3})[A-Za-zÀ-ÿ]*"
_YEAR: Final = r"(?P<year>(?:19|20)\d\d|\d\d(?!\d))"
_FULL_YEAR: Final = r"(?P<year>(?:19|20)\d\d)"
_PATTERNS: Final = (
    re.compile(rf"(?<!\d){_FULL_YEAR}[-/.](?P<month>\d\d?)[-/.](?P<day>\d\d?)(?!\d)"),
    re.compile(rf"(?<!\d)(?P<day>\d\d?)[-/. ]*{_LETTERS}[-/. ,']*{_YEAR}"),
    re.compile(rf"(?<![A-Za-z]){_LETTERS}[-/. ]+(?P<day>\d\d?)(?:st|nd|rd|th)?[-/. ,]+{_YEAR}"),
    re.compile(rf"(?<!\d)(?P<day>\d\d?)\.(?P<month>\d\d?)\.{_FULL_YEAR}(?!\d)"),
    re.compile(rf"(?<!\d)(?P<month>\d\d?)/(?P<day>\d\d?)/{_FULL_YEAR}(?!\d)"),
    re.compile(rf"(?<!\d)(?P<day>\d\d?)[/-](?P<month>\d\d?)[/-]{_FULL_YEAR}(?!\d)"),
    re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)(?!\d)"),
)


@lru_cache(maxsize=4096)
def find(text: str) -> date | None:
    """The first day that a text names, None if it names none.

    Two numbers and a year with slashes are month first, as in the United States, unless that is no day.
    """
    matches = (match for pattern in _PATTERNS for match in pattern.finditer(text))
    return next(filter(None, map(_day, matches)), None)


def parse(text: str) -> date | None:
    """The day that a text is, and nothing else; None if it is none."""
    matches = (pattern.fullmatch(text.strip()) for pattern in _PATTERNS)
    return next(filter(None, map(_day, filter(None, matches))), None)


def _day(match: re.Match[str]) -> date | None:
    month, year = match["month"], int(match["year"])
    number = int(month) if month.isdigit() else _MONTH_OF.get(month.lower()[:3])
    if not number:
        return None
    try:
        return date(year + (_CENTURY if year < 100 else 0), number, int(match["day"]))
    except ValueError:
        return None
