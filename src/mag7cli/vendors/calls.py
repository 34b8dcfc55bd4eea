"""How the vendor is asked in one run: how many calls at once, what ends them, and who hears of the answers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from mag7cli.core.errors import MarketDataError
from mag7cli.core.parallel import Stop, each
from mag7cli.vendors.base import MarketDataSource

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class VendorCalls:
    """The vendor, and how it is asked. Both listeners are called in the thread that asks.

    `on_call` hears of every call that has ended, `on_answer` of every good answer before it is kept.
    """

    source: MarketDataSource
    stop: Stop
    workers: int = 1
    on_call: Callable[[], None] = lambda: None
    on_answer: Callable[[], None] = lambda: None

    def each(
        self, work: Callable[[_Item], _Answer], items: Iterable[_Item]
    ) -> Iterator[tuple[_Item, _Answer | MarketDataError]]:
        """Each item with its answer or the error that is its own, in order. Raises what ends the run."""
        for item, answer in each(work, items, workers=self.workers, stop=self.stop, is_outage=self._is_outage):
            self.on_call()
            if not isinstance(answer, MarketDataError):
                self.on_answer()
            yield item, answer

    def _is_outage(self) -> bool:
        """True if the vendor has no answer to the plainest question either: then it is not what we asked for."""
        [(_, answer)] = each(lambda _: self.source.status(), (None,), workers=1, stop=self.stop)
        return isinstance(answer, MarketDataError)

    def once(self, work: Callable[[], _Answer]) -> _Answer:
        """One answer. Raises its error, or what ends the run."""
        [(_, answer)] = self.each(lambda _: work(), (None,))
        if isinstance(answer, MarketDataError):
            raise answer
        return answer
