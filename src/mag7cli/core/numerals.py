"""Written numbers: what a text can mean where the decimal mark is a point and where it is a comma.

`10,000` is ten thousand in New York and ten in Frankfurt. This module says both and never chooses: whoever knows the
rest of the file does.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

DecimalMark = Literal["point", "comma"]

NOTHING: Final = frozenset(
    {"", "-", "--", "---", "—", "–", "n/a", "na", "n.a.", "#n/a", "nan", "null", "none", "not available", "k.a."}
)
"""How files write that there is no value, in lower case."""

_SIGNS_AND_SPACES: Final = str.maketrans(
    {"\u2212": "-", "\u2019": "'", "\u2018": "'", "\u00b4": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " "}
)
_CURRENCY: Final = r"(?:US\$|C\$|CA\$|A\$|AU\$|HK\$|S\$|NZ\$|R\$|[$€£¥₹₩]|GBp|GBX|[A-Z]{3}|kr\.?)"
_NUMBER: Final = re.compile(
    rf"(?P<open>\()? *(?P<sign>[-+])? *(?P<before>{_CURRENCY})? *(?P<inner>[-+])? *"
    rf"(?P<digits>\d[\d.,' _]*|[.,]\d+) *(?P<percent>%)? *(?P<after>{_CURRENCY})? *(?P<trailing>[-+])? *(?P<close>\))?"
)
# Groups of three, or of two before the last three as in India; never a group that starts with a zero.
_POINT: Final = re.compile(r"(?:\d+|[1-9]\d{0,2}([,' _])\d{3}(?:\1\d{3})*|[1-9]\d?(?:,\d{2})+,\d{3})(?:\.\d*)?|\.\d+")
_COMMA: Final = re.compile(r"(?:\d+|[1-9]\d{0,2}([.' _])\d{3}(?:\1\d{3})*)(?:,\d*)?|,\d+")
_SEPARATORS: Final = str.maketrans("", "", "' _")
# Nobody who writes these marks before a number has a decimal comma with three digits behind it.
_ENGLISH_MARKS: Final = frozenset({"$", "US$", "£", "¥"})


@dataclass(frozen=True, slots=True)
class Numeral:
    """The values of a written number: `point` where a point is the decimal mark, `comma` where a comma is.

    A value is None where the text is no number by that convention. `currency` is the mark or code that stands beside
    it, as written; a percentage keeps its size (`12 %` is 12).
    """

    point: float | None
    comma: float | None
    currency: str | None = None
    percent: bool = False

    @property
    def mark(self) -> DecimalMark | None:
        """The only decimal mark by which this is a number; None where both are possible."""
        if self.comma is None:
            return "point"
        return "comma" if self.point is None else None

    @property
    def is_open(self) -> bool:
        """Whether the two conventions give two different values."""
        return self.point is not None and self.comma is not None and self.point != self.comma

    def by(self, mark: DecimalMark) -> float | None:
        """The value by a decimal mark alone."""
        return self.point if mark == "point" else self.comma

    def value(self, mark: DecimalMark) -> float | None:
        """The value by a decimal mark; where only the other one gives a number, that number."""
        value = self.by(mark)
        return self.by("comma" if mark == "point" else "point") if value is None else value


@lru_cache(maxsize=65_536)
def parse(text: str) -> Numeral | None:
    """The numeral in a text: signs, brackets, a currency and a percent sign are understood; None if it is no number.

    >>> parse("1.234,56 €")
    Numeral(point=None, comma=1234.56, currency='€', percent=False)
    >>> parse("10,000").is_open, parse("$10,000").is_open
    (True, False)
    """
    match = _NUMBER.fullmatch(text.translate(_SIGNS_AND_SPACES).strip())
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    digits = match["digits"].strip()
    point, comma = _value(digits, _POINT, ",", "."), _value(digits, _COMMA, ".", ",")
    if point is None and comma is None:
        return None
    if match["before"] in _ENGLISH_MARKS and point is not None and comma is not None and point > comma:
        comma = None
    signs = (match["sign"], match["inner"], match["trailing"], match["open"] and "-")
    if sum(sign is not None for sign in signs) > 1:
        return None
    sign = -1.0 if "-" in signs else 1.0
    return Numeral(
        point=None if point is None else sign * point,
        comma=None if comma is None else sign * comma,
        currency=match["before"] or match["after"],
        percent=bool(match["percent"]),
    )


def number(value: float) -> Numeral:
    """The numeral of a cell that holds a number and not a text."""
    return Numeral(value, value)


def is_nothing(text: str) -> bool:
    """Whether a text says that there is no value."""
    return text.strip().lower() in NOTHING


def marks(numerals: Iterable[Numeral | None]) -> set[DecimalMark]:
    """The decimal marks that are proven by numbers which can be read in one way only."""
    return {numeral.mark for numeral in numerals if numeral and numeral.mark}


def commonest_mark(texts: Iterable[str]) -> DecimalMark:
    """The decimal mark of most numbers that can be read in one way only; a point where none can."""
    proven = [numeral.mark for text in texts if (numeral := parse(text)) and numeral.mark]
    return "comma" if proven.count("comma") > proven.count("point") else "point"


def dollars(text: str, mark: DecimalMark = "point") -> float | None:
    """A number by one decimal mark, with or without a dollar or a percent sign; None for what is none.

    >>> dollars("(1,000)"), dollars("7,15%", "comma"), dollars("EUR 5")
    (-1000.0, 7.15, None)
    """
    numeral = parse(text)
    return numeral.by(mark) if numeral and numeral.currency in (None, "$") else None


def _value(digits: str, pattern: re.Pattern[str], thousands: str, decimal: str) -> float | None:
    if not pattern.fullmatch(digits):
        return None
    return float(digits.translate(_SEPARATORS).replace(thousands, "").replace(decimal, "."))
