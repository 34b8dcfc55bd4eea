"""What a lake has for a collection, read once: the estimate tells what is missing of it, and the run asks for that."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from mag7cli.collection.details_cache import DetailsCache
from mag7cli.collection.price_cache import PriceCache
from mag7cli.collection.worklist import CollectOptions, Worklist, worklist
from mag7cli.core.clock import Clock
from mag7cli.lake.layout import Lake
from mag7cli.shares.plausibility import COMPARABLE
from mag7cli.shares.split_evidence import NEIGHBOURHOOD

LOOKED_AT_AROUND: Final = NEIGHBOURHOOD + COMPARABLE + timedelta(days=14)
"""Prices are asked for some weeks around the dates, and held against those of before and after."""


@dataclass(frozen=True, slots=True)
class KnownLake:
    """The dates to collect, and the bars and answers that are there; where there are no dates, neither was read."""

    lake: Lake
    work: Worklist
    prices: PriceCache
    details: DetailsCache


def read(lake: Lake, options: CollectOptions, clock: Clock) -> KnownLake:
    """Read a lake for a collection. Raises DocumentError for a file of bars or of answers that is none."""
    work = worklist(lake, options)
    prices = PriceCache(lake, since=work.valued[0] - LOOKED_AT_AROUND if work.dates else date.max)
    details = DetailsCache(lake, clock, continues=prices.continues)
    if work.dates:
        details.load()
        prices.doubt(work.failed)
    return KnownLake(lake, work, prices, details)
