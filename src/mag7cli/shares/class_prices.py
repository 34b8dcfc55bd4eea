"""A company with several listed classes, each valued at its own close. Pure.

The vendor values all shares of a company at the close of one class; so does the headline. Where the counts of the
listed classes are known, this is the second value: each class at its own close, what is unlisted at the counted one's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from mag7cli.market.money import products_usd


@dataclass(frozen=True, slots=True)
class ListedClass:
    """A listed class on a date: its unadjusted close (USD) and how many shares of it there are."""

    close_usd: float
    shares: float


def market_cap_by_class(whole_shares: float, counted: ListedClass, others: Sequence[ListedClass]) -> Decimal | None:
    """What a company is worth (USD, to the cent) with each listed class at its own close.

    `whole_shares` are those of all classes, `counted` is the class whose close values the company otherwise. None if
    the classes have more shares together than the company: then one of the counts is of another day.
    """
    unlisted = whole_shares - counted.shares - sum(listed.shares for listed in others)
    if unlisted < 0:
        return None
    parts = [*((listed.close_usd, listed.shares) for listed in (counted, *others)), (counted.close_usd, unlisted)]
    return products_usd(parts)
