"""What the guard raised on the dates before one: as it is recorded, else read again from their documents."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from mag7cli.lake.document import Document
from mag7cli.lake.document_quality import lasting
from mag7cli.shares.anomalies import DaySnapshot, Event, Suspicion
from mag7cli.tables.changes import DateInputs


@dataclass(slots=True)
class GuardMemory:
    """The doubts that later dates inherit, by the date on which each was raised.

    `read` looks up those of a date whose record is of another document, or none.
    """

    read: Callable[[DateInputs], Sequence[Suspicion]]
    raised: dict[date, Sequence[Suspicion]] = field(default_factory=dict)

    def before(self, inputs: DateInputs) -> list[Suspicion]:
        """What was raised in the weeks before a date."""
        return [*inputs.remembered, *self._unrecorded(inputs)]

    def _unrecorded(self, inputs: DateInputs) -> Iterator[Suspicion]:
        for earlier in inputs.unread:
            if earlier.trading_date not in self.raised:
                self.raised[earlier.trading_date] = self.read(earlier)
            yield from self.raised[earlier.trading_date]


def inheritable(past: Iterable[Suspicion], own: Iterable[Event]) -> list[Suspicion]:
    """What a date may inherit: nothing of a line on which it has a doubt of its own."""
    fresh = {event.ticker for event in own}
    return [suspicion for suspicion in past if suspicion.event.ticker not in fresh]


def suspicions(document: Document, shares: Mapping[str, float], events: Sequence[Event]) -> tuple[Suspicion, ...]:
    """What the guard raised on a date (`events`) and later ones inherit; `shares` are the counts of that date."""
    day = date.fromisoformat(document["trading_date"])
    return tuple(Suspicion(day, event, shares[str(event.ticker)]) for event in lasting(document, events))


def shares_of(snapshot: DaySnapshot) -> dict[str, float]:
    """The share counts that the guard saw."""
    return {ticker: shares for ticker, (_, shares) in snapshot.by_ticker.items()}
