"""What lines are worth on a date, and what of it stays the same while its share count does. Pure.

A document has five hundred lines, of which nearly all have the count of the date before: what a document says of them
besides the price is made once for as long as that lasts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from mag7cli.lake.constituent_rows import ConstituentDocument, RowTemplate, RowTemplates
from mag7cli.lake.document import Correction, Doubt, TickerCorrection
from mag7cli.market.money import market_caps
from mag7cli.market.symbology import MAGNIFICENT_7
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
    def template(self) -> RowTemplate:
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
        return RowTemplate(row)

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


@dataclass(frozen=True)
class Roster:
    """Lines with their share counts, in the order of the list; it serves for as many dates as none of them changes."""

    lines: tuple[CountedShares, ...]

    @cached_property
    def share_counts(self) -> list[float]:
        """The shares of the whole company of each line."""
        return [line.count.shares for line in self.lines]

    @cached_property
    def templates(self) -> RowTemplates:
        """What a document says of each line."""
        return RowTemplates([line.template for line in self.lines])

    @cached_property
    def is_counted(self) -> list[bool]:
        """Whether each line is the one of its company that enters the total."""
        return [line.counted for line in self.lines]

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each line is, by its ticker."""
        return {line.ticker: place for place, line in enumerate(self.lines)}

    @cached_property
    def with_leeways(self) -> list[tuple[int, CountedShares]]:
        """The counted lines whose count may be off, with their places."""
        return [(place, line) for place, line in enumerate(self.lines) if line.leeways and line.counted]

    @cached_property
    def with_classes(self) -> Mapping[str, Sequence[tuple[int, CountedShares]]]:
        """The lines of companies with several whose own shares are known, with their places, by CIK."""
        companies: dict[str, list[tuple[int, CountedShares]]] = {}
        for place, line in enumerate(self.lines):
            if line.class_shares and line.cik:
                companies.setdefault(line.cik, []).append((place, line))
        return companies

    @cached_property
    def ticker_corrections(self) -> list[TickerCorrection]:
        """How the counts of lines outside of the Mag 7 differ from the vendor's, and why."""
        others = (line for line in self.lines if line.count.adjustments and line.ticker not in MAGNIFICENT_7)
        return [correction for line in others for correction in line.ticker_corrections]

    @cached_property
    def doubts(self) -> list[Doubt]:
        """Why counts may be wrong."""
        doubtful = (line for line in self.lines if line.count.adjustments or line.new_registrant)
        return [doubt for line in doubtful for doubt in line.doubts]


@dataclass(frozen=True, slots=True)
class ValuedLines:
    """The lines of a roster at their closes: `caps` are close x the whole company's shares, in cents."""

    roster: Roster
    closes_usd: Sequence[float]
    caps: Sequence[int]

    def without(self, tickers: Collection[str]) -> "ValuedLines":
        """The other lines."""
        places = [place for place, line in enumerate(self.roster.lines) if line.ticker not in tickers]
        return at_closes(
            Roster(tuple(self.roster.lines[place] for place in places)), [self.closes_usd[place] for place in places]
        )


def at_closes(roster: Roster, closes_usd: Sequence[float]) -> ValuedLines:
    """The lines of a roster at their closes."""
    return ValuedLines(roster, closes_usd, market_caps(closes_usd, roster.share_counts))


def whole(value: float | None) -> float | None:
    """Counts are written without a decimal point where they have no fraction, as the console pipeline wrote them."""
    return int(value) if value is not None and value == int(value) else value
