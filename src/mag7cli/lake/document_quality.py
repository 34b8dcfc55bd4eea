"""What a raw document says of its own quality, as `market.date_quality` wants to be told it.

Documents of 0.1.0 and of the console pipeline say less: what they do not say is not taken for well.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from mag7cli.lake.document import Document, Sp500Details, UncertaintyDocument
from mag7cli.market.date_quality import DateEvidence, DateQuality, DoubtfulCap, FailedLine, Margin, judge
from mag7cli.market.records import SPLIT_NOT_AS_LISTED, STEP_CONFIRMED
from mag7cli.market.symbology import MAGNIFICENT_7

# Doubts about the units of a count: it may be off by the ratio either way. What moves a price besides is allowed for.
_SPLIT_KINDS: Final = frozenset({"split_undecided", "ratio_misfit", "unlisted_split", "split_misaligned"})
_BESIDES: Final = 1.25
# The largest ratio that the rules know; for doubts that name none.
_LARGEST_SPLIT: Final = 50.0
_SAME: Final = 0.05
# What a document says where the answers around a date explain what the guard sees.
_EXPLAINED_BY: Final = {"unlisted_split": SPLIT_NOT_AS_LISTED, "shares_step": STEP_CONFIRMED}


EventT = TypeVar("EventT", bound="GuardEvent")


class GuardEvent(Protocol):
    """Something that the guard saw between two dates, as `shares.anomalies.Event` has it."""

    @property
    def ticker(self) -> str | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def from_value(self) -> float | None: ...
    @property
    def to_value(self) -> float | None: ...
    @property
    def reason(self) -> str: ...


def date_quality(document: Document, events: Sequence[GuardEvent] = ()) -> DateQuality:
    """How far the figure of a document can be trusted; `events` are what the guard saw on the step to its date."""
    return judge(date_evidence(document, events))


def date_evidence(document: Document, events: Sequence[GuardEvent] = ()) -> DateEvidence:
    """All that is known of a date. The doubts are the document's, in its order, and then the guard's."""
    metrics = document["concentration_metrics"]
    details = document["sp500_details"]
    doubts, suspicions = _entries(document.get("doubts")), [event for event in events if event.severity == "suspect"]
    rows = _rows(document) if doubts or suspicions or _has_unknown_cap(details) else {}
    return DateEvidence(
        missing=missing_figure(document),
        mag7_usd=_number(metrics, "total_mag7_market_cap"),
        total_usd=_number(metrics, "sp500_total_market_cap"),
        failed=list(_failed(document, rows)),
        doubts=[
            *(_doubtful(rows, doubt.get("ticker"), str(doubt.get("kind")), doubt) for doubt in doubts),
            *(_of_event(rows, event, is_explained=_is_explained(document, event)) for event in suspicions),
        ],
        margins=_margins(document.get("uncertainty")),
    )


def missing_figure(document: Document) -> str | None:
    """Why a document has no figure of all seven; None if it has one."""
    metrics = document["concentration_metrics"]
    if metrics is None:
        return document.get("partial") or "no concentration metrics were collected"
    if metrics["mag7_companies_count"] != len(MAGNIFICENT_7):
        return f"{metrics['mag7_companies_count']} of the {len(MAGNIFICENT_7)} companies have a market cap"
    if metrics["sp500_total_market_cap"] <= 0:
        return "the total of the index is zero"
    return None


def _number(metrics: Mapping[str, Any] | None, name: str) -> float:
    return float(metrics[name]) if metrics else 0.0


def _rows(document: Document) -> dict[str, Mapping[str, Any]]:
    """The lines by ticker; of a document of the console pipeline's collector the Mag 7."""
    companies: Mapping[str, Mapping[str, Any]] = {
        ticker: {"market_cap": company["market_cap"], "counted": True}
        for ticker, company in document["companies"].items()
        if company["market_cap"]
    }
    constituents = document["sp500_details"].get("constituents")
    return {**companies, **{row["ticker"]: row for row in constituents or ()}}


def _failed(document: Document, rows: Mapping[str, Mapping[str, Any]]) -> Iterable[FailedLine]:
    """The failed lines; one whose cap is not known is taken for one of the usual size."""
    details = document["sp500_details"]
    usual = _usual_cap(rows) if _has_unknown_cap(details) else 0.0
    for entry in _entries(details.get("failed_tickers")):
        ticker, reason, cap = str(entry.get("ticker")), str(entry.get("reason")), entry.get("last_known_market_cap")
        yield FailedLine(ticker, reason, usual if cap is None else float(cap), is_assumed=cap is None)


def _has_unknown_cap(details: Sp500Details) -> bool:
    """True if a line failed of which nobody knows what it adds to the total."""
    return any(entry.get("last_known_market_cap") is None for entry in _entries(details.get("failed_tickers")))


def _entries(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; what else a damaged document has there is told where its rows are made."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _usual_cap(rows: Mapping[str, Mapping[str, Any]]) -> float:
    """The median of what was valued outside of the Mag 7, USD."""
    caps = [float(row["market_cap"]) for ticker, row in rows.items() if ticker not in MAGNIFICENT_7]
    return statistics.median(caps) if caps else 0.0


def lasting(document: Document, events: Iterable[EventT]) -> list[EventT]:
    """Those of the guard's doubts of a date that later dates inherit: a document says itself how far its own go."""
    told = {doubt.get("ticker") for doubt in _entries(document.get("doubts"))}
    return [
        event
        for event in events
        if event.severity == "suspect" and event.ticker not in {None, *told} and not _is_explained(document, event)
    ]


def _of_event(rows: Mapping[str, Mapping[str, Any]], event: GuardEvent, *, is_explained: bool) -> DoubtfulCap:
    values = {"used": event.to_value, "other": event.from_value, "reason": event.reason}
    return replace(_doubtful(rows, event.ticker, event.kind, values), is_explained=is_explained)


def _is_explained(document: Document, event: GuardEvent) -> bool:
    """True if the document says that it was a split, although no list has it, or that later answers have the step."""
    company = document["companies"].get(event.ticker or "")
    corrections = [
        *_entries(company.get("corrections") if company else None),
        *_entries(document["sp500_details"].get("corrections")),
    ]
    explained = _EXPLAINED_BY.get(event.kind)
    return explained is not None and any(
        entry.get("reason") == explained and entry.get("ticker", event.ticker) == event.ticker for entry in corrections
    )


def _doubtful(
    rows: Mapping[str, Mapping[str, Any]], ticker: str | None, kind: str, doubt: Mapping[str, Any]
) -> DoubtfulCap:
    row = rows.get(ticker or "")
    cap = float(row["market_cap"]) if row else None
    used, other, reason = doubt.get("used"), doubt.get("other"), str(doubt.get("reason"))
    return DoubtfulCap(
        ticker,
        reason if not ticker or ticker in reason else f"{ticker}: {reason}",
        cap,
        _candidates(cap, kind, float(other) / float(used) if used and other else None),
        is_mag7=ticker in MAGNIFICENT_7,
        is_counted=bool(row["counted"]) if row else True,
    )


def _candidates(cap: float | None, kind: str, ratio: float | None) -> tuple[float, float] | None:
    """Between what a cap may really be, where `ratio` is the other candidate's to it; None: nobody knows."""
    if cap is None:
        return None
    if kind in _SPLIT_KINDS:
        is_named = ratio is not None and abs(math.log(ratio)) > _SAME
        times = _BESIDES * (max(ratio, 1 / ratio) if ratio and is_named else _LARGEST_SPLIT)
        return cap / times, cap * times
    return None if ratio is None or kind == "new_registrant" else (min(cap, cap * ratio), max(cap, cap * ratio))


def _margins(entries: Sequence[UncertaintyDocument] | None) -> list[Margin] | None:
    """The margins that a document states; one that names no side apart is the same on both."""
    if entries is None:
        return None
    return [_margin(entry) for entry in entries]


def _margin(entry: Mapping[str, Any]) -> Margin:
    both = {part: float(entry.get(part, 0.0)) for part in ("mag7", "rest")}
    return Margin(
        source=entry["source"],
        reason=entry["reason"],
        mag7_above=float(entry.get("mag7_above", both["mag7"])),
        mag7_below=float(entry.get("mag7_below", both["mag7"])),
        rest_above=float(entry.get("rest_above", both["rest"])),
        rest_below=float(entry.get("rest_below", both["rest"])),
    )
