"""Which dates of a lake are complete, suspect or partial: what the tables say, where they are up to date, else the same
from the documents. Reads; writes nothing.
"""

from datetime import date

from mag7cli.collection.split_cache import read_splits
from mag7cli.core.errors import DocumentError, KeyNotFoundError
from mag7cli.lake.document import Document
from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.layout import Lake
from mag7cli.market.date_quality import DateStatus
from mag7cli.shares.anomalies import DaySnapshot, Event, check
from mag7cli.tables import manifest as manifests
from mag7cli.tables.changes import DateInputs, Sources


def date_statuses(lake: Lake) -> dict[date, DateStatus]:
    """The status of every date that has a document, oldest first; a document that cannot be read is partial."""
    manifest = manifests.read(lake)
    statuses: dict[date, DateStatus] = {}
    for inputs, fingerprint in Sources.of(lake).inputs():
        if inputs.has_document:
            recorded = manifest.dates.get(inputs.trading_date)
            known = recorded.status if recorded and recorded.fingerprint == fingerprint else None
            statuses[inputs.trading_date] = known or _status(lake, inputs)
    return statuses


def events_of(lake: Lake, day: date, document: Document) -> list[Event]:
    """What the guard makes of the step to a date from the one before it in the lake, as `transform` does."""
    before = max((other for other in lake.documents() if other < day), default=None)
    return check(_view_of(lake, before), _view(document), read_splits(lake).by_ticker)


def _status(lake: Lake, inputs: DateInputs) -> DateStatus:
    try:
        document = lake.read_document(inputs.trading_date)
    except DocumentError:
        return "partial"
    return date_quality(document, check(_view_of(lake, inputs.previous), _view(document), inputs.splits)).status


def _view_of(lake: Lake, day: date | None) -> DaySnapshot | None:
    """What the guard sees of a date; nothing of one that has no document that can be understood."""
    try:
        return _view(lake.read_document(day)) if day else None
    except (DocumentError, KeyNotFoundError):
        return None


def _view(document: Document) -> DaySnapshot:
    closes_judged = "judged_by" in document
    day, rows = date.fromisoformat(document["trading_date"]), document["sp500_details"].get("constituents")
    if rows:
        priced = {row["ticker"]: (row["close_price"], row["shares_outstanding"]) for row in rows}
        return DaySnapshot(day, priced, closes_judged=closes_judged)
    known = {
        ticker: (bar["close_price"], company["shares_outstanding"])
        for ticker, company in document["companies"].items()
        if (bar := company["trading_data"]) and bar["close_price"] and company["shares_outstanding"]
    }
    return DaySnapshot(day, known, closes_judged=closes_judged)
