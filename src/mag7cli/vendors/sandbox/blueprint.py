"""What a simulated market is made of: lines, splits, corporate events, other securities, and the anchors of prices.

Owns the reading of `data/sandbox_*.csv`; `invented` makes blueprints of markets that never were.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, Literal

from mag7cli.core import packaged_data
from mag7cli.market import index_history, symbology
from mag7cli.market.calendar import previous_session
from mag7cli.market.records import Split
from mag7cli.market.symbology import KnownConstituent
from mag7cli.vendors.sandbox.quarters import QuarterRule

EventKind = Literal["spin_off", "share_issue"]
ListFault = Literal["missing", "a_day_early", "a_day_late", "wrong_ratio", "inverted", "twice"]


@dataclass(frozen=True, slots=True)
class SymbolPeriod:
    """From `first_day` on (None: always) the vendor's bars spell a line `symbol`, and its registrant is `cik`.

    Details may keep the symbol until `details_last_day`, after the last bar. An empty `cik` is the line's own.
    """

    symbol: str
    first_day: date | None = None
    details_last_day: date | None = None
    cik: str = ""


@dataclass(frozen=True, slots=True)
class Security:
    """One line of the index as it stands on the anchor date.

    `shares` counts all classes of the company, `class_shares` this line's class only, both in the share units of the
    anchor date; `share_growth_pct` is per year, None to invent one. `listed_from` is None for "long before",
    `last_trading_day` for "still traded". A `guest` is not in the index on the anchor date: it left before or joins
    later, and is drawn apart, so that guests change no other line's prices.
    """

    ticker: str
    name: str
    cik: str
    sector: str
    close_usd: float
    shares: int
    class_shares: int
    quarters: QuarterRule
    listed_from: date | None = None
    share_growth_pct: float | None = None
    exchange: str = "XNYS"
    composite_figi: str = ""
    symbols: tuple[SymbolPeriod, ...] = ()
    last_trading_day: date | None = None
    guest: bool = False


@dataclass(frozen=True, slots=True)
class CompanyEvent:
    """A spin-off multiplies the price by `factor`, a share issue the shares: at the first quarter end from `on`."""

    ticker: str
    on: date
    kind: EventKind
    factor: float


@dataclass(frozen=True, slots=True)
class OtherSecurity:
    """A security outside the index under its symbol from `first_day` to `last_day`; `close_usd` is on the first day."""

    symbol: str
    name: str
    security_type: str
    cik: str
    exchange: str
    first_day: date
    last_day: date | None
    close_usd: float
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Anchors:
    """Levels that prices pass through on `dates`, in the anchor date's share units; a line's own or its sector's."""

    dates: tuple[date, ...]
    of_ticker: Mapping[str, tuple[float, ...]]
    of_sector: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class KnownFaults:
    """Vendor faults that are part of a market whatever its seed; sessions are counted from the execution date on.

    `frozen_until`: before it the weighted share history stands still; None if this market's vendor has no such fault.
    `listed`: what is wrong with the list's row of a split. `prices`: what is told instead of a bar's prices (USD).
    """

    early: tuple[tuple[str, date], ...] = ()
    late: tuple[tuple[str, date, int], ...] = ()
    no_market_cap: tuple[tuple[str, date, date], ...] = ()
    no_cik_within: tuple[date, date] | None = None
    frozen_until: date | None = None
    listed: tuple[tuple[str, date, ListFault], ...] = ()
    prices: tuple[tuple[str, date, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A whole market before any price is drawn. `counted` is the line that stands for a company with two, by CIK.

    The index of a date is what `index_history` says where `dated`, else every line that is listed.
    """

    securities: tuple[Security, ...]
    splits: tuple[Split, ...]
    anchor: date
    anchors: Anchors
    events: tuple[CompanyEvent, ...] = ()
    others: tuple[OtherSecurity, ...] = ()
    counted: Mapping[str, str] = field(default_factory=dict)
    known_faults: KnownFaults = KnownFaults()
    dated: bool = False


ANCHOR: Final = date(2024, 12, 6)

_UNKNOWN_PRICE_USD: Final = 20.0

# Each was seen at the vendor: docs/methodology.md has the evidence.
_KNOWN_FAULTS: Final = KnownFaults(
    early=(("NVDA", date(2024, 6, 10)),),
    late=(("ETR", date(2024, 12, 13), 1), ("TSLA", date(2022, 8, 25), 3)),
    no_market_cap=(("MSFT", date(2024, 11, 4), date(2024, 11, 29)),),
    no_cik_within=(date(2024, 11, 4), date(2024, 11, 29)),
    frozen_until=date(2021, 10, 1),
)


def from_tables() -> Blueprint:
    """The market that looks like the S&P 500 of 2024-12-06, with the lines that left since 2021 and those to come."""
    return Blueprint(
        securities=_lines(),
        splits=tuple(_splits()),
        anchor=ANCHOR,
        anchors=_anchors(),
        events=tuple(_events()),
        others=tuple(_others()),
        counted={row["cik"]: row["counted_ticker"] for row in packaged_data.read("share_classes")},
        known_faults=_KNOWN_FAULTS,
        dated=True,
    )


def period_on(periods: Sequence[SymbolPeriod], on: date, *, details: bool = False) -> SymbolPeriod:
    """What a line is called on a date, in its bars or in its details; the oldest name before all of them."""
    started = [
        period for period, first in zip(periods, first_days(periods, details=details), strict=True) if on >= first
    ]
    return started[-1] if started else periods[0]


def first_days(periods: Sequence[SymbolPeriod], *, details: bool = False) -> list[date]:
    """When each period begins; in details a day late where the period before it says so."""
    starts = [period.first_day or date.min for period in periods]
    if details:
        for position, before in enumerate(periods[:-1], start=1):
            if before.details_last_day:
                starts[position] = before.details_last_day + timedelta(days=1)
    return starts


def symbol_periods(ticker: str) -> tuple[SymbolPeriod, ...]:
    """The vendor's names of a line of the index over time, oldest first; its ticker alone if it was never renamed."""
    periods = [
        SymbolPeriod(row["symbol"], _day(row["first_day"]), _day(row["details_last_day"]), row["cik"])
        for row in packaged_data.read("symbol_history")
        if row["ticker"] == ticker
    ]
    return tuple(sorted(periods, key=lambda period: period.first_day or date.min)) or (SymbolPeriod(ticker),)


def _lines() -> tuple[Security, ...]:
    market = {row["ticker"]: row for row in packaged_data.read("sandbox_market")}
    members = len(symbology.bundled_constituents())
    return tuple(
        _line(constituent, market[constituent.ticker], guest=rank >= members)
        for rank, constituent in enumerate(symbology.known_constituents())
    )


def _line(constituent: KnownConstituent, row: Mapping[str, str], *, guest: bool) -> Security:
    growth = row["share_growth_pct"]
    return Security(
        ticker=constituent.ticker,
        name=constituent.name,
        cik=constituent.cik,
        sector=constituent.sector,
        close_usd=float(row["close_usd"]),
        shares=int(row["shares_outstanding"]),
        class_shares=int(row["share_class_shares"]),
        quarters=QuarterRule.parse(row["fiscal_quarter_phase"]),
        listed_from=_day(row["listed_from"]),
        share_growth_pct=float(growth) if growth else None,
        exchange=row["exchange"],
        composite_figi=row["composite_figi"],
        symbols=symbol_periods(row["ticker"]),
        last_trading_day=_last_trading_day(constituent.ticker),
        guest=guest,
    )


def _last_trading_day(ticker: str) -> date | None:
    """The day that is known; else a line that is merged away ends with the session before it leaves the index."""
    known = index_history.last_trading_day(ticker)
    left = next((row.effective_date for row in index_history.changes() if _merges(row) and row.ticker == ticker), None)
    return known or (previous_session(left) if left else None)


def _merges(row: index_history.IndexChange) -> bool:
    return row.change == "leaves" and row.reason.startswith(("merger", "receivership"))


def _splits() -> Iterable[Split]:
    for row in packaged_data.read("sandbox_splits"):
        execution = date.fromisoformat(row["execution_date"])
        yield Split(row["ticker"], execution, float(row["split_from"]), float(row["split_to"]))


def _events() -> Iterable[CompanyEvent]:
    for row in packaged_data.read("sandbox_events"):
        kind: EventKind = "spin_off" if row["kind"] == "spin_off" else "share_issue"
        yield CompanyEvent(row["ticker"], date.fromisoformat(row["on"]), kind, float(row["factor"]))


def _anchors() -> Anchors:
    levels: dict[str, dict[str, list[float]]] = {"ticker": {}, "sector": {}}
    rows = packaged_data.read("sandbox_anchors")
    for row in rows:
        levels[row["scope"]].setdefault(row["name"], []).append(float(row["level_usd"]))
    dates = tuple(sorted({date.fromisoformat(row["on"]) for row in rows}))
    of_ticker, of_sector = ({name: tuple(values) for name, values in levels[scope].items()} for scope in levels)
    return Anchors(dates, of_ticker, of_sector)


def _others() -> Iterable[OtherSecurity]:
    """The sandbox's own, and whatever else is known to have had a symbol of one of the lines."""
    known = packaged_data.read("sandbox_other_symbols")
    named = {(row["symbol"], row["last_day"]) for row in known}
    known += [row for row in packaged_data.read("other_securities") if (row["symbol"], row["last_day"]) not in named]
    reused = {row["symbol"] for row in packaged_data.read("other_securities")}
    for row in known:
        yield OtherSecurity(
            symbol=row["symbol"],
            name=row["name"],
            security_type=row["security_type"],
            cik=row["cik"],
            exchange=row.get("exchange", "XNYS"),
            first_day=_day(row["first_day"]) or date.min,
            last_day=_day(row["last_day"]),
            close_usd=float(row.get("close_usd", _UNKNOWN_PRICE_USD)),
            reused=row["symbol"] in reused,
        )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
