"""What a broker's statement says beside its positions: cash by currency, exchange rates, what a symbol stands for.

Interactive Brokers writes those into sections of its activity statement and into elements of its Flex reports.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from mag7cli.core import written_dates
from mag7cli.portfolio.currencies import USD, unit_of
from mag7cli.portfolio.positions import Position, PositionKind
from mag7cli.portfolio.securities import Security, identified, kind_by
from mag7cli.portfolio.table import Table, numeral_of

_CASH_SECTIONS: Final = frozenset({"Cash Report", "CashReportCurrency"})
_RATE_SECTIONS: Final = frozenset({"Base Currency Exchange Rate", "ConversionRate"})
_INSTRUMENT_SECTIONS: Final = frozenset({"Financial Instrument Information", "SecurityInfo"})
_ACCOUNT_SECTIONS: Final = frozenset({"Account Information", "AccountInformation"})
_STATEMENT_SECTION: Final = "Statement"
_TO_BASE: Final = "fxratetobase"
_ENDING_CASH: Final = "Ending Cash"
_KINDS: Final[Mapping[str, PositionKind]] = {"stock": "stock", "fund": "fund", "bond": "bond"}

SECTIONS: Final = _CASH_SECTIONS | _RATE_SECTIONS | _INSTRUMENT_SECTIONS | _ACCOUNT_SECTIONS


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a statement says of a symbol: its identifiers, and its kind where it says one."""

    security: Security
    kind: PositionKind | None


@dataclass(frozen=True, slots=True)
class Extras:
    """Cash by currency, US dollars for a unit of each, instruments by symbol, and the last day of the statement."""

    cash: Mapping[str, float] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    as_of: date | None = None


def extras(tables: Iterable[Table]) -> Extras:
    """What the sections of a statement say; nothing, if it has none of them."""
    sections = [(table.title, row) for table in tables for row in _records(table)]
    base = next(
        (_base_currency(row) for title, row in sections if title in _ACCOUNT_SECTIONS and _base_currency(row)), ""
    )
    return Extras(
        cash=dict(_cash(row for title, row in sections if title in _CASH_SECTIONS)),
        rates=_rates((row for title, row in sections if title in _RATE_SECTIONS or _TO_BASE in row), base),
        instruments=dict(_instruments(row for title, row in sections if title in _INSTRUMENT_SECTIONS)),
        as_of=next(
            (_period_end(row) for title, row in sections if title == _STATEMENT_SECTION and _period_end(row)), None
        ),
    )


def with_instruments(positions: Iterable[Position], instruments: Mapping[str, Instrument]) -> Iterator[Position]:
    """The positions with the identifiers and kinds that the statement gives for their symbols."""
    for position in positions:
        instrument = instruments.get(position.security.symbol)
        if instrument is None or position.kind == "cash":
            yield position
            continue
        blank = {
            name: value
            for name, value in _fields(instrument.security)
            if value and not getattr(position.security, name)
        }
        kind = instrument.kind or position.kind
        yield replace(position, kind=kind, security=replace(position.security, **blank))


def cash_position(currency: str, amount: float, name: str) -> Position:
    """The cash that a statement reports in one currency."""
    return Position("CASH", amount, "cash", security=Security(name=f"{currency} cash"), currency=currency, where=name)


def _records(table: Table) -> Iterator[Mapping[str, str]]:
    """The rows of a table by heading, in lower case."""
    headings = [heading.lower() for heading in table.headings]
    return (dict(zip(headings, row.texts, strict=False)) for row in table.rows)


def _cash(rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, float]]:
    for row in rows:
        currency = row.get("currency", "")
        is_ending = row.get("currency summary", _ENDING_CASH) == _ENDING_CASH
        amount = numeral_of(row.get("total") or row.get("endingcash") or "")
        if is_ending and unit_of(currency) and amount and amount.point:
            yield currency, amount.point


def _rates(rows: Iterable[Mapping[str, str]], base: str) -> dict[str, float]:
    """US dollars for one unit; the statement gives units of the account's own currency."""
    in_base = {base: 1.0} if base else {}
    for row in rows:
        currency = row.get("currency") or row.get("fromcurrency", "")
        rate = numeral_of(row.get("rate") or row.get(_TO_BASE, ""))
        if unit_of(currency) and rate and rate.point:
            in_base[currency] = rate.point
            if row.get("tocurrency"):
                in_base.setdefault(row["tocurrency"], 1.0)
    dollar = in_base.get(USD)
    return {currency: rate / dollar for currency, rate in in_base.items() if dollar and currency != USD}


def _instruments(rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, Instrument]]:
    for row in rows:
        ids = [row.get(key, "") for key in ("security id", "securityid", "isin", "cusip")]
        fields = {name: value for text in ids for name, value in identified(text).items()}
        security = Security(
            name=row.get("description", ""),
            exchange=row.get("listing exch") or row.get("listingexchange", ""),
            **fields,
        )
        kind = kind_by("kind", row.get("type") or row.get("subcategory", ""))
        for symbol in row.get("symbol", "").split(","):
            yield symbol.strip().upper(), Instrument(security, _KINDS.get(kind or ""))


def _base_currency(row: Mapping[str, str]) -> str:
    if row.get("field name") == "Base Currency":
        return row.get("field value", "")
    return row.get("currency", "")


def _period_end(row: Mapping[str, str]) -> date | None:
    """The last day of a period such as `January 1, 2026 - March 31, 2026`."""
    if row.get("field name") != "Period":
        return None
    return written_dates.find(row.get("field value", "").split(" - ")[-1])


def _fields(security: Security) -> Iterator[tuple[str, str]]:
    return ((name, getattr(security, name)) for name in Security.__dataclass_fields__ if name != "symbol")
