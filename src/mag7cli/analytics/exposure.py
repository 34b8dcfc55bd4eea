"""What a portfolio really holds: funds opened to companies, share classes together. Prints and reads nothing.

Every dollar that goes in comes out under one of four heads: the seven, other companies, cash and other, unknown.
What is not covered is unknown and never dropped. Funds are opened by their own float-adjusted weights.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Final

from mag7cli.analytics.portfolio import Position, merged
from mag7cli.analytics.summary import FundWeight
from mag7cli.market import symbology
from mag7cli.market.holdings_file import EQUITY, Holding, Holdings

DIRECT: Final = "direct"

# Less than this of a fund is the rounding of floats, not of a holdings file.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class CompanyExposure:
    """One company: its amount (USD), its percentage of the whole portfolio, and by which way it is held.

    `via` gives the amount by fund symbol, and under `direct` what is held as shares.
    """

    ticker: str
    name: str
    amount_usd: float
    pct: float
    via: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FundLookThrough:
    """A fund that was opened: its amount in the portfolio, and what it consists of, percent of the fund."""

    symbol: str
    name: str
    as_of: date | None
    amount_usd: float
    mag7_pct: float
    companies_pct: float
    cash_pct: float
    unknown_pct: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two funds have in common: the sum over companies of the smaller of the two weights, percent."""

    first: str
    second: str
    pct: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """An amount (USD) of which nobody said what it is, and why."""

    symbol: str
    amount_usd: float
    reason: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """The whole portfolio. The amounts of the seven, other companies, cash and unknown sum to `total_usd`.

    `others` are the largest of `others_count` other companies; `others_usd` is the amount of all of them.
    """

    total_usd: float
    mag7: tuple[CompanyExposure, ...]
    mag7_usd: float
    mag7_pct: float
    others: tuple[CompanyExposure, ...]
    others_count: int
    others_usd: float
    cash_usd: float
    unknown: tuple[Unknown, ...]
    unknown_usd: float
    funds: tuple[FundLookThrough, ...]
    overlaps: tuple[Overlap, ...]


def fund_weight(holdings: Holdings) -> FundWeight:
    """The seven in a fund at company level: both lines of Alphabet together."""
    weights = _company_weights(holdings, _Register.of([holdings]))
    return FundWeight(holdings.fund, holdings.as_of, {t: 100 * weights.get(t, 0.0) for t in symbology.MAGNIFICENT_7})


def expose(positions: Iterable[Position], funds: Mapping[str, Holdings], top: int = 10) -> Exposure:
    """Open `positions` through the holdings of `funds`, by symbol; `top` other companies are listed by name."""
    held = merged(positions)
    register = _Register.of(funds.values())
    pieces = [piece for position in held for piece in _open(position, funds, register)]
    total = math.fsum(position.amount_usd for position in held)
    companies = _companies(pieces, register, total)
    mag7 = [companies.pop(ticker, _nothing_in(ticker, register)) for ticker in symbology.MAGNIFICENT_7]
    others = sorted(companies.values(), key=_largest_first)
    unknown = tuple(Unknown(piece.held_by, piece.amount_usd, piece.unknown) for piece in pieces if piece.unknown)
    mag7_usd = math.fsum(company.amount_usd for company in mag7)
    opened = [position for position in held if _is_fund(position, funds)]
    return Exposure(
        total_usd=total,
        mag7=tuple(sorted(mag7, key=_largest_first)),
        mag7_usd=mag7_usd,
        mag7_pct=_pct(mag7_usd, total),
        others=tuple(others[:top]),
        others_count=len(others),
        others_usd=math.fsum(company.amount_usd for company in others),
        cash_usd=math.fsum(piece.amount_usd for piece in pieces if not piece.ticker and not piece.unknown),
        unknown=unknown,
        unknown_usd=math.fsum(part.amount_usd for part in unknown),
        funds=tuple(_look_through(position, funds, register) for position in opened),
        overlaps=_overlaps({position.symbol: funds[position.symbol] for position in opened}, register),
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a position after opening: of the company `ticker`, or cash, or `unknown` with the reason.

    `held_by` is the fund or `direct`; of what is unknown, the position itself.
    """

    amount_usd: float
    held_by: str
    ticker: str | None = None
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class _Register:
    """Which company a line belongs to, and what it is called: the bundled list first, then the funds' own files."""

    company_of: Mapping[str, str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, funds: Iterable[Holdings]) -> "_Register":
        """The register of the bundled list and of the companies in `funds`."""
        names = {row.ticker: row.name for fund in funds for row in fund.equities}
        names |= {line.ticker: line.name for line in symbology.bundled_constituents()}
        company_of = {ticker: ticker for ticker in names}
        for company in symbology.companies(symbology.bundled_constituents()):
            company_of |= dict.fromkeys(company.others, company.counted)
            names |= {company.counted: company.name} if company.name else {}
        return cls(company_of, names)

    def company(self, ticker: str) -> str:
        """The ticker that stands for the company of a line."""
        return self.company_of.get(ticker, ticker)

    def name(self, ticker: str) -> str:
        """What the company is called."""
        return self.names.get(ticker, ticker)


def _open(position: Position, funds: Mapping[str, Holdings], register: _Register) -> Iterator[_Piece]:
    """The pieces of a position; their amounts sum to its own."""
    symbol, amount = position.symbol, position.amount_usd
    if position.kind == "cash":
        yield _Piece(amount, DIRECT)
    elif _is_fund(position, funds):
        yield from _open_fund(symbol, amount, symbol, funds, frozenset())
    elif position.kind == "fund":
        yield _Piece(amount, symbol, unknown="there is no holdings file of this fund")
    elif position.kind == "stock" or symbol in register.company_of:
        yield _Piece(amount, DIRECT, symbol)
    else:
        yield _Piece(amount, symbol, unknown="neither a fund with a holdings file nor a company of the index")


def _is_fund(position: Position, funds: Mapping[str, Holdings]) -> bool:
    return position.kind in ("fund", "any") and position.symbol in funds


def _open_fund(
    symbol: str, amount: float, held_by: str, funds: Mapping[str, Holdings], around: frozenset[str]
) -> Iterator[_Piece]:
    """The pieces of a fund held through `held_by`; a known fund inside it is opened too, unless it is `around` it."""
    around |= {symbol}
    weights = _weights(funds[symbol])
    for holding, weight in weights:
        part = amount * weight
        if holding.ticker in funds and holding.ticker not in around:
            yield from _open_fund(holding.ticker, part, held_by, funds, around)
        else:
            yield _Piece(part, held_by, holding.ticker if holding.asset_class == EQUITY else None)
    missing = _missing(weights)
    if missing:
        yield _Piece(
            amount * missing, held_by, unknown=f"{100 * missing:.2f} % of {symbol} is not in its holdings file"
        )


def _weights(holdings: Holdings) -> list[tuple[Holding, float]]:
    """Each row with its part of the fund, 0-1; by market value if the file has no weights.

    Weights are taken as they are; only if they sum to more than 100 % are they scaled down to it.
    """
    rows = holdings.rows
    if any(row.weight_pct is not None for row in rows):
        parts = [row.weight_pct or 0.0 for row in rows]
        whole = max(100.0, math.fsum(parts))
    else:
        parts = [row.market_value_usd or 0.0 for row in rows]
        whole = math.fsum(parts) or 1.0
    return [(row, part / whole) for row, part in zip(rows, parts, strict=True)]


def _missing(weights: Iterable[tuple[Holding, float]]) -> float:
    """The part of a fund that its rows leave out; nothing if it is no more than the last digit of a float."""
    missing = 1 - math.fsum(weight for _, weight in weights)
    return missing if missing > _ROUNDING else 0.0


def _companies(pieces: Iterable[_Piece], register: _Register, total: float) -> dict[str, CompanyExposure]:
    """What is held of each company, by its counted ticker."""
    via: dict[str, dict[str, list[float]]] = {}
    for piece in pieces:
        if piece.ticker:
            ways = via.setdefault(register.company(piece.ticker), {})
            ways.setdefault(piece.held_by, []).append(piece.amount_usd)
    found = {}
    for ticker, ways in via.items():
        amounts = {way: math.fsum(parts) for way, parts in ways.items()}
        amount = math.fsum(amounts.values())
        found[ticker] = CompanyExposure(ticker, register.name(ticker), amount, _pct(amount, total), amounts)
    return found


def _nothing_in(ticker: str, register: _Register) -> CompanyExposure:
    """One of the seven that is not held."""
    return CompanyExposure(ticker, register.name(ticker), 0.0, 0.0, {})


def _largest_first(company: CompanyExposure) -> tuple[float, str]:
    return -company.amount_usd, company.ticker


def _look_through(position: Position, funds: Mapping[str, Holdings], register: _Register) -> FundLookThrough:
    """Of what a fund consists, percent of the fund."""
    holdings = funds[position.symbol]
    pieces = list(_open_fund(position.symbol, 100.0, position.symbol, funds, frozenset()))
    of_companies = [piece for piece in pieces if piece.ticker]
    seven = [piece for piece in of_companies if register.company(piece.ticker or "") in symbology.MAGNIFICENT_7]
    return FundLookThrough(
        symbol=position.symbol,
        name=holdings.fund,
        as_of=holdings.as_of,
        amount_usd=position.amount_usd,
        mag7_pct=math.fsum(piece.amount_usd for piece in seven),
        companies_pct=math.fsum(piece.amount_usd for piece in of_companies),
        cash_pct=math.fsum(piece.amount_usd for piece in pieces if not piece.ticker and not piece.unknown),
        unknown_pct=math.fsum(piece.amount_usd for piece in pieces if piece.unknown),
    )


def _overlaps(funds: Mapping[str, Holdings], register: _Register) -> tuple[Overlap, ...]:
    """What each pair of the funds has in common, the most first."""
    weights = {symbol: _company_weights(holdings, register) for symbol, holdings in funds.items()}
    pairs = (
        Overlap(a, b, 100 * math.fsum(min(weights[a][t], weights[b][t]) for t in weights[a].keys() & weights[b].keys()))
        for a, b in combinations(weights, 2)
    )
    return tuple(sorted(pairs, key=lambda overlap: (-overlap.pct, overlap.first, overlap.second)))


def _company_weights(holdings: Holdings, register: _Register) -> dict[str, float]:
    """Each company's part of a fund, 0-1, by its counted ticker."""
    parts: dict[str, list[float]] = {}
    for holding, weight in _weights(holdings):
        if holding.asset_class == EQUITY:
            parts.setdefault(register.company(holding.ticker), []).append(weight)
    return {ticker: math.fsum(weights) for ticker, weights in parts.items()}


def _pct(amount: float, total: float) -> float:
    return 100 * amount / total if total else 0.0
