"""The amounts of a raw document as exact decimals, whoever wrote it and however large they are. Pure.

A JSON parser hands out floats. Of an amount below `money.FLOAT_LIMIT_USD` nothing is lost, so that the fast parser will
do; a document with a larger one is parsed again, digit by digit. Totals are larger: they are taken from their lines.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import compress
from operator import itemgetter
from typing import Any, Final

from mag7cli.market.money import FLOAT_LIMIT_USD, cents, rounded, usd

CAP: Final = "market_cap"
CAP_BY_CLASS: Final = "market_cap_by_class"
NUMBERS: Final[frozenset[type]] = frozenset({int, float, Decimal})

_CENT_USD: Final = 0.01
# With its classes at their own closes no company is worth twice as much.
_LARGE: Final = FLOAT_LIMIT_USD / 2


def exact(document: Any, data: bytes) -> Any:
    """The document that the fast parser made of these bytes; parsed again if it has amounts that floats lose."""
    return json.loads(data, parse_float=_number) if _largest(document) >= _LARGE else document


def _number(literal: str) -> float | Decimal:
    value = float(literal)
    return value if abs(value) < FLOAT_LIMIT_USD else Decimal(literal)


def _largest(document: Any) -> float:
    """The largest amount that no sum stands behind: a line's cap, or a total of a document that lists no lines."""
    try:
        details = document["sp500_details"]
        rows = details.get("constituents")
        largest = max(map(itemgetter(CAP), rows)) if rows else details["total_market_cap"]
        return float(largest)
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0.0  # whoever checks the shape will say what it is


def lines_problem(document: Mapping[str, Any]) -> str | None:
    """The first thing that keeps the lines' caps from being amounts, None if nothing does."""
    rows = document["sp500_details"].get("constituents") or []
    if not (isinstance(rows, list) and set(map(type, rows)) <= {dict}):
        return "sp500_details.constituents is not a list of objects"
    kinds: tuple[tuple[str, frozenset[type]], ...] = (
        (CAP, NUMBERS),
        ("counted", frozenset({bool})),
        ("ticker", frozenset({str})),
    )
    for key, types in kinds:
        if not {type(row.get(key)) for row in rows} <= types:
            return f"{key} of sp500_details.constituents is missing or of another type"
    if not {type(row[CAP_BY_CLASS]) for row in rows if CAP_BY_CLASS in row} <= NUMBERS:
        return f"{CAP_BY_CLASS} of sp500_details.constituents is of another type"
    return None


@dataclass(frozen=True, slots=True)
class LineSums:
    """What the lines add up to, in cents: all of them, and those that are counted, one of each company.

    `gains_by_class` is by how much a company is worth more with each listed class at its own close, by counted ticker.
    """

    gross: int = 0
    total: int = 0
    gains_by_class: Mapping[str, int] = field(default_factory=dict)


def settle_lines(document: Mapping[str, Any]) -> LineSums | None:
    """Make the caps of the lines decimals; what they add up to, None if the document lists none."""
    rows = document["sp500_details"].get("constituents") or []
    caps = [cents(row[CAP]) for row in rows]
    gains = {}
    for row, cap in zip(rows, caps, strict=True):
        row[CAP] = usd(cap)
        if CAP_BY_CLASS in row:
            gains[row["ticker"]] = cents(row[CAP_BY_CLASS]) - cap
            _settle(row, CAP_BY_CLASS)
    counted = [row["counted"] for row in rows]
    return LineSums(sum(caps), sum(compress(caps, counted)), gains) if rows else None


def settle(document: Mapping[str, Any], sums: LineSums | None) -> None:
    """Make every other amount of the document a decimal: what is written, and for the totals what the lines add up to.

    Args:
        document: A document as it was parsed.
        sums: What its lines add up to; None if it lists none.
    """
    companies = list(document["companies"].values())
    seven = sum(cents(company[CAP]) for company in companies if company.get(CAP) is not None)
    for owner in (*companies, *_objects(document["rankings"].get("by_market_cap"))):
        _settle(owner, CAP)
    details, metrics = document["sp500_details"], document["concentration_metrics"]
    _settle(metrics, "total_mag7_market_cap", seven)
    _settle(metrics, "sp500_total_market_cap", sums.total if sums else None)
    _settle(details, "total_market_cap", sums.total if sums else None)
    _settle(details, "gross_market_cap", sums.gross if sums else None)
    if sums:
        of_seven = sum(gain for ticker, gain in sums.gains_by_class.items() if ticker in document["companies"])
        _settle(metrics, "total_mag7_market_cap_by_class", seven + of_seven)
        _settle(metrics, "sp500_total_market_cap_by_class", sums.total + sum(sums.gains_by_class.values()))


def _settle(owner: Any, key: str, of_lines: int | None = None) -> None:
    """Make a written number a decimal; what is none, or not there, stays for whoever checks the shape."""
    written: Any = owner.get(key) if isinstance(owner, dict) else None
    if type(written) in NUMBERS:
        owner[key] = usd(cents(written)) if of_lines is None else _total(written, usd(of_lines))


def _total(written: float | Decimal, of_lines: Decimal) -> Decimal:
    """The sum of the lines where the total is told as the float next to it; another total stays, for the checks."""
    spacing = 0.0 if isinstance(written, Decimal) else math.ulp(written)
    is_next = spacing > _CENT_USD and abs(float(written) - float(of_lines)) <= spacing
    return of_lines if is_next else rounded(written)


def _objects(entries: Any) -> Iterator[Any]:
    yield from entries if isinstance(entries, list) else ()
