"""What somebody holds: positions and what is said of them. Knows no file, and nothing of what is inside a fund."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, Literal

from mag7cli.core import numerals
from mag7cli.core.errors import UsageError
from mag7cli.market import symbology
from mag7cli.portfolio.currencies import USD
from mag7cli.portfolio.securities import Option, Security

PositionKind = Literal["fund", "stock", "cash", "bond", "other", "any"]

_SEPARATOR: Final = "="


@dataclass(frozen=True, slots=True)
class Position:
    """An amount of money in one security. Kind `any`: whoever looks through it decides whether it is a fund.

    `amount` is in `currency` and negative for what is owed; None is an amount that nobody knows. `quantity` is a number
    of shares where the file gives one. `where` is the line that says so.
    """

    symbol: str
    amount: float | None
    kind: PositionKind = "any"
    security: Security = field(default=Security(), kw_only=True)
    currency: str = field(default=USD, kw_only=True)
    quantity: float | None = field(default=None, kw_only=True)
    where: str = field(default="", kw_only=True)

    @property
    def label(self) -> str:
        """What people call it: its symbol, else its name."""
        return self.symbol or self.security.name or self.security.isin or "a line without a name"

    @property
    def fund_keys(self) -> tuple[str, ...]:
        """Under what the holdings of a fund can be given: its symbol, its identifiers, its name in capitals."""
        known = self.security
        keys = (self.symbol, known.isin, known.wkn, known.cusip, known.sedol, known.name.upper())
        return tuple(filter(None, keys))


@dataclass(frozen=True, slots=True)
class OptionPosition:
    """Options that are held or written: named, and counted as shares only by a delta.

    `option` is None for what is called an option and cannot be read as one; `amount` is its market value in `currency`.
    """

    label: str
    option: Option | None
    contracts: float | None
    amount: float | None
    currency: str = USD


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Positions, one for each security and kind, and all that was said on the way to them.

    `skipped` are the lines that hold none, `readings` say how each table was read, `warnings` what is doubtful. As the
    file gives them, `rates` are US dollars for one unit of a currency, `prices` US dollars for a share and `expenses`
    percent a year of a fund, by symbol.
    """

    positions: tuple[Position, ...]
    options: tuple[OptionPosition, ...] = ()
    skipped: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    as_of: date | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    expenses: Mapping[str, float] = field(default_factory=dict)


def parse_option(text: str, kind: PositionKind) -> Position:
    """A position written as `IVV=10000`, in US dollars. Raises UsageError."""
    symbol, separator, amount = text.partition(_SEPARATOR)
    if not separator or not symbol.strip():
        raise UsageError(f"{text!r} is not SYMBOL=AMOUNT", hint=f"--{kind} IVV=10000")
    return Position(symbology.vendor_symbol(symbol.strip().upper()), _typed_amount(amount, f"--{kind} {text}"), kind)


def merged(positions: Iterable[Position]) -> tuple[Position, ...]:
    """One position for each security, kind and currency, in the order of their first mention; lots are added up."""
    groups: dict[tuple[object, ...], list[Position]] = {}
    for position in positions:
        key = (position.symbol, position.security, position.kind, position.currency, position.amount is None)
        groups.setdefault(key, []).append(position)
    return tuple(_sum(group) for group in groups.values())


def combined(portfolios: Iterable[Portfolio]) -> Portfolio:
    """Several accounts or files as one portfolio; it is of the oldest of their days."""
    parts = list(portfolios)
    return Portfolio(
        positions=merged(position for part in parts for position in part.positions),
        options=tuple(option for part in parts for option in part.options),
        skipped=tuple(reason for part in parts for reason in part.skipped),
        readings=tuple(sentence for part in parts for sentence in part.readings),
        warnings=tuple(warning for part in parts for warning in part.warnings),
        as_of=min((part.as_of for part in parts if part.as_of), default=None),
        rates={currency: rate for part in parts for currency, rate in part.rates.items()},
        prices={symbol: price for part in parts for symbol, price in part.prices.items()},
        expenses={symbol: ratio for part in parts for symbol, ratio in part.expenses.items()},
    )


def _sum(group: list[Position]) -> Position:
    if len(group) == 1 or group[0].amount is None:
        return group[0]
    quantities = [position.quantity for position in group if position.quantity is not None]
    return replace(
        group[0],
        amount=math.fsum(position.amount or 0.0 for position in group),
        quantity=math.fsum(quantities) if len(quantities) == len(group) else None,
    )


def _typed_amount(text: str, where: str) -> float:
    """An amount as people type it: `10000`, `$10,000.50`, `10_000`. Raises UsageError."""
    numeral = numerals.parse(text)
    grouped = numeral is not None and numeral.is_open and abs(numeral.point or 0) > abs(numeral.comma or 0)
    if numeral is None or numeral.point is None or (numeral.is_open and not grouped) or numeral.percent:
        raise UsageError(f"{where}: {text.strip()!r} is not an amount in USD", hint="write 10000 or 10,000.50")
    if numeral.currency not in (None, "$", "US$", USD):
        raise UsageError(f"{where}: amounts are in USD, not {numeral.currency}", hint="write 10000 or 10,000.50")
    if numeral.point <= 0:
        raise UsageError(f"{where}: the amount is to be above zero, not {text.strip()}")
    return numeral.point
