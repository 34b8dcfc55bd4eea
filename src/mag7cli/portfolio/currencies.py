"""Which currency an amount is in: marks and codes beside numbers, exchanges that symbols name. Has no rates itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from mag7cli.core import packaged_data

USD: Final = "USD"
UNITED_STATES: Final = "United States"
_CODE_LENGTH: Final = 3
_MARKS: Final = (".", " ")

Rates = Mapping[str, float]
"""US dollars for one unit of a currency, by its code."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What amounts are counted in: a currency, and how many units of it one is (0.01 for the pence of London)."""

    currency: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a symbol is listed, as its suffix says: `SXR8.DE` is `SXR8` on Xetra, in Germany, in euros."""

    symbol: str
    exchange: str
    country: str
    unit: Unit


def unit_of(mark: str | None) -> Unit | None:
    """The unit behind a mark or code such as `$`, `EUR` or `GBX`; None if it is none."""
    if not mark:
        return None
    known = _marks().get(mark)
    if known:
        return known
    return Unit(mark.upper()) if len(mark) == _CODE_LENGTH and mark.isalpha() else None


def is_currency(code: str) -> bool:
    """Whether it is the code of a currency that files write marks of, or that an exchange quotes in."""
    return code in _codes()


def listing_of(symbol: str) -> Listing | None:
    """The listing that the suffix of a symbol names; None without one (`BRK.B` and `BRK B` have none).

    >>> listing_of("MRK GY").country, listing_of("NVDA.OQ").symbol
    ('Germany', 'NVDA')
    """
    for mark in _MARKS:
        base, present, suffix = symbol.rpartition(mark)
        place = _places().get((mark, suffix)) if present else None
        if place:
            exchange, country, unit = place
            return Listing(base, exchange, country, unit)
    return None


def usd_rate(currency: str, rates: Rates) -> float | None:
    """US dollars for one unit of a currency, None if nobody said."""
    return 1.0 if currency == USD else rates.get(currency)


@cache
def _marks() -> Mapping[str, Unit]:
    return {row["mark"]: Unit(row["currency"], float(row["factor"])) for row in packaged_data.read("currency_marks")}


@cache
def _codes() -> frozenset[str]:
    quoted = (unit for _, _, unit in _places().values())
    return frozenset(unit.currency for unit in (*_marks().values(), *quoted))


@cache
def _places() -> Mapping[tuple[str, str], tuple[str, str, Unit]]:
    """Exchange, country and unit by mark and suffix."""
    marks = {"dot": ".", "space": " "}
    return {
        (marks[row["mark"]], row["suffix"]): (row["exchange"], row["country"], unit_of(row["currency"]) or Unit(USD))
        for row in packaged_data.read("listing_suffixes")
    }
