"""What a line is worth on a date, and what of it stays the same while its share count does. Pure.

A document has five hundred lines, of which nearly all have the count of the date before: what a document says of them
besides the price is made once for as long as that lasts.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from mag7cli.lake.document import ConstituentDocument, Correction, Doubt, TickerCorrection
from mag7cli.market.money import market_cap_usd
from mag7cli.shares.count_leeway import Leeway
from mag7cli.shares.history import ShareCount
from mag7cli.shares.records import Adjustment


@dataclass(frozen=True)
class CountedShares:
    """A line with its share count; `counted` if it is the one of its company that enters the total.

    `symbol` is that of the day. `class_shares` are those of the line's own class, where the company has other lines
    and they are known. `new_registrant` says why the count may be of another company, `leeways` by how much it may be
    off.
    """

    ticker: str
    cik: str | None
    counted: bool
    symbol: str
    count: ShareCount
    class_shares: float | None = None
    new_registrant: str | None = None
    leeways: tuple[Leeway, ...] = ()

    @cached_property
    def row(self) -> ConstituentDocument:
        """What a document says of the line, with no price and no market cap yet."""
        row: ConstituentDocument = {
            "ticker": self.ticker,
            "symbol": self.symbol,
            "cik": self.cik,
            "close_price": 0.0,
            "shares_outstanding": whole(self.count.shares) or 0,
            "market_cap": Decimal(0),
            "counted": self.counted,
        }
        if self.class_shares:
            row["share_class_shares_outstanding"] = whole(self.class_shares) or 0
        return row

    @cached_property
    def corrections(self) -> list[Correction]:
        """How the count differs from the vendor's, and why."""
        return [self._correction(adjustment) for adjustment in self.count.adjustments]

    @cached_property
    def ticker_corrections(self) -> list[TickerCorrection]:
        """The same with the line's ticker, as documents name those outside of the Mag 7."""
        return [{"ticker": self.ticker, **correction} for correction in self.corrections]

    @cached_property
    def doubts(self) -> list[Doubt]:
        """Why the count may be wrong."""
        doubts = [self._shares_doubt(adjustment) for adjustment in self.count.adjustments if adjustment.doubtful]
        return [*doubts, self._registrant_doubt(self.new_registrant)] if self.new_registrant else doubts

    def _correction(self, adjustment: Adjustment) -> Correction:
        return {
            "field": "shares_outstanding",
            "from": whole(self.count.vendor),
            "to": whole(self.count.shares),
            "reason": adjustment.reason,
            "evidence": f"{adjustment.evidence} (answer for {self.count.observed_on})",
        }

    def _shares_doubt(self, adjustment: Adjustment) -> Doubt:
        return {
            "ticker": self.ticker,
            "kind": adjustment.kind,
            "field": "shares_outstanding",
            "used": whole(self.count.shares),
            "other": whole(self.count.vendor if adjustment.other is None else adjustment.other),
            "reason": f"{adjustment.reason}: {adjustment.evidence}",
        }

    def _registrant_doubt(self, reason: str) -> Doubt:
        return {
            "ticker": self.ticker,
            "kind": "new_registrant",
            "field": "cik",
            "used": whole(self.count.shares),
            "other": None,
            "reason": reason,
        }


class ValuedConstituent(NamedTuple):
    """Shares at a close; `market_cap_usd` is close x the whole company's shares, exact to the cent."""

    shares: CountedShares
    close_usd: float
    market_cap_usd: Decimal


def at_close(shares: CountedShares, close_usd: float) -> ValuedConstituent:
    """Shares at a close."""
    return ValuedConstituent(shares, close_usd, market_cap_usd(close_usd, shares.count.shares))


def whole(value: float | None) -> float | None:
    """Counts are written without a decimal point where they have no fraction, as the console pipeline wrote them."""
    return int(value) if value is not None and value == int(value) else value
