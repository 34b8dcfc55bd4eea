"""Everything that the report draws, read from the tables once and typed: share, sessions, events and failures.

Prices are the floats nearest to the tables' decimals. Nothing is computed here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, Literal

from mag7cli.analytics import queries
from mag7cli.analytics.columnar import Column, ColumnarRows, Repeated, floats
from mag7cli.analytics.queries import Concentration
from mag7cli.warehouse.engines import SqlEngine


@dataclass(frozen=True, slots=True)
class Session:
    """Where one of the Mag 7 opened and closed, unadjusted USD."""

    on: date
    ticker: str
    open_usd: float
    close_usd: float

    @property
    def gain_pct(self) -> float:
        """What the session added to the opening price, percent."""
        return 100 * (self.close_usd / self.open_usd - 1)


@dataclass(frozen=True, slots=True)
class Event:
    """Something a chart must explain: a split or a new symbol."""

    on: date
    ticker: str
    kind: Literal["split", "rename"]
    label: str


@dataclass(frozen=True, slots=True)
class FailureReason:
    """Why tickers could not be valued: how often, on how many dates, for how many tickers, and when last."""

    reason: str
    failures: int
    dates: int
    tickers: int
    last: date


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything the report draws, oldest first."""

    concentration: Concentration
    sessions: Sequence[Session]
    events: tuple[Event, ...]
    failures: tuple[FailureReason, ...]


_SESSION: Final[dict[str, Callable[[], Column]]] = {
    "trading_date": Repeated,
    "ticker": Repeated,
    "open_price": floats,
    "close_price": floats,
}


def read(engine: SqlEngine) -> ReportData:
    """All that the tables hold. Raises EngineError."""
    rows = partial(queries.rows_of, engine, since=queries.BEGINNING, until=queries.END)
    events = [*map(_split, rows("splits")), *_renames(rows("symbols"))]
    concentration = queries.read_concentration(engine)
    sessions = queries.results_of(engine, "sessions", queries.spans_of(concentration.days))
    return ReportData(
        concentration=concentration,
        sessions=ColumnarRows.of(Session, _SESSION, sessions),
        events=tuple(sorted(events, key=lambda event: (event.on, event.ticker))),
        failures=tuple(map(_failure, rows("failures"))),
    )


def _failure(row: Mapping[str, Any]) -> FailureReason:
    return FailureReason(row["reason"], row["failures"], row["dates"], row["tickers"], row["last_date"])


def _split(row: Mapping[str, Any]) -> Event:
    label = f"{row['ticker']} {float(row['split_to']):g}:{float(row['split_from']):g}"
    return Event(row["trading_date"], row["ticker"], "split", label)


def _renames(symbols: Iterable[Mapping[str, Any]]) -> list[Event]:
    """One event for each symbol that followed another; `symbols` are sorted by their first date."""
    last: dict[str, str] = {}
    events = []
    for row in symbols:
        ticker, symbol = row["ticker"], row["symbol"]
        if ticker in last:
            events.append(Event(row["first_date"], ticker, "rename", f"{last[ticker]} → {symbol}"))
        last[ticker] = symbol
    return events
