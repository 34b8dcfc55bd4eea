"""Builds the raw document of one trading date from what is known of its lines. Pure: no vendor, no lake, no clock."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from itertools import compress
from typing import Final

from mag7cli.collection.constituent_value import CountedShares, ValuedLines, whole
from mag7cli.core.clock import NEW_YORK
from mag7cli.lake import document
from mag7cli.lake.constituent_rows import ConstituentRows
from mag7cli.lake.document import (
    CompanyDocument,
    Concentration,
    Document,
    FailedTicker,
    MembershipDocument,
    SourceDocument,
    TradingData,
    UncertaintyDocument,
)
from mag7cli.lake.document_quality import date_quality
from mag7cli.market.money import CENTS, cents, pct_of, usd
from mag7cli.market.records import Bar
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.shares.class_prices import ListedClass, market_cap_by_class
from mag7cli.shares.count_leeway import REASONS, LeewaySource
from mag7cli.shares.sampling import CountErrors

_MILLISECONDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Profile:
    """What is told of one of the Mag 7 besides its numbers; `vendor_market_cap` (USD) is of the very date, or None."""

    name: str
    currency: str | None
    description: str | None
    vendor_market_cap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayInputs:
    """All that a document is made of. `collected_at` is the moment of collection, in New York time.

    `bars` and `profiles` are those of the Mag 7.
    `errors` are those that the sampling of share counts leaves on that date, if they were sampled.
    """

    trading_date: date
    collected_at: datetime
    source: SourceDocument
    membership: MembershipDocument
    valued: ValuedLines
    failed: Sequence[FailedTicker]
    not_listed: Sequence[str]
    judged_by: Sequence[str]
    bars: Mapping[str, Bar]
    profiles: Mapping[str, Profile]
    errors: CountErrors | None = None


def build(inputs: DayInputs) -> Document:
    """The raw document of one date; a partial one has no concentration, and says why."""
    whole = _whole_document(inputs)
    partial = date_quality(whole).partial_reason
    if not partial:
        return whole
    return {**whole, "rankings": {"by_market_cap": []}, "concentration_metrics": None, "partial": partial}


def _whole_document(inputs: DayInputs) -> Document:
    """The document with its concentration, if all of the Mag 7 are there, whatever else is not."""
    valued, roster = inputs.valued, inputs.valued.roster
    companies: dict[str, CompanyDocument] = {
        ticker: _company(roster.lines[place], valued.caps[place], inputs.bars[ticker], inputs.profiles[ticker])
        for ticker in MAGNIFICENT_7
        if (place := roster.places.get(ticker)) is not None
    }
    counted = list(compress(valued.caps, roster.is_counted))
    partial = _partial_reason(companies, inputs.failed)
    by_class = _caps_by_class(valued)
    metrics = None if partial else _metrics(inputs.trading_date, valued, counted)
    if metrics and by_class:
        metrics = _with_classes(metrics, valued, by_class)
    return {
        "trading_date": inputs.trading_date.isoformat(),
        "data_collection_time": inputs.collected_at.isoformat(),
        "companies": companies,
        "rankings": {"by_market_cap": document.rank(companies, metrics) if metrics else []},
        "concentration_metrics": metrics,
        "sp500_details": {
            "total_market_cap": usd(sum(counted)),
            "processed_count": len(roster.lines),
            "failed_count": len(inputs.failed),
            "failed_tickers": list(inputs.failed),
            "gross_market_cap": usd(sum(valued.caps)),
            "companies_count": len(counted),
            "not_listed": list(inputs.not_listed),
            "membership": inputs.membership,
            "corrections": roster.ticker_corrections,
            "constituents": ConstituentRows(roster.templates, valued.closes_usd, valued.caps, by_class),
        },
        "schema_version": document.SCHEMA_VERSION,
        "source": inputs.source,
        "partial": partial,
        "doubts": roster.doubts,
        "judged_by": list(inputs.judged_by),
        "uncertainty": list(_uncertainty(inputs)),
    }


def _uncertainty(inputs: DayInputs) -> Iterator[UncertaintyDocument]:
    """What sampling leaves open, and what the counts themselves do."""
    if inputs.errors:
        sampling = {side: round(amount, 2) for side, amount in asdict(inputs.errors).items()}
        if any(sampling.values()):
            yield _of_sides("sampling", "steps of share counts between two answers", sampling)
    open_usd = _open_usd(inputs.valued)
    for source, reason in REASONS.items():
        mag7, rest = (round(amount, 2) for amount in open_usd[source])
        if mag7 or rest:
            sides = {"mag7_above": mag7, "mag7_below": mag7, "rest_above": rest, "rest_below": rest}
            yield _of_sides(source, reason, sides)


def _of_sides(source: str, reason: str, sides: Mapping[str, float]) -> UncertaintyDocument:
    return {
        "source": source,
        "reason": reason,
        "mag7_above": sides["mag7_above"],
        "mag7_below": sides["mag7_below"],
        "rest_above": sides["rest_above"],
        "rest_below": sides["rest_below"],
    }


def _open_usd(valued: ValuedLines) -> dict[LeewaySource, list[float]]:
    """By how much (USD) the counted lines of the Mag 7, and the others, may be off for each cause."""
    open_usd: dict[LeewaySource, list[float]] = {source: [0.0, 0.0] for source in REASONS}
    for place, line in valued.roster.with_leeways:
        for leeway in line.leeways:
            open_usd[leeway.source][line.ticker not in MAGNIFICENT_7] += valued.caps[place] / CENTS * leeway.part
    return open_usd


def _partial_reason(valued: Collection[str], failed: Iterable[FailedTicker]) -> str | None:
    missing = [ticker for ticker in MAGNIFICENT_7 if ticker not in valued]
    if not missing:
        return None
    reasons = {failure["ticker"]: failure["reason"] for failure in failed}
    return "; ".join(f"{ticker}: {reasons.get(ticker, 'not among the constituents')}" for ticker in missing)


def _metrics(on: date, valued: ValuedLines, counted: Sequence[int]) -> Concentration:
    return document.concentration(on, [valued.caps[valued.roster.places[ticker]] for ticker in MAGNIFICENT_7], counted)


def _company(shares: CountedShares, cap: int, bar: Bar, profile: Profile) -> CompanyDocument:
    return {
        "name": profile.name,
        "market_cap": usd(cap),
        "shares_outstanding": whole(shares.count.shares),
        "currency": profile.currency,
        "description": profile.description,
        "trading_data": trading_data(bar),
        "cik": shares.cik,
        "symbol": shares.symbol,
        "share_class_shares_outstanding": whole(shares.count.share_class),
        "vendor_market_cap": profile.vendor_market_cap,
        "vendor_shares_outstanding": whole(shares.count.vendor),
        "corrections": list(shares.corrections),
    }


def trading_data(bar: Bar) -> TradingData:
    """The bar as the console pipeline wrote it: stamped with the midnight that begins the day in New York."""
    midnight = datetime.combine(bar.trading_date, time(), NEW_YORK)
    return {
        "date": bar.trading_date.isoformat(),
        "close_price": bar.close_usd,
        "open_price": bar.open_usd,
        "high_price": bar.high_usd,
        "low_price": bar.low_usd,
        "volume": whole(bar.volume),
        "vwap": bar.vwap_usd,
        "timestamp": int(midnight.timestamp()) * _MILLISECONDS,
    }


def _caps_by_class(valued: ValuedLines) -> dict[int, int]:
    """The market caps (cents) of companies with several lines, each class at its own close, by their counted line."""
    caps: dict[int, int] = {}
    for lines in valued.roster.with_classes.values():
        counted = next(((place, line) for place, line in lines if line.counted), None)
        others = [_listed_class(valued, *listed) for listed in lines if listed != counted]
        if counted and others:
            place, line = counted
            cap = market_cap_by_class(line.count.shares, _listed_class(valued, place, line), others)
            if cap is not None:
                caps[place] = cents(cap)
    return caps


def _listed_class(valued: ValuedLines, place: int, line: CountedShares) -> ListedClass:
    return ListedClass(valued.closes_usd[place], line.class_shares or 0.0)


def _with_classes(metrics: Concentration, valued: ValuedLines, by_class: Mapping[int, int]) -> Concentration:
    """The same, and what it is with the classes of companies that have several at their own closes."""
    gains = {valued.roster.lines[place].ticker: cap - valued.caps[place] for place, cap in by_class.items()}
    gain_of_seven = sum(gain for ticker, gain in gains.items() if ticker in MAGNIFICENT_7)
    seven = usd(cents(metrics["total_mag7_market_cap"]) + gain_of_seven)
    total = usd(cents(metrics["sp500_total_market_cap"]) + sum(gains.values()))
    return {
        **metrics,
        "total_mag7_market_cap_by_class": seven,
        "sp500_total_market_cap_by_class": total,
        "mag7_pct_by_class": pct_of(seven, total),
    }
