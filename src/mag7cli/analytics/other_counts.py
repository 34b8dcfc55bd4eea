"""The share of the Mag 7 if something were counted otherwise: each class at its own close, unvested stock left out.

The headline counts as the vendor and the exchanges do. These are the figures beside it, and by how much they differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from mag7cli.lake.constituent_rows import ConstituentDocument
from mag7cli.lake.document import Document
from mag7cli.market.money import pct_of, products_usd
from mag7cli.shares.cover_pages import CoverPages
from mag7cli.shares.stock_awards import AwardEvent, events_in_count, unvested


@dataclass(frozen=True, slots=True)
class OtherCount:
    """Another way to count. `mag7_pct` is 0-100, `points` is how much it is above the headline."""

    kind: Literal["by_class", "without_unvested"]
    mag7_pct: float
    points: float
    explanation: str


def other_counts(document: Document, covers: CoverPages) -> list[OtherCount]:
    """The other figures of a date, as far as they are known; none for a date without a headline.

    Args:
        document: The raw document of the date.
        covers: The cover pages that tell of which day a share count is; of a simulated market there are no awards.
    """
    return (
        []
        if document["concentration_metrics"] is None
        else [*_by_class(document), *_without_unvested(document, covers)]
    )


def _by_class(document: Document) -> Iterator[OtherCount]:
    metrics = document["concentration_metrics"]
    if metrics and "mag7_pct_by_class" in metrics:
        pct = metrics["mag7_pct_by_class"]
        closes = ", ".join(
            f"{row['ticker']} at {row['close_price']:,.2f}"
            for row in document["sp500_details"].get("constituents", [])
            if "share_class_shares_outstanding" in row and row["ticker"] in ("GOOGL", "GOOG")
        )
        of_alphabet = f" (Alphabet: {closes})" if closes else ""
        explanation = f"each listed class of a company at its own close{of_alphabet}, the unlisted at the counted one's"
        yield OtherCount("by_class", pct, pct - metrics["mag7_pct_of_sp500"], explanation)


def _without_unvested(document: Document, covers: CoverPages) -> Iterator[OtherCount]:
    metrics = document["concentration_metrics"]
    if not metrics or document.get("source", {}).get("simulated"):
        return
    held = [(row, events) for row in _companies(document) if (events := _events(row, document, covers))]
    if not held:
        return
    value = products_usd((row["close_price"], unvested(events)) for row, events in held)
    seven, total = metrics["total_mag7_market_cap"] - value, metrics["sp500_total_market_cap"] - value
    pct = pct_of(seven, total)
    explanation = "; ".join(_sentence(row, events) for row, events in held)
    yield OtherCount("without_unvested", pct, pct - metrics["mag7_pct_of_sp500"], explanation)


def _companies(document: Document) -> Iterator[ConstituentDocument]:
    """The lines of the Mag 7 that are counted."""
    rows = document["sp500_details"].get("constituents", [])
    yield from (row for row in rows if row["counted"] and row["ticker"] in document["companies"])


def _events(row: ConstituentDocument, document: Document, covers: CoverPages) -> list[AwardEvent]:
    events = events_in_count(row["ticker"], date.fromisoformat(document["trading_date"]), covers.get(row["ticker"], ()))
    return events if unvested(events) else []


def _sentence(row: ConstituentDocument, events: list[AwardEvent]) -> str:
    listing = "; ".join(f"{event.award} {event.kind} {event.on}, {event.filing}" for event in events)
    return (
        f"without {unvested(events):,} shares of {row['ticker']} that the count holds although they have not vested "
        f"and may be forfeited ({listing})"
    )
