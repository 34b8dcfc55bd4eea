"""Funds that people hold, by symbol: facts of `data/known_funds.csv`, so that a fund is never taken for a company."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from mag7cli.core import packaged_data


@dataclass(frozen=True, slots=True)
class KnownFund:
    """A fund, its issuer, the index that it follows (empty for none), and the multiple of it that it aims at."""

    symbol: str
    name: str
    issuer: str
    index: str
    leverage: int


def known_fund(symbol: str) -> KnownFund | None:
    """The fund of a symbol, None if it is in no row of the table."""
    return _funds().get(symbol)


@cache
def _funds() -> Mapping[str, KnownFund]:
    return {row["symbol"]: _known_fund(row) for row in packaged_data.read("known_funds")}


def _known_fund(row: Mapping[str, str]) -> KnownFund:
    return KnownFund(
        symbol=row["symbol"],
        name=row["name"],
        issuer=row["issuer"],
        index=row["index"],
        leverage=int(row["leverage"]),
    )
