"""The rows that one raw document makes in every table. Pure: knows nothing of files, Arrow or other dates.

Rows are kept by column, in the order of `tables`, without the trading date, which they all share. Every value is
checked against its column here, so that a fault is told with the name of the document it is in.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from operator import attrgetter, itemgetter
from typing import Any, Final

from mag7cli.core.errors import DocumentError
from mag7cli.lake import document_money
from mag7cli.lake.document import Document
from mag7cli.lake.document_quality import date_evidence
from mag7cli.market.date_quality import DateEvidence, DateQuality, failure_reasons, judge
from mag7cli.shares.anomalies import Event, Severity
from mag7cli.tables import column_check
from mag7cli.tables import constituent_arrays as constituents
from mag7cli.tables.constituent_arrays import NO_NAMES, Constituents, LineNames
from mag7cli.tables.schema import TABLE, TABLES

Columns = tuple[Any, ...]
"""The rows of one table, by column: sequences, or arrays where the columns are long."""

NO_FAILURES: Final = "No collection failures"

_CUT: Final = " […]"
_FAILED: Final = "failed_lines"
# The columns whose texts have no natural end, by place among those after the trading date; the raw document keeps them.
_LIMITS: Final = {
    table.name: tuple(
        (place, column.max_bytes or 0)
        for place, column in enumerate(table.columns[1:])
        if column.name in ("reason", "evidence", "partial_reason")
    )
    for table in TABLES
}

_ranking: Final = itemgetter("ticker", "market_cap", "pct_of_mag7", "pct_of_sp500")
_failure: Final = itemgetter("ticker", "reason")
_correction: Final = itemgetter("field", "from", "to", "reason", "evidence")
_ticker_correction: Final = itemgetter("ticker", "field", "from", "to", "reason", "evidence")
_doubt: Final = itemgetter("ticker", "field", "used", "other", "reason", "kind")
_NO_QUALITY: Final[Columns] = ((), (), ())
_event: Final = attrgetter(*(column.name for column in TABLE["data_quality"].columns[1:]))


class _ShapeError(Exception):
    """Part of the document is not shaped as it must be; becomes a DocumentError at the edge of this module."""


@dataclass(frozen=True, slots=True)
class Day:
    """A document with its address, `where`, and its constituents as arrays if it lists them."""

    document: Document
    where: str
    constituents: Constituents | None

    @property
    def trading_date(self) -> date:
        """The trading date of the document."""
        return date.fromisoformat(self.document["trading_date"])


def read(document: Document, where: str, before: LineNames = NO_NAMES) -> Day:
    """The document as it was parsed, ready to be turned into rows. Raises DocumentError.

    `before` are the names of the lines on the date before, which are mostly its own.
    """
    listed = constituents.read(document, where, before)
    document_money.settle(document, listed.sums() if listed else None)
    return Day(document, where, listed)


def columns(day: Day, events: Sequence[Event]) -> dict[str, Columns]:
    """The rows of every table but `stock_splits`; tables without a row on that date are left out.

    `events` are the guard's for that date. Raises DocumentError for a shape; types and sizes are `check`'s.
    """
    try:
        return {name: values for name, values in _all_columns(day, events) if values}
    except _ShapeError as error:
        raise DocumentError(day.where, str(error)) from error


def check(columns_of: Mapping[str, Columns], where: str) -> None:
    """Raises DocumentError if a value does not fit its column."""
    for name, values in columns_of.items():
        problem = column_check.problem(TABLE[name], values)
        if problem:
            raise DocumentError(where, problem)


def _all_columns(day: Day, events: Sequence[Event]) -> Iterator[tuple[str, Columns]]:
    document = day.document
    evidence = date_evidence(document, events)
    quality = judge(evidence)
    partial = quality.partial_reason
    notes = _quality(document, events, partial, evidence)
    if not partial:
        yield "concentration_metrics", _transposed([_concentration(document)])
        yield "magnificent7_metrics", _transposed(_magnificent7(document))
    yield "company_details", _transposed(_company_details(document))
    yield "daily_trading", _transposed(_daily_trading(document))
    yield "failed_collections", _shortened("failed_collections", _transposed(_failed_collections(document, partial)))
    total = _index_total(document, quality)
    yield "sp500_constituents", _line_columns(day, total)
    yield "daily_summary", _shortened("daily_summary", _transposed([_summary(day, quality, notes, total)]))
    yield "data_quality", _shortened("data_quality", notes)


# The tables of the console pipeline


def _concentration(document: Document) -> tuple[Any, ...]:
    metrics: Mapping[str, Any] = document["concentration_metrics"] or {}
    return tuple(metrics.get(column.name) for column in TABLE["concentration_metrics"].columns[1:])


def _company_details(document: Document) -> Iterator[tuple[Any, ...]]:
    for ticker, company in document["companies"].items():
        yield (
            ticker,
            company["name"],
            company.get("market_cap"),
            company.get("shares_outstanding"),
            company.get("currency"),
            company.get("description"),
        )


def _daily_trading(document: Document) -> Iterator[tuple[Any, ...]]:
    for ticker, company in document["companies"].items():
        bar = _object(company.get("trading_data"), f"trading_data of {ticker!r}")
        if not bar:
            continue
        if bar.get("date") != document["trading_date"]:
            raise _ShapeError(f"trading_data of {ticker!r} is of {bar.get('date')}")
        prices = [bar.get(name) for name in ("open_price", "high_price", "low_price", "close_price")]
        yield (ticker, *prices, _whole(bar.get("volume")), bar.get("vwap"))


def _whole(volume: Any) -> Any:
    """Shares traded without the vendor's fractions, half up; what is not a number is left to the column's check."""
    return int(Decimal(repr(volume)).quantize(Decimal(1), ROUND_HALF_UP)) if isinstance(volume, float) else volume


def _magnificent7(document: Document) -> Iterator[tuple[Any, ...]]:
    ranked = _picked(document["rankings"].get("by_market_cap"), _ranking, "rankings.by_market_cap")
    for ranking, values in enumerate(ranked, start=1):
        yield (*values, ranking)


def _failed_collections(document: Document, partial: str | None) -> Iterator[tuple[Any, ...]]:
    failures = _picked(document["sp500_details"].get("failed_tickers"), _failure, "sp500_details.failed_tickers")
    yield from failures or [(None, partial or NO_FAILURES)]


# The lines of the index


def _line_columns(day: Day, total: Decimal | None) -> Columns:
    of = day.constituents
    if of is None:
        return ()
    pct = of.pct_of(total)
    caps = (of.market_caps, of.counted, pct, of.caps_by_class)
    return (of.names.tickers, of.names.symbols, of.names.ciks, of.closes, of.shares, *caps)


def _index_total(document: Document, quality: DateQuality) -> Decimal | None:
    """The total that percentages are of. A partial date's lacks one of the Mag 7: nothing is a share of it."""
    metrics = document["concentration_metrics"]
    return metrics["sp500_total_market_cap"] if metrics and quality.has_figure else None


# The companion tables


def _quality(document: Document, events: Iterable[Event], partial: str | None, known: DateEvidence) -> Columns:
    corrections = _transposed(_corrections(document))
    others = _transposed(_doubts_and_events(document, events, partial, known))
    if not corrections:
        return others
    # A date may have hundreds of them, most of which it has in common with the day before.
    count = len(corrections[0])
    ticker, *rest = corrections
    columns = (ticker, ("correction",) * count, ("info",) * count, *rest)
    return tuple(map(tuple.__add__, columns, others)) if others else columns


def _doubts_and_events(
    document: Document, events: Iterable[Event], partial: str | None, known: DateEvidence
) -> Iterator[tuple[Any, ...]]:
    doubts = _picked(document.get("doubts"), _doubt, "doubts")
    severities = iter(_severities(known))
    for ticker, field, used, other, reason, kind in doubts:
        yield (ticker, "doubt", next(severities), field, used, other, reason, kind)
    if partial:
        yield (None, "partial", "error", None, None, None, partial, None)
    else:
        yield from ((None, _FAILED, "suspect", None, None, None, why, None) for why in failure_reasons(known))
    for event in events:
        is_doubt = event.severity == "suspect"
        yield _event(replace(event, severity=next(severities)) if is_doubt else event)


def _severities(evidence: DateEvidence) -> Iterator[Severity]:
    """Of each doubt, the document's and the guard's: those that cannot show in the figure are for information."""
    return ("suspect" if doubt.is_material(evidence.total_usd) else "info" for doubt in evidence.doubts)


def _corrections(document: Document) -> list[tuple[Any, ...]]:
    of_companies = [
        (ticker, *correction)
        for ticker, company in document["companies"].items()
        for correction in _picked(company.get("corrections"), _correction, f"corrections of {ticker!r}")
    ]
    corrections = document["sp500_details"].get("corrections")
    return of_companies + _picked(corrections, _ticker_correction, "sp500_details.corrections")


def _summary(day: Day, quality: DateQuality, notes: Columns, total: Decimal | None) -> tuple[Any, ...]:
    document = day.document
    details: Mapping[str, Any] = document["sp500_details"]
    metrics: Mapping[str, Any] = (document["concentration_metrics"] if quality.has_figure else None) or {}
    membership = _object(details.get("membership"), "sp500_details.membership")
    source = _object(document.get("source"), "source")
    _, kinds, severities, *_ = notes or _NO_QUALITY
    bound = quality.bound
    values: dict[str, Any] = {
        "status": quality.status,
        "partial_reason": quality.partial_reason,
        "gross_market_cap": details.get("gross_market_cap", _gross_of_the_original(document)),
        "total_mag7_market_cap_by_class": metrics.get("total_mag7_market_cap_by_class"),
        "sp500_total_market_cap_by_class": metrics.get("sp500_total_market_cap_by_class"),
        "mag7_pct_by_class": metrics.get("mag7_pct_by_class"),
        "companies_count": details.get("companies_count"),
        "lines_count": details.get("processed_count"),
        "failed_count": details.get("failed_count"),
        "not_listed_count": _length(details.get("not_listed"), "sp500_details.not_listed"),
        "corrections_count": kinds.count("correction"),
        "doubts_count": severities.count("suspect") - kinds.count(_FAILED),
        "mag7_pct_low": bound.low_pct if bound else None,
        "mag7_pct_high": bound.high_pct if bound else None,
        **_largest(day, total),
        "top10_pct": metrics.get("top10_pct"),
        "hhi": metrics.get("hhi"),
        "effective_n": metrics.get("effective_n"),
        "membership_kind": membership.get("kind"),
        "membership_as_of": _date(membership.get("as_of")),
        "method": source.get("method"),
        "simulated": source.get("simulated"),
        "collected_at": document["data_collection_time"],
    }
    return tuple(values[column.name] for column in TABLE["daily_summary"].columns[1:])


def _gross_of_the_original(document: Document) -> Any:
    """The console pipeline's total is a sum over lines; its documents know no other."""
    return None if "schema_version" in document else document["sp500_details"].get("total_market_cap")


def _largest(day: Day, total: Decimal | None) -> dict[str, float | None]:
    """Shares of the largest and the five largest companies; None where lines or total are not known."""
    if total is None or day.constituents is None:
        return {"top1_pct": None, "top5_pct": None}
    shares_pct = [100 * cap / float(total) for cap in day.constituents.largest(5)]
    return {"top1_pct": max(shares_pct, default=None), "top5_pct": math.fsum(shares_pct)}


# Shapes


def _object(value: Any, where: str) -> Mapping[str, Any]:
    """An object, empty where it is absent."""
    if not isinstance(value, dict | None):
        raise _ShapeError(f"{where} is not an object")
    return value or {}


def _length(value: Any, where: str) -> int | None:
    if not isinstance(value, list | None):
        raise _ShapeError(f"{where} is not a list")
    return None if value is None else len(value)


def _date(text: Any) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise _ShapeError(f"{text!r} is not a date") from error


def _picked(entries: Any, values: Callable[[Any], tuple[Any, ...]], where: str) -> list[tuple[Any, ...]]:
    """The values of every entry of a list of objects; absent lists are empty."""
    if entries is None:
        return []
    try:
        return list(map(values, entries))
    except KeyError as error:
        raise _ShapeError(f"an entry of {where} has no {error}") from error
    except TypeError as error:
        raise _ShapeError(f"{where} is not a list of objects") from error


def _transposed(rows: Iterable[tuple[Any, ...]]) -> Columns:
    return tuple(zip(*rows, strict=True))


def _shortened(table: str, columns: Columns) -> Columns:
    """The columns with every reason or evidence cut to what they hold; that it was cut shows."""
    if not columns:
        return columns
    whole = list(columns)
    for place, limit in _LIMITS[table]:
        if not _are_short(columns[place], limit):
            whole[place] = tuple([_cut(text, limit) for text in columns[place]])
    return tuple(whole)


def _are_short(texts: Sequence[Any], limit: int) -> bool:
    """Whether all of them fit for certain, as nearly all do: no character has more than four bytes."""
    try:
        return 4 * max(map(len, filter(None, texts)), default=0) <= limit
    except TypeError:
        return False


def _cut(text: Any, limit: int) -> Any:
    if not isinstance(text, str) or len(text.encode()) <= limit:
        return text
    return text.encode()[: limit - len(_CUT.encode())].decode(errors="ignore") + _CUT
