"""What somebody holds: positions from a broker's CSV or from the command line; knows nothing of what is inside a fund.

Every line of a file becomes a position or is named in `skipped`: an amount never disappears.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mag7cli.core.errors import UsageError
from mag7cli.market import symbology

PositionKind = Literal["fund", "stock", "cash", "any"]

_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "symbol": ("symbol", "ticker", "fund", "security", "instrument"),
    "amount": ("amount", "value", "market value", "current value", "amount usd", "value usd", "market value usd"),
    "shares": ("shares", "quantity", "qty", "units"),
    "price": ("price", "last price", "current price", "price usd", "close"),
    "kind": ("kind", "type", "asset class"),
}
_KINDS: Final[dict[str, PositionKind]] = {
    "fund": "fund",
    "etf": "fund",
    "mutual fund": "fund",
    "stock": "stock",
    "equity": "stock",
    "cash": "cash",
}
# A comma only between groups of three: 10.000,50 is refused rather than read as ten.
_AMOUNT: Final = re.compile(r"(?P<sign>-?)\$?(?P<number>(\d{1,3}([,_]\d{3})+|\d+)(\.\d*)?)(\s*USD)?", re.IGNORECASE)
_ZERO: Final = re.compile(r"\$?0+(\.0*)?")
_TOTALS: Final = frozenset({"total", "totals", "account total", "grand total"})
_CASH_SYMBOLS: Final = frozenset({"CASH", "USD", "$"})
_EXAMPLE: Final = "a header such as `ticker,amount`, then lines such as `IVV,10000`"


@dataclass(frozen=True, slots=True)
class Position:
    """An amount of money in one symbol. Kind `any`: whoever looks through it decides whether it is a fund."""

    symbol: str
    amount_usd: float
    kind: PositionKind = "any"


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Positions, one per symbol and kind, and the lines of the file that held none."""

    positions: tuple[Position, ...]
    skipped: tuple[str, ...] = ()


def parse(data: bytes, name: str) -> Portfolio:
    """The positions of a CSV file: a symbol, and an amount in USD or shares and price. Raises UsageError."""
    header, lines = _table(data, name)
    columns = _columns(header, name)
    positions, skipped = [], []
    for number, cells in lines:
        row = {role: cells[index].strip() for role, index in columns.items() if index < len(cells)}
        reason = _skip_reason(row, cells)
        if reason:
            skipped.append(f"line {number}: {reason}")
        else:
            positions.append(_position(row, f"{name}, line {number}"))
    if not positions:
        raise UsageError(f"{name} holds no position", hint=_EXAMPLE)
    return Portfolio(merged(positions), tuple(skipped))


def parse_option(text: str, kind: PositionKind) -> Position:
    """A position written as `IVV=10000`. Raises UsageError."""
    symbol, separator, amount = text.partition("=")
    if not separator or not symbol.strip():
        raise UsageError(f"{text!r} is not SYMBOL=AMOUNT", hint=f"--{kind} IVV=10000")
    return Position(_symbol(symbol), _positive(amount, f"--{kind} {text}"), kind)


def merged(positions: Iterable[Position]) -> tuple[Position, ...]:
    """One position per symbol and kind, in the order of their first mention."""
    amounts: dict[tuple[str, PositionKind], list[float]] = {}
    for position in positions:
        amounts.setdefault((position.symbol, position.kind), []).append(position.amount_usd)
    return tuple(Position(symbol, math.fsum(parts), kind) for (symbol, kind), parts in amounts.items())


def _table(data: bytes, name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header and the lines with content, each with its number in the file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not a text file", hint=_EXAMPLE) from error
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise UsageError(f"{name}, line {reader.line_num}: {error}", hint=_EXAMPLE) from error
    if not lines:
        raise UsageError(f"{name} is empty", hint=_EXAMPLE)
    return lines[0][1], lines[1:]


def _columns(header: Sequence[str], name: str) -> dict[str, int]:
    """Where each role's column is; the first name of a role that is there wins."""
    names = {_plain(cell): index for index, cell in reversed(list(enumerate(header)))}
    found = {
        role: next(names[known] for known in known_names if known in names)
        for role, known_names in _COLUMNS.items()
        if any(known in names for known in known_names)
    }
    if "symbol" not in found:
        raise UsageError(f"{name} has no column ticker or symbol, but {', '.join(header)}", hint=_EXAMPLE)
    if "amount" not in found and not {"shares", "price"} <= found.keys():
        raise UsageError(f"{name} has neither a column amount or value, nor shares and price", hint=_EXAMPLE)
    return found


def _plain(cell: str) -> str:
    """A column name without case, unit signs and separators."""
    return " ".join(cell.lower().replace("_", " ").replace("($)", "").replace("(usd)", "").split())


def _skip_reason(row: Mapping[str, str], cells: Sequence[str]) -> str | None:
    """Why a line is no position, None if it is one."""
    if any(cell.strip().lower() in _TOTALS for cell in cells):
        return "a total"
    amounts = [row[role] for role in ("amount", "shares") if row.get(role)]
    if not amounts:
        return "no amount"
    return "an amount of zero" if _ZERO.fullmatch(amounts[0]) else None


def _position(row: Mapping[str, str], where: str) -> Position:
    if not row.get("symbol"):
        raise UsageError(f"{where}: an amount without a ticker", hint="name it, for example CASH")
    symbol = _symbol(row["symbol"])
    kind: PositionKind = "cash" if symbol in _CASH_SYMBOLS else _KINDS.get(row.get("kind", "").lower(), "any")
    if row.get("amount"):
        return Position(symbol, _positive(row["amount"], where), kind)
    return Position(symbol, _positive(row.get("shares", ""), where) * _positive(row.get("price", ""), where), kind)


def _symbol(text: str) -> str:
    return symbology.vendor_symbol(text.strip().upper())


def _positive(text: str, where: str) -> float:
    """An amount as people write it: `10000`, `$10,000.50`, `10_000`. Raises UsageError."""
    found = _AMOUNT.fullmatch(text.strip())
    if not found:
        raise UsageError(f"{where}: {text.strip()!r} is not an amount in USD", hint="write 10000 or 10,000.50")
    amount = float(found["number"].replace(",", "").replace("_", ""))
    if not amount or found["sign"]:
        raise UsageError(f"{where}: the amount is to be above zero, not {text.strip()}")
    return amount
