"""The last live share of a date beside its official close, in figures; pure.

What the live share cannot know is the closing auction where the official closes were not asked for, names that did not
trade, and share counts that changed with the date's own document.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Final

from mag7cli.core.errors import UsageError
from mag7cli.lake.document import Document
from mag7cli.live.baseline import Baseline, baseline, share_pct
from mag7cli.live.records import Record, is_of_the_seven, subject
from mag7cli.market.records import Split
from mag7cli.market.trading_hours import TradingHours, TradingPhase, trading_hours


@dataclass(frozen=True, slots=True)
class CompanyReview:
    """One company of the group: its last live price and its official close, USD, and their difference in percent."""

    ticker: str
    live_price_usd: float
    close_usd: float
    difference_pct: float


@dataclass(frozen=True, slots=True)
class KeptMinutes:
    """What was kept of a regular session: how many of its minutes, the longest time without one, seconds, and the range
    of the share in them, percent.
    """

    minutes: int
    session_minutes: int
    longest_gap_s: float
    low_pct: float
    high_pct: float


@dataclass(frozen=True, slots=True)
class LiveReview:
    """What the live share of a date was worth. Percentages are 0-100, differences in points, live less official.

    `share_pct` is that of the last minute of the regular session, `low_pct` to `high_pct` its bound. The difference to
    the official share has two parts: that of the prices, and that of share counts and constituents that are newer in
    the document than they were in the morning. `is_within` says whether the official closes lie within the bound, give
    or take a thousandth of a point.
    """

    trading_date: date
    last_minute: datetime
    share_pct: float
    low_pct: float
    high_pct: float
    has_closes: bool
    official_pct: float
    difference: float
    difference_of_prices: float
    difference_of_counts: float
    is_within: bool
    untraded: tuple[str, ...]
    kept: KeptMinutes
    companies: tuple[CompanyReview, ...]
    is_simulated: bool


_TOLERANCE: Final = 0.001


def review(records: Sequence[Record], document: Document, before: Document, splits: Iterable[Split] = ()) -> LiveReview:
    """The review of a date.

    Args:
        records: The minutes of the date that were kept.
        document: The document of the same date, with the official closes.
        before: The document whose share counts were followed.
        splits: Splits that executed between the two.

    Raises:
        UsageError: No minute of the regular session was kept.
        Mag7Error: The document has no constituents.
    """
    trading_date = date.fromisoformat(document["trading_date"])
    regular = _regular_session(records, trading_date)
    last = regular[-1]
    group, without = ([ticker for ticker in text.split(",") if ticker] for text in subject(last))
    official = baseline(document, trading_date, group=group, without=without)
    closes = {row["ticker"]: row["close_price"] for row in document["sp500_details"].get("constituents", [])}
    at_close = _share_at(closes, baseline(before, trading_date, group=group, without=without, splits=splits))
    return LiveReview(
        trading_date=trading_date,
        last_minute=datetime.fromisoformat(last["minute"]),
        share_pct=last["share_pct"],
        low_pct=last["low_pct"],
        high_pct=last["high_pct"],
        has_closes=last["has_closes"],
        official_pct=official.share_pct,
        difference=last["share_pct"] - official.share_pct,
        difference_of_prices=last["share_pct"] - at_close,
        difference_of_counts=at_close - official.share_pct,
        is_within=last["low_pct"] - _TOLERANCE <= at_close <= last["high_pct"] + _TOLERANCE,
        untraded=tuple(last["untraded"]),
        kept=_kept(regular, trading_hours(trading_date)),
        companies=_companies(last, official),
        is_simulated=bool(last["is_simulated"]),
    )


def _regular_session(records: Sequence[Record], trading_date: date) -> list[Record]:
    """The minutes of the regular session, of the Mag 7 if they were followed."""
    regular = [entry for entry in records if entry["phase"] == TradingPhase.REGULAR.value]
    if not regular:
        raise UsageError(f"no minute of {trading_date} was kept", hint="mag7 live keeps them as they come")
    return [entry for entry in regular if is_of_the_seven(entry)] or regular


def _kept(regular: Sequence[Record], hours: TradingHours) -> KeptMinutes:
    times = [datetime.fromisoformat(entry["minute"]) for entry in regular]
    shares = [entry["share_pct"] for entry in regular]
    return KeptMinutes(
        minutes=len({moment.replace(second=0, microsecond=0) for moment in times}),
        session_minutes=round((hours.close - hours.open).total_seconds() / 60),
        longest_gap_s=_longest_gap_s([hours.open, *times, hours.close]),
        low_pct=min(shares),
        high_pct=max(shares),
    )


def _share_at(closes_usd: Mapping[str, float], morning: Baseline) -> float:
    """The share by official closes and the share counts of the morning; without a close the last one stands."""
    caps = {
        constituent.ticker: constituent.shares * closes_usd.get(constituent.ticker, constituent.close_usd)
        for constituent in morning.constituents
    }
    return share_pct(caps, morning.group)


def _longest_gap_s(times: Sequence[datetime]) -> float:
    return max((later - earlier).total_seconds() for earlier, later in pairwise(sorted(times)))


def _companies(last: Record, official: Baseline) -> tuple[CompanyReview, ...]:
    closes = {constituent.ticker: constituent.close_usd for constituent in official.constituents}
    return tuple(
        CompanyReview(
            ticker=company["ticker"],
            live_price_usd=company["price_usd"],
            close_usd=closes[company["ticker"]],
            difference_pct=100 * (company["price_usd"] / closes[company["ticker"]] - 1),
        )
        for company in last["companies"]
        if company["ticker"] in closes
    )
