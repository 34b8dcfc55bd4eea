"""Which dates of a lake are complete, suspect or partial: what the tables say, where they are up to date, else the same
from the documents. Reads; writes nothing.
"""

from collections.abc import Sequence
from datetime import date

from mag7cli.core.errors import DocumentError, KeyNotFoundError
from mag7cli.lake.document import Document
from mag7cli.lake.document_quality import date_quality
from mag7cli.lake.layout import Lake
from mag7cli.market.date_quality import DateStatus
from mag7cli.shares.anomalies import DaySnapshot, Event, Suspicion, check, standing
from mag7cli.tables import manifest as manifests
from mag7cli.tables.changes import DateInputs, Sources
from mag7cli.tables.guard_memory import GuardMemory, inheritable, shares_of, suspicions


def date_statuses(lake: Lake) -> dict[date, DateStatus]:
    """The status of every date that has a document, oldest first; a document that cannot be read is partial."""
    manifest = manifests.read(lake)
    statuses: dict[date, DateStatus] = {}
    guard = _Guard(lake)
    for inputs, fingerprint in Sources.of(lake).inputs(manifest.dates):
        if inputs.has_document:
            recorded = manifest.dates.get(inputs.trading_date)
            known = recorded.status if recorded and recorded.fingerprint == fingerprint else None
            statuses[inputs.trading_date] = known or guard.status(inputs)
    return statuses


def events_of(lake: Lake, day: date, document: Document) -> list[Event]:
    """What the guard makes of a date: the step from the one before it in the lake, and the doubts that it inherits."""
    record = manifests.read_part(lake, manifests.KEY)
    for inputs, _ in Sources.of(lake).inputs(record.dates if record else {}):
        if inputs.trading_date == day:
            return _Guard(lake).events(inputs, document)
    return []


class _Guard:
    """The guard over dates of a lake, asked about one after the other, the oldest first."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._memory = GuardMemory(self._raised_on)
        self._last: tuple[date, DaySnapshot | None] | None = None

    def status(self, inputs: DateInputs) -> DateStatus:
        """What a date is by its document; one that cannot be read is partial."""
        try:
            document = self._lake.read_document(inputs.trading_date)
        except DocumentError:
            self._last = (inputs.trading_date, None)
            return "partial"
        return date_quality(document, self.events(inputs, document)).status

    def events(self, inputs: DateInputs, document: Document) -> list[Event]:
        """What the guard raises on a date, and what the date inherits."""
        past = self._memory.before(inputs)
        own = self._own(inputs, document)
        inherited = inheritable(past, own)
        return [*own, *standing(inherited, _view(document), inputs.splits)] if inherited else own

    def _raised_on(self, inputs: DateInputs) -> Sequence[Suspicion]:
        try:
            document = self._lake.read_document(inputs.trading_date)
        except DocumentError:
            self._last = (inputs.trading_date, None)
            return ()
        self._own(inputs, document)
        return self._memory.raised[inputs.trading_date]

    def _own(self, inputs: DateInputs, document: Document) -> list[Event]:
        """What the guard makes of the step to a date, kept for those after it."""
        previous, now = self._view_of(inputs.previous), _view(document)
        events = check(previous, now, inputs.splits)
        self._memory.raised[inputs.trading_date] = suspicions(document, shares_of(now), events) if events else ()
        self._last = (inputs.trading_date, now)
        return events

    def _view_of(self, day: date | None) -> DaySnapshot | None:
        return self._last[1] if self._last and self._last[0] == day else _view_of(self._lake, day)


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
