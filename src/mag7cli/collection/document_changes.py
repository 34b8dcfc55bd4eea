"""What a document says otherwise than the one that it replaces: line by line, and the share of the Mag 7. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from mag7cli.lake.constituent_rows import ConstituentDocument
from mag7cli.lake.document import Document

Field = Literal["close_price", "shares_outstanding", "market_cap"]
_FIELDS: Final[tuple[Field, ...]] = ("close_price", "shares_outstanding", "market_cap")
_NOT_FACTS: Final = ("data_collection_time", "source")


@dataclass(frozen=True, slots=True)
class LineChange:
    """One value of a line (USD, or shares), before and after; None where the line had or has none."""

    ticker: str
    field: Field
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class DateChange:
    """What changed on a trading date. The shares of the Mag 7 are in percent (0-100), None where there is no figure."""

    trading_date: date
    mag7_pct_before: float | None
    mag7_pct_after: float | None
    lines: tuple[LineChange, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that did not take the place of the one that is there, and why."""

    ticker: str
    trading_date: date
    asked_for: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recheck:
    """What asking again about some dates came to: what changed on which, and the answers that were refused."""

    dates: tuple[date, ...]
    changes: tuple[DateChange, ...]
    refusals: tuple[Refusal, ...]


def differs(before: Document, after: Document) -> bool:
    """True if they say something else, apart from when and by which version they were made."""
    return any(value != before.get(name) for name, value in after.items() if name not in _NOT_FACTS)


def changes(before: Document, after: Document) -> DateChange:
    """What is different, by ticker."""
    old, new = _lines(before), _lines(after)
    lines = tuple(
        change for ticker in sorted({*old, *new}) for change in _line_changes(ticker, old.get(ticker), new.get(ticker))
    )
    return DateChange(date.fromisoformat(after["trading_date"]), _share_pct(before), _share_pct(after), lines)


def _lines(document: Document) -> Mapping[str, ConstituentDocument]:
    return {line["ticker"]: line for line in document["sp500_details"].get("constituents", [])}


def _line_changes(
    ticker: str, before: ConstituentDocument | None, after: ConstituentDocument | None
) -> Iterator[LineChange]:
    for field in _FIELDS:
        old, new = (float(line[field]) if line else None for line in (before, after))
        if old != new:
            yield LineChange(ticker, field, old, new)


def _share_pct(document: Document) -> float | None:
    metrics = document["concentration_metrics"]
    return metrics["mag7_pct_of_sp500"] if metrics else None
