"""The share of a group during a session: prices of the moment times share counts, with age, coverage and bound.

Pure. A company that has not traded in the phase stands at its last close. The bound says what that can cost, as if
each of them had moved as far as the company that moved most, and what the share counts of the last close leave open.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from mag7cli.core.formatting import pct, pct_within
from mag7cli.live.baseline import Baseline, CloseBound, LiveConstituent, share_pct
from mag7cli.live.prices import LastPrice, PriceBook
from mag7cli.market.intraday import MINUTE_MS
from mag7cli.market.trading_hours import TradingPhase

# Longer than any of the five hundred goes without a trade on an ordinary day.
_QUIET_MS: Final = 10 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class LiveCompany:
    """A company of the group at one moment. `traded_at` is None for one that stands at its last close.

    `since_close` is the change of its share of the index in points.
    """

    ticker: str
    name: str
    price_usd: float
    market_cap_usd: float
    pct_of_sp500: float
    since_close: float
    traded_at: datetime | None


@dataclass(frozen=True, slots=True)
class QuietCompany:
    """A company of the index that has traded, but not since `since`, some minutes ago; halted or not."""

    ticker: str
    since: datetime


@dataclass(frozen=True, slots=True)
class LivePoint:
    """The share of the group at one minute: intraday and unofficial. Percentages are 0-100, changes in points.

    `minute` is the end of the newest minute in it, `taken_at` the wall clock. `low_pct` to `high_pct` is what the
    untraded companies and the share counts leave open, the latter as far as `is_close_bounded`. `since_open` is None
    until a company has an official open. `has_closes` says that regular prices are official closes. `oldest_at` and
    `oldest_ticker` are the oldest price among the companies that have traded.
    """

    trading_date: date
    minute: datetime
    taken_at: datetime
    phase: TradingPhase
    share_pct: float
    low_pct: float
    high_pct: float
    is_close_bounded: bool
    since_close: float
    since_open: float | None
    group_cap_usd: float
    sp500_cap_usd: float
    companies: tuple[LiveCompany, ...]
    constituents_count: int
    traded_count: int
    untraded: tuple[str, ...]
    untraded_pct: float
    quiet: tuple[QuietCompany, ...]
    oldest_at: datetime | None
    oldest_ticker: str | None
    halted: tuple[str, ...]
    has_closes: bool

    @property
    def share_text(self) -> str:
        """The share with its bound, as it is printed: `33.28 % ± 0.02`."""
        is_exact = self.low_pct == self.high_pct
        return pct(self.share_pct) if is_exact else pct_within(self.share_pct, self.low_pct, self.high_pct)

    @property
    def oldest_age_s(self) -> float | None:
        """Age of the oldest price of a company that has traded, seconds."""
        return (self.taken_at - self.oldest_at).total_seconds() if self.oldest_at else None


def live_point(baseline: Baseline, book: PriceBook, phase: TradingPhase, now: datetime) -> LivePoint | None:
    """The point of a moment.

    Args:
        baseline: The share counts and last closes.
        book: The prices so far.
        phase: The phase whose prices count; after-hours prices stand before those of the regular session, which
            stand before the last close. Pre-market prices count in the pre-market only.
        now: The wall clock, with an offset.

    Returns:
        None before the first bar: there is nothing yet but the last close.
    """
    if book.latest_ms is None:
        return None
    is_regular = phase is TradingPhase.REGULAR
    prices = _prices(book, phase)
    priced = [_Priced(constituent, prices.get(constituent.symbol)) for constituent in baseline.constituents]
    caps = {entry.constituent.ticker: entry.cap_usd for entry in priced}
    untraded = [entry for entry in priced if entry.price is None]
    share = share_pct(caps, baseline.group)
    low, high = _bounds(baseline, priced, caps)
    total = math.fsum(caps.values())
    oldest = min((entry for entry in priced if entry.price), key=lambda entry: entry.at_ms, default=None)
    halted = book.halted()
    return LivePoint(
        trading_date=baseline.trading_date,
        minute=min(_moment(book.latest_ms, now), book.hours.close) if is_regular else _moment(book.latest_ms, now),
        taken_at=now,
        phase=phase,
        share_pct=share,
        low_pct=low,
        high_pct=high,
        is_close_bounded=baseline.close_bound is not None,
        since_close=share - baseline.share_pct,
        since_open=_since_open(baseline, book, share),
        group_cap_usd=share / 100 * total,
        sp500_cap_usd=total,
        companies=_companies(baseline, priced, total, now),
        constituents_count=len(priced),
        traded_count=len(priced) - len(untraded),
        untraded=tuple(entry.constituent.ticker for entry in untraded),
        untraded_pct=100 * math.fsum(entry.cap_usd for entry in untraded) / total,
        quiet=_quiet(priced, book.latest_ms, now),
        oldest_at=_moment(oldest.at_ms, now) if oldest else None,
        oldest_ticker=oldest.constituent.ticker if oldest else None,
        halted=tuple(entry.ticker for entry in baseline.constituents if entry.symbol in halted),
        has_closes=book.has_closes,
    )


@dataclass(frozen=True, slots=True)
class _Priced:
    """A company and the price that counts for it; None is its last close."""

    constituent: LiveConstituent
    price: LastPrice | None

    @property
    def cap_usd(self) -> float:
        return self.constituent.shares * (self.price.usd if self.price else self.constituent.close_usd)

    @property
    def at_ms(self) -> int:
        return self.price.at_ms if self.price else 0

    @property
    def move(self) -> float:
        """How far the price is from the last close, as a part of it."""
        return abs(self.price.usd / self.constituent.close_usd - 1) if self.price else 0.0


def _prices(book: PriceBook, phase: TradingPhase) -> Mapping[str, LastPrice]:
    if phase is TradingPhase.PRE_MARKET:
        return book.prices(TradingPhase.PRE_MARKET)
    regular = book.prices(TradingPhase.REGULAR)
    return regular if phase is TradingPhase.REGULAR else {**regular, **book.prices(TradingPhase.AFTER_HOURS)}


def _bounds(baseline: Baseline, priced: list[_Priced], caps: Mapping[str, float]) -> tuple[float, float]:
    """The share if the untraded companies had moved as much as the one that moved most, against it and for it.

    On both sides by as much more as the share counts of the last close leave open, at prices that moved as far.
    """
    move = min(max((entry.move for entry in priced), default=0.0), 0.99)
    group = set(baseline.group)

    def moved(by: float) -> float:
        """The share if the untraded of the group moved by this part and the others the other way."""
        untraded = (entry.constituent.ticker for entry in priced if entry.price is None)
        moved_caps = {ticker: caps[ticker] * (1 + by if ticker in group else 1 - by) for ticker in untraded}
        return share_pct({**caps, **moved_caps}, group)

    counts = baseline.close_bound or CloseBound(0.0, 0.0)
    low, high = moved(-move) + counts.low_points * (1 + move), moved(move) + counts.high_points * (1 + move)
    return max(0.0, low), min(100.0, high)


def _since_open(baseline: Baseline, book: PriceBook, share: float) -> float | None:
    """The change since the official opens; a company without one stands at its last close there."""
    opens = book.opens()
    if not opens:
        return None
    caps = {entry.ticker: entry.shares * opens.get(entry.symbol, entry.close_usd) for entry in baseline.constituents}
    return share - share_pct(caps, baseline.group)


def _companies(baseline: Baseline, priced: list[_Priced], total: float, now: datetime) -> tuple[LiveCompany, ...]:
    """The companies of the group, the largest first."""
    group = set(baseline.group)
    close_total = math.fsum(entry.close_cap_usd for entry in baseline.constituents)
    members = [entry for entry in priced if entry.constituent.ticker in group]
    return tuple(
        LiveCompany(
            ticker=entry.constituent.ticker,
            name=entry.constituent.name,
            price_usd=entry.price.usd if entry.price else entry.constituent.close_usd,
            market_cap_usd=entry.cap_usd,
            pct_of_sp500=100 * entry.cap_usd / total,
            since_close=100 * (entry.cap_usd / total - entry.constituent.close_cap_usd / close_total),
            traded_at=_moment(entry.price.at_ms, now) if entry.price else None,
        )
        for entry in sorted(members, key=lambda entry: -entry.cap_usd)
    )


def _quiet(priced: list[_Priced], latest_ms: int, now: datetime) -> tuple[QuietCompany, ...]:
    """The companies whose last trade is long before the newest of all, the longest first."""
    old = [entry for entry in priced if entry.price and entry.at_ms <= latest_ms - _QUIET_MS]
    return tuple(
        QuietCompany(entry.constituent.ticker, _moment(entry.at_ms, now))
        for entry in sorted(old, key=lambda entry: entry.at_ms)
    )


def _moment(epoch_ms: int, now: datetime) -> datetime:
    """An instant on the clock of `now`."""
    return datetime.fromtimestamp(epoch_ms / 1000, tz=now.tzinfo)
