"""The receipt of a number: every input with its hash and time, every count with its origin, every correction."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from mag7cli import __version__
from mag7cli.analytics.date_statuses import events_of
from mag7cli.analytics.other_counts import OtherCount, other_counts
from mag7cli.collection.details_cache import DetailsCache, keys_of
from mag7cli.collection.security_facts import known_cover_pages
from mag7cli.collection.split_cache import read_splits
from mag7cli.core.clock import Clock
from mag7cli.core.errors import KeyNotFoundError, UsageError
from mag7cli.core.suggestions import did_you_mean
from mag7cli.lake import failed_checks
from mag7cli.lake.constituent_rows import ConstituentDocument
from mag7cli.lake.document import Document, FailedTicker, MembershipDocument
from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.failed_checks import FailedCheck
from mag7cli.lake.layout import REFERENCE, Lake
from mag7cli.market.calendar import why_closed
from mag7cli.market.date_quality import DateQuality, DateStatus
from mag7cli.market.money import pct_of
from mag7cli.market.symbology import MAGNIFICENT_7, tickers_called
from mag7cli.shares.anomalies import Event


@dataclass(frozen=True, slots=True)
class Input:
    """A file behind the number: where it is, the SHA-256 of its bytes, and how many they are."""

    uri: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ConstituentLineage:
    """One line: close (USD) x shares = market cap (USD), and where the share count came from."""

    ticker: str
    symbol: str
    cik: str | None
    close_price: float | None
    shares_outstanding: float | None
    market_cap: Decimal | None
    pct_of_sp500: float | None
    counted: bool
    vendor_shares: float | None
    asked_for: date | None
    fetched_at: str | None
    corrections: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """The number of one date and all that is behind it. `events` are what the guard made of the step to this date.

    `quality` is of the whole date, its bound with what that is made of; `other_counts` are what the share would be if
    classes or unvested stock were counted otherwise.
    """

    trading_date: date
    mag7_pct_of_sp500: float | None
    total_mag7_market_cap: Decimal | None
    sp500_total_market_cap: Decimal
    gross_market_cap: Decimal | None
    status: DateStatus
    partial: str | None
    quality: DateQuality
    lines: tuple[ConstituentLineage, ...]
    failed: tuple[FailedTicker, ...]
    not_listed: tuple[str, ...]
    doubts: tuple[Mapping[str, Any], ...]
    events: tuple[Event, ...]
    splits: tuple[str, ...]
    membership: Mapping[str, str]
    source: Mapping[str, Any]
    collected_at: str
    inputs: tuple[Input, ...]
    code_version: str
    other_counts: tuple[OtherCount, ...] = ()
    failed_checks: tuple[FailedCheck, ...] = ()


def explain(lake: Lake, day: date, clock: Clock, ticker: str | None = None) -> Lineage:
    """The receipt of a date, or of one line on it. Raises UsageError for a date or ticker that is not there."""
    document = _document(lake, day)
    cache = DetailsCache(lake, clock)
    cache.load()
    every = list(_lines(document, cache, day))
    chosen = [constituent for constituent in every if ticker in (None, constituent.ticker)]
    if ticker and not chosen:
        raise UsageError(
            f"{ticker} has no market cap on {day}: {_why_absent(document, ticker)}",
            hint=_meant(ticker, [constituent.ticker for constituent in every]),
        )
    seen = events_of(lake, day, document)
    quality = date_quality(document, seen)
    metrics = document["concentration_metrics"] if quality.has_figure else None
    details = document["sp500_details"]
    events = tuple(event for event in seen if ticker in (None, event.ticker))
    doubts = tuple(doubt for doubt in document.get("doubts", []) if ticker in (None, doubt["ticker"]))
    return Lineage(
        day,
        metrics["mag7_pct_of_sp500"] if metrics else None,
        metrics["total_mag7_market_cap"] if metrics else None,
        details["total_market_cap"],
        details.get("gross_market_cap"),
        quality.status,
        quality.partial_reason,
        quality,
        tuple(chosen if ticker else _worth_telling(chosen)),
        tuple(details["failed_tickers"]),
        tuple(details.get("not_listed", [])),
        doubts,
        events,
        tuple(_split_sentences(lake, day, ticker)),
        details.get("membership") or {"kind": "unknown", "as_of": "unknown"},  # type: ignore[arg-type]
        document.get("source") or {"vendor": "unknown", "simulated": False},
        document["data_collection_time"],
        tuple(_inputs(lake, day, [constituent.asked_for for constituent in chosen if constituent.asked_for], document)),
        __version__,
        tuple(_other_counts(lake, document)),
        tuple(check for check in failed_checks.read(lake) if check.concerns(day)),
    )


def _other_counts(lake: Lake, document: Document) -> list[OtherCount]:
    simulated = bool(document.get("source", {}).get("simulated"))
    return other_counts(document, known_cover_pages(lake, simulated=simulated))


def _document(lake: Lake, day: date) -> Document:
    try:
        return lake.read_document(day)
    except KeyNotFoundError:
        closed = why_closed(day)
        if closed:
            raise UsageError(f"{day} was no trading date: {closed}") from None
        hint = f"mag7 collect --start {day} --end {day}"
        raise UsageError(f"{day} is not collected in {lake.store.uri('')}", hint=hint) from None


def _lines(document: Document, details: DetailsCache, day: date) -> Iterator[ConstituentLineage]:
    """A line for each constituent, or for each of the Mag 7 in a document of the console pipeline's collector."""
    total = document["sp500_details"]["total_market_cap"]
    corrections: dict[str, list[Mapping[str, Any]]] = {}
    for correction in document["sp500_details"].get("corrections", []):
        corrections.setdefault(correction["ticker"], []).append(correction)
    for ticker, company in document["companies"].items():
        corrections.setdefault(ticker, []).extend(company.get("corrections", []))
    for row in document["sp500_details"].get("constituents") or _from_companies(document):
        latest = details.latest(row["ticker"], day)
        yield ConstituentLineage(
            row["ticker"],
            row["symbol"],
            row["cik"],
            row["close_price"],
            row["shares_outstanding"],
            row["market_cap"],
            pct_of(row["market_cap"], total) if row["counted"] and total else None,
            row["counted"],
            latest[1].weighted_shares if latest else None,
            latest[0] if latest else None,
            latest[1].fetched_at if latest else None,
            tuple(corrections.get(row["ticker"], ())),
        )


def _from_companies(document: Document) -> list[ConstituentDocument]:
    return [
        {
            "ticker": ticker,
            "symbol": company.get("symbol") or ticker,
            "cik": company.get("cik"),
            "close_price": trading["close_price"],
            "shares_outstanding": company["shares_outstanding"] or 0,
            "market_cap": company["market_cap"] or Decimal(0),
            "counted": True,
        }
        for ticker, company in document["companies"].items()
        if (trading := company["trading_data"])
    ]


def _worth_telling(constituents: Sequence[ConstituentLineage]) -> list[ConstituentLineage]:
    """The Mag 7 by size, then every other line that was corrected."""
    seven = sorted(
        (constituent for constituent in constituents if constituent.ticker in MAGNIFICENT_7),
        key=lambda constituent: -(constituent.market_cap or 0),
    )
    return [
        *seven,
        *(
            constituent
            for constituent in constituents
            if constituent.corrections and constituent.ticker not in MAGNIFICENT_7
        ),
    ]


def _why_absent(document: Document, ticker: str) -> str:
    details = document["sp500_details"]
    reasons = {failure["ticker"]: failure["reason"] for failure in details["failed_tickers"]}
    if ticker in details.get("not_listed", []):
        return "it was not listed"
    return reasons.get(ticker, "it was not in the index")


def _meant(ticker: str, known: Sequence[str]) -> str | None:
    """The line that had this symbol at another time, else the one whose symbol is most like it."""
    renamed = sorted(tickers_called(ticker) & set(known))
    return f"did you mean {renamed[0]}?" if renamed else did_you_mean(ticker, known)


def _split_sentences(lake: Lake, day: date, ticker: str | None) -> Iterator[str]:
    """The splits of the Mag 7, or of the line asked for, whose execution is within two weeks of the date."""
    splits = read_splits(lake)
    for name in [ticker] if ticker else MAGNIFICENT_7:
        for split in splits.of(name):
            if ticker or abs((split.execution_date - day).days) <= 14:
                yield f"{name} split {split.split_to:g} for {split.split_from:g}, executed {split.execution_date}"
    for (owner, split), reason in splits.refused.items():
        if owner == ticker:
            what = f"{owner} split {split.split_to:g} for {split.split_from:g} of {split.execution_date}"
            yield f"{what} refused: {reason}"


def _holdings_day(membership: MembershipDocument) -> str | None:
    """The day of the holdings file behind a list; older documents name it as the day of the list itself."""
    named_by_kind = membership["as_of"] if membership["kind"] in ("observed", "nearest") else None
    return membership.get("holdings") or (None if "confirmed_until" in membership else named_by_kind)


def _inputs(lake: Lake, day: date, days: Sequence[date], document: Document) -> Iterator[Input]:
    """The document, the splits, the answers behind the counts, and the holdings file, as far as they are kept."""
    membership = document["sp500_details"].get("membership")
    keys = [lake.document_key(day), f"{REFERENCE}splits.json"]
    keys += dict.fromkeys(key for on in sorted(set(days)) for key in keys_of(on))
    file = _holdings_day(membership) if membership else None
    if file:
        keys.append(lake.holdings_key(date.fromisoformat(file)))
    for key in keys:
        try:
            data = lake.store.read(key)
        except KeyNotFoundError:
            continue
        yield Input(lake.store.uri(key), hashlib.sha256(data).hexdigest(), len(data))
