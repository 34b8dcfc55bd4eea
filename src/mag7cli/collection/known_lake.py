"""What a lake has for a collection, read once: the estimate tells what is missing of it, and the run asks for that."""

from dataclasses import dataclass

from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.price_cache import PriceCache
from mag7cli.collection.worklist import CollectOptions, Worklist, worklist
from mag7cli.core.clock import Clock
from mag7cli.lake.layout import Lake


@dataclass(frozen=True, slots=True)
class KnownLake:
    """The dates to collect, and the bars and answers that are there; where there are no dates, neither was read."""

    lake: Lake
    work: Worklist
    prices: PriceCache
    details: DetailsCache


def read(lake: Lake, options: CollectOptions, clock: Clock) -> KnownLake:
    """Read a lake for a collection. Raises DocumentError for a file of bars or of answers that is none."""
    prices = PriceCache(lake)
    known = KnownLake(lake, worklist(lake, options), prices, DetailsCache(lake, clock, continues=prices.continues))
    if known.work.dates:
        known.details.load()
        prices.doubt(known.work.failed)
    return known
