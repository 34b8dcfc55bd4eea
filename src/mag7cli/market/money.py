"""Money in US dollars, exact to the cent: how it is multiplied, added, divided and read. Pure.

An amount is a `Decimal` with two digits after the point, whatever its size and whatever context its user works in.
Numbers of the vendor (closes, counts) stay floats: one of up to 15 digits has the digits that were written.
"""

import sys
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import reduce
from typing import Final

import orjson

FLOAT_LIMIT_USD: Final = 2.0**45
"""Below it ($35.18 T) a float is nearer to the amount it was written as than to any other amount of whole cents."""

CENTS: Final = 100
"""In a dollar."""

_CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal("0.00")
# More than the digits of two floats' product, and of any sum that a DECIMAL(38,2) holds.
_EXACT: Final = Context(prec=64, rounding=ROUND_HALF_EVEN)
# Twice what the close's own rounding and those of two products can add up to, as a fraction.
_PRODUCT_ERROR: Final = 4 * sys.float_info.epsilon
# Further from a whole number of cents than a float below the limit can be that was written with two digits.
_FRACTION: Final = 0.46


def market_cap_usd(close_usd: float, shares: float) -> Decimal:
    """Close x shares: the exact product, rounded half even to cents.

    A float product of a four-decimal price may land on the wrong cent, but only where it comes so near to half a cent
    that its rounding errors could carry it across; there the product is taken in decimal, which takes far longer.

    >>> market_cap_usd(447.27, 7_434_880_776)
    Decimal('3325399124681.52')
    """
    return usd(*market_caps([close_usd], [shares]))


def market_caps(closes_usd: Iterable[float], share_counts: Iterable[float]) -> list[int]:
    """The market caps of many lines in cents, each as `market_cap_usd` has it."""
    return [
        nearest
        if abs((scaled := close * shares * CENTS) - (nearest := round(scaled))) < 0.5 - scaled * _PRODUCT_ERROR
        else cents(products_usd([(close, shares)]))
        for close, shares in zip(closes_usd, share_counts, strict=True)
    ]


def products_usd(parts: Iterable[tuple[float, float]]) -> Decimal:
    """The exact sum of closes x shares, rounded half even to cents once."""
    products = (_EXACT.multiply(digits(close_usd), digits(shares)) for close_usd, shares in parts)
    return _EXACT.quantize(total_usd(products), _CENT)


def total_usd(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum of amounts; 0.00 of none."""
    return reduce(_EXACT.add, amounts, _ZERO)


def pct_of(part: Decimal, whole: Decimal) -> float:
    """The part as a percentage (0-100) of the whole: the float nearest to the exact quotient.

    Raises:
        ZeroDivisionError: The whole is zero.
    """
    return float(_EXACT.divide(_EXACT.multiply(part, Decimal(100)), whole))


def usd(cents_: int) -> Decimal:
    """The amount of so many cents."""
    return _EXACT.multiply(cents_, _CENT)


def cents(amount: float | Decimal) -> int:
    """The cents of an amount as a parser gave it; what has more digits is rounded half even.

    >>> cents(3325399124681.52), cents(Decimal("987654321098765.43"))
    (332539912468152, 98765432109876543)
    """
    if isinstance(amount, float) and abs(amount) < FLOAT_LIMIT_USD:
        nearest = round(scaled := amount * 100)
        if abs(scaled - nearest) < _FRACTION:
            return nearest
    return int(_EXACT.scaleb(rounded(amount), 2))


def rounded(amount: float | Decimal) -> Decimal:
    """The amount with the digits that it is written with, half even to cents."""
    return _EXACT.quantize(digits(amount), _CENT)


def digits(value: float | Decimal) -> Decimal:
    """The decimal that a number is written as: 0.1 is a tenth, not the binary fraction next to it."""
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def literals(amounts: Iterable[int]) -> list[bytes]:
    """Amounts in cents, none below zero, as JSON numbers with all of their digits."""
    return [b"%d.%02d" % divmod(cents_, CENTS) for cents_ in amounts]


def json_literal(amount: Decimal) -> orjson.Fragment:
    """The amount as a JSON number with all of its digits, for orjson to put in its place."""
    return orjson.Fragment(f"{amount:f}")
