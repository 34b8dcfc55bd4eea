"""Which currency an amount is in: marks and codes beside numbers, exchanges that symbols name. Has no rates itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from mag7cli.core import packaged_data

USD: Final = "USD"
_CODE_LENGTH: Final = 3

Rates = Mapping[str, float]
"""US dollars for one unit of a currency, by its code."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What amounts are counted in: a currency, and how many units of it one is (0.01 for the pence of London)."""

    currency: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a symbol is listed, as its suffix says: `SXR8.DE` is listed on Xetra, in Germany, in euros."""

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


def listing_of(symbol: str) -> Listing | None:
    """The foreign listing that the suffix of a symbol names; None without one (`BRK.B` has none)."""
    _, dot, suffix = symbol.rpartition(".")
    return _listings().get(suffix) if dot else None


def usd_rate(currency: str, rates: Rates) -> float | None:
    """US dollars for one unit of a currency, None if nobody said."""
    return 1.0 if currency == USD else rates.get(currency)


@cache
def _marks() -> Mapping[str, Unit]:
    return {row["mark"]: Unit(row["currency"], float(row["factor"])) for row in packaged_data.read("currency_marks")}


@cache
def _listings() -> Mapping[str, Listing]:
    rows = packaged_data.read("listing_suffixes")
    return {
        row["suffix"]: Listing(row["exchange"], row["country"], unit_of(row["currency"]) or Unit(USD)) for row in rows
    }
