"""Which security a ticker is: its symbol on each date, its registrant, its company. Knows no vendor and no file format.

`ticker` is the name used throughout mag7 and never changes: the spelling of the S&P 500 of 2024-12-06.
`symbol` is what the vendor calls the line on a date (`FB` until 2022-06-08). Both can name other securities on other
dates; `data/symbol_history.csv` and `data/other_securities.csv` say which, when, and who says so.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from mag7cli.core import packaged_data
from mag7cli.market.magnificent_7 import MAGNIFICENT_7 as MAGNIFICENT_7

if TYPE_CHECKING:
    from mag7cli.market.records import TickerDetails

BUNDLED_AS_OF: Final = date(2024, 12, 6)
"""The day of the list of constituents that is shipped with the package."""

# What no constituent is, in the vendor's codes; REITs and foreign registrants are CS like the rest.
_FUND_TYPES: Final = frozenset({"ETF", "ETN", "ETV", "ETS", "FUND", "BASKET", "SP"})

# Details may change the symbol some days after the bars do: one day for META.
_DETAILS_LAG: Final = timedelta(days=3)

# An issuer's file or a list of splits may follow a rename late, or know it early.
_GRACE: Final = timedelta(days=31)

# What a company drops from its name, or takes into it, when it reorganises.
_FORMS: Final = (
    "ab ag bv class co common companies company corp corporation group holding holdings inc incorporated limited llc "
    "lp ltd new nv ordinary plc sa se share shares stock the trust a b c"
)
_LEGAL_FORMS: Final = frozenset(_FORMS.split())


@dataclass(frozen=True, slots=True)
class SymbolPeriod:
    """A line under one symbol and one registrant, from `first_day` to `last_day`, both included; None is open."""

    ticker: str
    symbol: str
    first_day: date | None = None
    last_day: date | None = None
    details_last_day: date | None = None
    cik: str | None = None

    def covers(self, day: date, *, slack: timedelta = timedelta(0)) -> bool:
        """Whether the bars of `day` are under this symbol, give or take `slack`."""
        started = self.first_day is None or self.first_day - slack <= day
        return started and (self.last_day is None or day <= self.last_day + slack)


@dataclass(frozen=True, slots=True)
class OtherSecurity:
    """A security that is none of our lines but carried the symbol of one."""

    symbol: str
    name: str
    first_day: date | None
    last_day: date | None
    cik: str | None
    security_type: str

    def covers(self, day: date) -> bool:
        """Whether the symbol was this security's on that day."""
        return (self.first_day is None or self.first_day <= day) and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True, slots=True)
class KnownConstituent:
    """A line of the S&P 500 at some time since 2021."""

    ticker: str
    name: str
    cik: str
    sector: str


@dataclass(frozen=True, slots=True)
class Company:
    """An issuer and its lines: `counted` stands for the whole company, `others` are its further share classes."""

    cik: str | None
    name: str | None
    counted: str
    others: tuple[str, ...] = ()


class HasTicker(Protocol):
    """Anything that names a line and, if it is known, its registrant."""

    @property
    def ticker(self) -> str:
        """The line."""
        ...

    @property
    def cik(self) -> str | None:
        """The registrant, ten digits."""
        ...


def symbol_on(ticker: str, on: date) -> str:
    """The vendor's symbol of a line in the daily bars of `on`."""
    return _period_on(ticker, on).symbol


def called_so_until(ticker: str, on: date) -> date:
    """The first date after `on` on which a line may have another symbol."""
    last_day = _period_on(ticker, on).last_day
    return max(last_day, on) + timedelta(days=1) if last_day else date.max


def symbol_periods(ticker: str, first: date, last: date) -> list[tuple[str, date, date]]:
    """The symbols of a line from `first` to `last`, oldest first, each with its first and last day in it."""
    periods: list[tuple[str, date, date]] = []
    for period in history(ticker):
        start, end = max(period.first_day or first, first), min(period.last_day or last, last)
        if start > end:
            continue
        if periods and periods[-1][0] == period.symbol:
            start = periods.pop()[1]
        periods.append((period.symbol, start, end))
    return periods


def details_symbols_on(ticker: str, on: date) -> tuple[str, ...]:
    """The symbols to ask the vendor's details for, the likeliest first; more than one within days of a rename."""
    periods = history(ticker)
    likeliest = next(period for period in reversed(periods) if _details_from(period, periods) <= on)
    near = (period.symbol for period in periods if period.covers(on, slack=_DETAILS_LAG))
    return tuple(dict.fromkeys((likeliest.symbol, *near)))


def ticker_for(symbol: str, on: date) -> str:
    """The line that a vendor's symbol means in a document of `on`; the symbol itself if it was never renamed.

    A rename may be known some weeks early or late, and a document may use our own name for a line at any date.
    Whether another security carried the symbol then is `other_security`'s to say: an S&P 500 fund never held those.
    """
    periods = _periods_by_symbol().get(symbol, ())
    exact = next((period.ticker for period in periods if period.covers(on)), None)
    if exact or symbol in _histories() or other_security(symbol, on):
        return exact or symbol
    return next((period.ticker for period in periods if period.covers(on, slack=_GRACE)), symbol)


def tickers_called(symbol: str) -> frozenset[str]:
    """The lines that had this symbol at any time."""
    return frozenset(period.ticker for period in _periods_by_symbol().get(symbol, ()))


def other_security(symbol: str, on: date) -> OtherSecurity | None:
    """The security other than ours that carried the symbol on that date, as far as the table knows."""
    return next((other for other in _other_securities().get(symbol, ()) if other.covers(on)), None)


def vendor_symbol(issuer_symbol: str) -> str:
    """The vendor's spelling of a symbol that a fund issuer or a broker wrote: BRKB, BRK/B and BRK-B are BRK.B."""
    return _vendor_symbols().get(issuer_symbol, issuer_symbol)


@cache
def history(ticker: str) -> tuple[SymbolPeriod, ...]:
    """The periods of a line, oldest first, without gaps; one open period if it was never renamed."""
    return _histories().get(ticker) or (SymbolPeriod(ticker, ticker, cik=_constituent_ciks().get(ticker)),)


def refusal(ticker: str, on: date, details: "TickerDetails") -> str | None:
    """Why the vendor's details for `on` are not of this line but of another security; None if nothing says so.

    The vendor leaves the CIK out now and then: a missing one refuses nothing. The registrant of another period is
    accepted, for the vendor may give the successor's at any date.
    """
    subject = f"{details.symbol} on {on} is {details.name}"
    if details.security_type in _FUND_TYPES:
        return f"{subject}, a fund (type {details.security_type}), not {ticker}"
    known = {period.cik for period in history(ticker) if period.cik}
    cik = _ten_digits(details.cik)
    if cik and known:
        return None if cik in known else f"{subject} (CIK {cik}), not {ticker} (CIK {', '.join(sorted(known))})"
    other = other_security(details.symbol, on)
    return f"{subject}, and the symbol was {other.name}'s on that date" if other else None


def is_registrant(ticker: str, cik: str | None) -> bool:
    """True if a CIK is that of the line in some period, as far as the tables know; a missing one proves nothing."""
    return _ten_digits(cik) in {period.cik for period in history(ticker) if period.cik}


def may_be_new_registrant(ticker: str, on: date, details: "TickerDetails") -> bool:
    """True if only the CIK speaks against details: a company that reorganised goes on under a new one."""
    is_share = details.security_type not in _FUND_TYPES and other_security(details.symbol, on) is None
    return is_share and bool(_ten_digits(details.cik)) and not is_registrant(ticker, details.cik)


def names_of(ticker: str) -> set[str]:
    """The names of a line that our tables have."""
    return {constituent.name for constituent in known_constituents() if constituent.ticker == ticker}


def is_same_name(name: str, other: str) -> bool:
    """True if two names are one company's but for its legal form: Exxon Mobil Corporation, ExxonMobil Holdings Corp."""
    return bool(_bare_name(name)) and _bare_name(name) == _bare_name(other)


def _bare_name(name: str) -> str:
    words = re.findall(r"[a-z0-9&]+", name.lower().replace("'", ""))
    return "".join(word for word in words if word not in _LEGAL_FORMS).strip("&")


def companies(constituents: Iterable[HasTicker]) -> list[Company]:
    """The companies behind lines, in the order of their first line: lines of one registrant are one company.

    Counted is the line that `data/share_classes.csv` names, else the company's first.
    """
    groups: dict[str, list[str]] = {}
    ciks: dict[str, str | None] = {}
    for constituent in constituents:
        cik = company_cik(constituent.ticker) or _ten_digits(constituent.cik)
        group = groups.setdefault(cik or constituent.ticker, [])
        if constituent.ticker not in group:
            group.append(constituent.ticker)
        ciks[group[0]] = cik
    return [_company(ciks[group[0]], group) for group in groups.values()]


def company_cik(ticker: str) -> str | None:
    """The CIK that stands for the company of a line at all dates, whichever registrant it had then; None if unknown."""
    return _class_ciks().get(ticker) or _constituent_ciks().get(ticker) or history(ticker)[-1].cik


def bundled_constituents() -> tuple[KnownConstituent, ...]:
    """The 503 lines of the S&P 500 on BUNDLED_AS_OF, the largest first."""
    return _constituents()


@cache
def known_constituents() -> tuple[KnownConstituent, ...]:
    """Every line that was in the index since 2021: the bundled list, then those that left before it or joined later."""
    others = packaged_data.read("index_lines")
    return _constituents() + tuple(_constituent(row) for row in others)


def _period_on(ticker: str, on: date) -> SymbolPeriod:
    periods = history(ticker)
    if len(periods) == 1:
        return periods[0]
    return next((period for period in periods if period.covers(on)), periods[-1])


def _details_from(period: SymbolPeriod, periods: Sequence[SymbolPeriod]) -> date:
    """The first day of a symbol in the vendor's details."""
    position = periods.index(period)
    kept_until = periods[position - 1].details_last_day if position else None
    return kept_until + timedelta(days=1) if kept_until else period.first_day or date.min


def _company(cik: str | None, tickers: Sequence[str]) -> Company:
    named = _counted_tickers().get(cik or "")
    counted = named if named and named in tickers else tickers[0]
    others = tuple(ticker for ticker in tickers if ticker != counted)
    return Company(cik, _company_names().get(cik or ""), counted, others)


def _ten_digits(cik: str | None) -> str | None:
    return cik.strip().zfill(10) if cik and cik.strip() else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


@cache
def _histories() -> Mapping[str, tuple[SymbolPeriod, ...]]:
    by_ticker: dict[str, list[SymbolPeriod]] = {}
    for row in packaged_data.read("symbol_history"):
        first, last, details = (_day(row[name]) for name in ("first_day", "last_day", "details_last_day"))
        period = SymbolPeriod(row["ticker"], row["symbol"], first, last, details, row["cik"] or None)
        by_ticker.setdefault(period.ticker, []).append(period)
    return {ticker: tuple(sorted(periods, key=_start)) for ticker, periods in by_ticker.items()}


def _start(period: SymbolPeriod) -> date:
    return period.first_day or date.min


@cache
def _periods_by_symbol() -> Mapping[str, tuple[SymbolPeriod, ...]]:
    by_symbol: dict[str, list[SymbolPeriod]] = {}
    for period in sorted((period for periods in _histories().values() for period in periods), key=_start):
        by_symbol.setdefault(period.symbol, []).append(period)
    return {symbol: tuple(periods) for symbol, periods in by_symbol.items()}


@cache
def _other_securities() -> Mapping[str, tuple[OtherSecurity, ...]]:
    by_symbol: dict[str, list[OtherSecurity]] = {}
    for row in packaged_data.read("other_securities"):
        days = _day(row["first_day"]), _day(row["last_day"])
        other = OtherSecurity(row["symbol"], row["name"], *days, row["cik"] or None, row["security_type"])
        by_symbol.setdefault(other.symbol, []).append(other)
    return {symbol: tuple(others) for symbol, others in by_symbol.items()}


@cache
def _vendor_symbols() -> Mapping[str, str]:
    return {row["issuer_symbol"]: row["vendor_symbol"] for row in packaged_data.read("vendor_symbols")}


@cache
def _constituents() -> tuple[KnownConstituent, ...]:
    return tuple(_constituent(row) for row in packaged_data.read("constituents"))


def _constituent(row: Mapping[str, str]) -> KnownConstituent:
    return KnownConstituent(row["ticker"], row["name"], row["cik"], row["sector"])


@cache
def _constituent_ciks() -> Mapping[str, str]:
    return {constituent.ticker: constituent.cik for constituent in known_constituents()}


@cache
def _class_ciks() -> Mapping[str, str]:
    rows = packaged_data.read("share_classes")
    return {ticker: row["cik"] for row in rows for ticker in (row["counted_ticker"], *row["other_tickers"].split())}


@cache
def _counted_tickers() -> Mapping[str, str]:
    return {row["cik"]: row["counted_ticker"] for row in packaged_data.read("share_classes")}


@cache
def _company_names() -> Mapping[str, str]:
    names = {constituent.cik: constituent.name for constituent in reversed(known_constituents())}
    return names | {row["cik"]: row["company"] for row in packaged_data.read("share_classes")}
