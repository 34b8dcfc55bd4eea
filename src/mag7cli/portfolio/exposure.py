"""What a portfolio really holds: funds opened to companies, share classes and listings together. Reads no file.

Every amount that goes in comes out under one of four heads: the Mag 7, other companies, cash and other, unknown. What
is not covered is unknown, never dropped and never counted as none: the answer is a range then. Funds are opened by
their own weights; a fund inside a fund is opened too.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Final

from mag7cli.market.groups import SEVEN, THE_SEVEN, CompanyGroup
from mag7cli.portfolio import look_through
from mag7cli.portfolio.answer import (
    Benchmark,
    CompanyExposure,
    Cost,
    Exposure,
    FundLookThrough,
    Group,
    Overlap,
    Unknown,
    Unvalued,
)
from mag7cli.portfolio.currencies import USD, Rates, usd_rate
from mag7cli.portfolio.fund_file import FundHoldings
from mag7cli.portfolio.identity import Companies, Company, known_company, last_day_of, line_of
from mag7cli.portfolio.known_funds import known_fund
from mag7cli.portfolio.look_through import Contents, Gap
from mag7cli.portfolio.positions import OptionPosition, Portfolio, Position, merged
from mag7cli.portfolio.securities import CONTRACT_SIZE, Kind, Security, kind_by

DIRECT: Final = "direct"

_FEW_DERIVATIVES: Final = 0.01
"""Index funds hold futures of less than a hundredth of their assets against cash that is not yet invested."""


def expose(
    portfolio: Portfolio | Iterable[Position],
    funds: Mapping[str, FundHoldings],
    *,
    rates: Rates | None = None,
    top: int = 10,
    index: FundHoldings | None = None,
    deltas: Mapping[str, float] | None = None,
    expenses: Mapping[str, float] | None = None,
    group: CompanyGroup = THE_SEVEN,
) -> Exposure:
    """Open a portfolio through the holdings of funds.

    Args:
        portfolio: What is held.
        funds: Holdings by the symbol, an identifier or the name of the fund, in capitals.
        rates: US dollars for one unit of a currency; they win over those of the portfolio's own file.
        top: How many other companies are listed by name.
        index: Holdings of an index fund, to say what the same money would have there.
        deltas: Shares that one option stands for, 0 to 1, by its label or its underlying; options without are left out.
        expenses: Expense ratios of funds, percent a year, by symbol; they win over those of the portfolio's own file.
        group: The companies in question, by `tickers`.

    Returns:
        The whole portfolio, in US dollars; in another currency if all of it is in that one and no rate is known.
    """
    whole = portfolio if isinstance(portfolio, Portfolio) else Portfolio(merged(portfolio))
    known_rates = {**whole.rates, **(rates or {})}
    from_options, options = _options_as_shares(whole, deltas or {})
    positions = [*whole.positions, *from_options]
    currency = _reporting_currency(positions, known_rates)
    valued, unvalued = _valued(positions, currency, known_rates)
    companies = Companies(_securities(valued, funds, index))
    pieces = _Pieces(valued, funds, companies)
    benchmarks = _benchmarks(index, companies, group.tickers)
    answer = _Answer(pieces, currency, unvalued, top=top, group=group).exposure(options, benchmarks)
    return replace(answer, cost=_cost(valued, {**whole.expenses, **(expenses or {})}, answer))


def _cost(positions: Iterable[Position], expenses: Mapping[str, float], answer: Exposure) -> Cost | None:
    """What the funds cost; None if no expense ratio is known. A fund's ratio holds what the funds inside it cost."""
    opened = {fund.symbol for fund in answer.funds}
    in_funds = [each for each in positions if each.kind == "fund" or each.symbol in opened or known_fund(each.symbol)]
    known = [(each.amount or 0.0, expenses[each.symbol]) for each in in_funds if each.symbol in expenses]
    if not known:
        return None
    amount = math.fsum(value * ratio / 100 for value, ratio in known)
    whole = math.fsum(each.amount or 0.0 for each in in_funds)
    covered = 100 * math.fsum(value for value, _ in known) / whole if whole else 0.0
    return Cost(amount, 100 * amount / answer.held if answer.held else 0.0, covered)


# What is valued, and in which currency


def _reporting_currency(positions: Sequence[Position], rates: Rates) -> str:
    """The currency of the answer: dollars, or the only one if everything is in it and nobody gave its rate."""
    currencies = {position.currency for position in positions if position.amount is not None}
    only = next(iter(currencies)) if len(currencies) == 1 else USD
    return only if usd_rate(only, rates) is None else USD


def _valued(positions: Iterable[Position], currency: str, rates: Rates) -> tuple[list[Position], tuple[Unvalued, ...]]:
    """The positions in the currency of the answer, and those that have no value in it."""
    valued, unvalued = [], []
    for position in positions:
        rate = 1.0 if position.currency == currency else usd_rate(position.currency, rates)
        if position.amount is None:
            unvalued.append(Unvalued(position.label, None, position.currency, "it has no value in the file"))
        elif rate is None:
            reason = f"there is no rate for {position.currency}"
            unvalued.append(Unvalued(position.label, position.amount, position.currency, reason))
        else:
            valued.append(replace(position, amount=position.amount * rate, currency=currency))
    return valued, tuple(unvalued)


def _options_as_shares(
    portfolio: Portfolio, deltas: Mapping[str, float]
) -> tuple[list[Position], tuple[OptionPosition, ...]]:
    """Options that somebody gave a delta for, as so many shares at the price in the file; and the others."""
    shares, others = [], []
    for held in portfolio.options:
        option = held.option
        price = portfolio.prices.get(option.underlying) if option else None
        delta = deltas.get(held.label, deltas.get(option.underlying) if option else None)
        if option is None or price is None or delta is None or held.contracts is None:
            others.append(held)
            continue
        sign = 1.0 if option.right == "C" else -1.0
        amount = held.contracts * CONTRACT_SIZE * sign * abs(delta) * price
        shares.append(Position(option.underlying, amount, "stock", security=Security(option.underlying)))
    return shares, tuple(others)


def _securities(
    positions: Iterable[Position], funds: Mapping[str, FundHoldings], index: FundHoldings | None
) -> list[tuple[Security, date | None]]:
    """Every security of the positions and of the funds, with the day that its symbol is of."""
    held = [(_security(position), None) for position in positions]
    opened = [*funds.values(), *([index] if index else [])]
    return held + [(row.security, fund.as_of) for fund in opened for row in fund.rows if row.kind == "stock"]


def _security(position: Position) -> Security:
    """What is known of a position's security; of one that was typed, its symbol."""
    return position.security if position.security != Security() else Security(position.symbol)


# The pieces of all positions


class _Pieces:
    """The positions opened: amounts of companies by the way they are held, cash, and what is unknown."""

    def __init__(self, positions: Sequence[Position], funds: Mapping[str, FundHoldings], companies: Companies) -> None:
        self.positions = positions
        self.companies: dict[Company, dict[str, float]] = {}
        self.sectors: dict[str, float] = defaultdict(float)
        self.cash: dict[str, float] = defaultdict(float)
        self.unknown: list[Unknown] = []
        self.low = self.high = 0.0
        self.opened: dict[str, tuple[FundHoldings, Contents, float]] = {}
        self.notes: list[str] = []
        self._funds = funds
        self._register = companies
        for position in positions:
            self._add(position, position.amount or 0.0)

    def _add(self, position: Position, amount: float) -> None:
        symbol = self._fund_symbol(position)
        kind = self._kind(position)
        if position.kind in ("cash", "bond", "other"):
            self.cash[DIRECT] += amount
        elif symbol is not None:
            self._open(symbol, amount)
        elif kind == "stock":
            self._add_company(position, amount)
        else:
            self._add_unknown(position, amount, kind)

    def _fund_symbol(self, position: Position) -> str | None:
        """The key of the fund that a position is in, if its holdings are known."""
        if position.kind == "stock" and not known_fund(position.symbol):
            return None
        return next((key for key in position.fund_keys if key in self._funds), None)

    def _kind(self, position: Position) -> Kind | None:
        """Whether a position that is no known fund is a share: it is said to be, or its symbol or its name says so."""
        if known_fund(position.symbol) and not (position.security.isin or position.security.country):
            return "fund"
        if position.kind != "any":
            return "stock" if position.kind == "stock" else "fund"
        if self._register.is_of_index(_security(position)):
            return "stock"
        return kind_by("name", position.security.name) if position.security.name else None

    def _open(self, symbol: str, amount: float) -> None:
        holdings, contents, before = self.opened.get(symbol) or (
            self._funds[symbol],
            look_through.contents(symbol, self._funds, self._register),
            0.0,
        )
        self.opened[symbol] = (holdings, contents, before + amount)
        for company, weight in contents.companies.items():
            self._company(company, symbol, amount * weight)
        for sector, weight in contents.sectors.items():
            self.sectors[sector] += amount * weight
        self.cash[symbol] += amount * contents.cash
        for gap in contents.gaps:
            self._add_gap(symbol, amount, gap)
        self._add_derivatives(symbol, amount, holdings.derivatives)

    def _add_company(self, position: Position, amount: float) -> None:
        company = self._register.of(_security(position))
        self._company(company, DIRECT, amount)
        self.sectors[look_through.sector_of(company, "")] += amount
        former = last_day_of(position.symbol)
        if former and line_of(position.symbol):
            self.notes.append(
                f"{position.symbol} is read as {line_of(position.symbol)}: it was its symbol until {former}"
            )

    def _company(self, company: Company, way: str, amount: float) -> None:
        ways = self.companies.setdefault(company, {})
        ways[way] = ways.get(way, 0.0) + amount

    def _add_gap(self, symbol: str, amount: float, gap: Gap) -> None:
        part = amount * gap.weight
        self.unknown.append(Unknown(symbol, part, gap.reason))
        self._bound(part, gap.leverage)

    def _add_derivatives(self, symbol: str, amount: float, part: float) -> None:
        """Widen the range by what a fund's futures and swaps may add, if that is more than a few unspent dividends."""
        if abs(part) > _FEW_DERIVATIVES:
            self.low += min(0.0, amount * part)
            self.high += max(0.0, amount * part)
            self.notes.append(f"futures and swaps of {symbol} come to {100 * part:.1f} % of it, and are not opened")

    def _add_unknown(self, position: Position, amount: float, kind: Kind | None) -> None:
        fund = known_fund(position.symbol)
        key = next(iter(position.fund_keys), "") if kind == "fund" or fund else ""
        self.unknown.append(Unknown(position.label, amount, _why_unknown(position, kind), fund=key))
        self._bound(amount, fund.leverage if fund else 1)

    def _bound(self, amount: float, leverage: float) -> None:
        """Widen the range by an amount that may be in the Mag 7 not at all, wholly, or as often as a fund is geared."""
        ends = (0.0, amount * leverage, amount if leverage > 0 else 0.0)
        self.low += min(ends)
        self.high += max(ends)


def _why_unknown(position: Position, kind: Kind | None) -> str:
    fund = known_fund(position.symbol)
    if kind == "fund" or fund:
        name = f" ({fund.name})" if fund else ""
        return f"there is no holdings file of this fund{name}"
    return "neither a fund with a holdings file nor a company of the index"


# The answer


class _Answer:
    """Puts the pieces together, each in the currency of the answer."""

    def __init__(
        self,
        pieces: _Pieces,
        currency: str,
        unvalued: tuple[Unvalued, ...],
        *,
        top: int,
        group: CompanyGroup,
    ) -> None:
        self._pieces = pieces
        self._currency = currency
        self._unvalued = unvalued
        self._top = top
        self._group = group
        amounts = [position.amount or 0.0 for position in pieces.positions]
        self._total = math.fsum(amounts)
        self._held = math.fsum(amount for amount in amounts if amount > 0)

    def exposure(
        self, options: tuple[OptionPosition, ...], benchmarks: Sequence[tuple[str, float, date | None]]
    ) -> Exposure:
        """The whole answer; `benchmarks` are names, percentages and days."""
        companies = self._companies()
        members = map(known_company, self._group.tickers)
        chosen = [companies.pop(company, self._nothing_in(company)) for company in members]
        others = sorted(companies.values(), key=_largest_first)
        amount = math.fsum(company.amount for company in chosen)
        unknown = tuple(self._pieces.unknown)
        return Exposure(
            currency=self._currency,
            total=self._total,
            held=self._held,
            mag7=tuple(sorted(chosen, key=_largest_first)),
            mag7_amount=amount,
            mag7_pct=self._pct(amount),
            mag7_pct_of_net=100 * amount / self._total if self._total > 0 else None,
            low_pct=self._pct(amount + self._pieces.low),
            high_pct=self._pct(amount + self._pieces.high),
            others=tuple(others[: self._top]),
            others_count=len(others),
            others_amount=math.fsum(company.amount for company in others),
            cash=math.fsum(self._pieces.cash.values()),
            cash_via=dict(self._pieces.cash),
            unknown=unknown,
            unknown_amount=math.fsum(part.amount for part in unknown),
            unvalued=self._unvalued,
            options=options,
            funds=tuple(self._fund(symbol) for symbol in self._pieces.opened),
            overlaps=_overlaps({key: contents for key, (_, contents, _) in self._pieces.opened.items()}),
            sectors=self._groups(self._pieces.sectors),
            countries=self._groups(self._countries()),
            cost=None,
            benchmarks=tuple(Benchmark(name, pct, self._held * pct / 100, day) for name, pct, day in benchmarks),
            notes=tuple(dict.fromkeys(self._pieces.notes)),
            group=self._group.name + _without(self._group),
            subject=_subject(self._group),
        )

    def _pct(self, amount: float) -> float:
        return 100 * amount / self._held if self._held else 0.0

    def _companies(self) -> dict[Company, CompanyExposure]:
        return {company: self._company(company, ways) for company, ways in self._pieces.companies.items()}

    def _company(self, company: Company, ways: Mapping[str, float]) -> CompanyExposure:
        amount = math.fsum(ways.values())
        return _company_exposure(company, amount, self._pct(amount), ways)

    def _nothing_in(self, company: Company) -> CompanyExposure:
        """A company in question that is not held."""
        return _company_exposure(company, 0.0, 0.0, {})

    def _fund(self, symbol: str) -> FundLookThrough:
        holdings, contents, amount = self._pieces.opened[symbol]
        return FundLookThrough(
            symbol=symbol,
            name=holdings.name,
            as_of=holdings.as_of,
            amount=amount,
            mag7_pct=100 * contents.part_of(self._group.tickers),
            companies_pct=100 * math.fsum(contents.companies.values()),
            cash_pct=100 * contents.cash,
            unknown_pct=100 * math.fsum(gap.weight for gap in contents.gaps),
            derivatives_pct=100 * holdings.derivatives,
            gross_pct=100 * (holdings.gross + holdings.unknown),
        )

    def _countries(self) -> Mapping[str, float]:
        amounts: dict[str, float] = defaultdict(float)
        for company, ways in self._pieces.companies.items():
            amounts[company.country] += math.fsum(ways.values())
        return amounts

    def _groups(self, amounts: Mapping[str, float]) -> tuple[Group, ...]:
        """The groups, the largest first; what belongs to none is called unknown."""
        groups = (Group(name or "unknown", amount, self._pct(amount)) for name, amount in amounts.items() if amount)
        return tuple(sorted(groups, key=lambda group: (-group.amount, group.name)))


def _company_exposure(company: Company, amount: float, pct: float, via: Mapping[str, float]) -> CompanyExposure:
    return CompanyExposure(
        ticker=company.ticker, name=company.name, amount=amount, pct=pct, via=dict(via), country=company.country
    )


def _largest_first(company: CompanyExposure) -> tuple[float, str, str]:
    return -company.amount, company.ticker, company.name


def _overlaps(funds: Mapping[str, Contents]) -> tuple[Overlap, ...]:
    """What each pair of the funds has in common, the most first.

    A company is one object wherever it comes from, so that its identity tells it: to hash names is slow.
    """
    weights = {
        symbol: {id(company): weight for company, weight in contents.companies.items()}
        for symbol, contents in funds.items()
    }
    pairs = (Overlap(a, b, 100 * _common(weights[a], weights[b])) for a, b in combinations(weights, 2))
    return tuple(sorted(pairs, key=lambda overlap: (-overlap.pct, overlap.first, overlap.second)))


def _common(first: Mapping[int, float], second: Mapping[int, float]) -> float:
    return math.fsum(max(0.0, min(first[company], second[company])) for company in first.keys() & second.keys())


def _subject(group: CompanyGroup) -> str:
    """What the companies in question are called in a sentence."""
    subject = "the Magnificent 7" if group.name == SEVEN else replace(group, without=()).subject
    return subject + _without(group)


def _without(group: CompanyGroup) -> str:
    return f" without {', '.join(group.without)}" if group.without else ""


def _benchmarks(
    index: FundHoldings | None, companies: Companies, tickers: Sequence[str]
) -> list[tuple[str, float, date | None]]:
    """The index by its fund's weights, and the same companies in equal parts."""
    if index is None:
        return []
    contents = look_through.contents("", {"": index}, companies)
    members = sum(company in contents.companies for company in map(known_company, tickers))
    return [
        ("S&P 500", 100 * contents.part_of(tickers), index.as_of),
        ("equal weight", 100 * members / len(contents.companies), index.as_of),
    ]
