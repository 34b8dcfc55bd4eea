"""What the tables say of the share of the Mag 7, read once and typed; `report_data` has what else the report draws.

Market caps are the tables' decimals, USD; prices the floats nearest to theirs; percentages are 0-100. Nothing is
computed here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mag7cli.analytics.columnar import Amounts, Column, ColumnarRows, Repeated, floats

if TYPE_CHECKING:
    from mag7cli.market.date_quality import DateStatus
    from mag7cli.warehouse.engines import Rows, SqlEngine

BEGINNING: Final = date(1900, 1, 1)
END: Final = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Figure:
    """The concentration of one date."""

    mag7_cap_usd: Decimal
    sp500_cap_usd: Decimal
    share_pct: float


@dataclass(frozen=True, slots=True)
class Day:
    """One collected date. `figure` is None on a partial date, which then has a `reason`.

    `low_pct` to `high_pct` is the bound of the share, None where it is unknown. The breadth figures are None where the
    document does not list the constituents.
    """

    on: date
    status: "DateStatus"
    reason: str | None
    failed_count: int
    figure: Figure | None
    low_pct: float | None
    high_pct: float | None
    companies_count: int | None
    top10_pct: float | None
    hhi: float | None
    effective_n: float | None
    membership_kind: str | None
    membership_as_of: date | None
    method: str | None
    simulated: bool


@dataclass(frozen=True, slots=True)
class Cap:
    """One of the Mag 7 on one date."""

    on: date
    ticker: str
    market_cap_usd: Decimal
    pct_of_mag7: float
    pct_of_sp500: float
    ranking: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that makes a date suspect or partial."""

    on: date
    ticker: str | None
    kind: str
    reason: str

    @property
    def sentence(self) -> str:
        """The reason, with the ticker it concerns unless it names it already."""
        return self.reason if not self.ticker or self.ticker in self.reason else f"{self.ticker}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Concentration:
    """The share of the Mag 7 over time, oldest first, and what is doubtful about it."""

    days: tuple[Day, ...]
    caps: Sequence[Cap]
    names: Mapping[str, str]
    doubts: Sequence[Doubt]

    @property
    def simulated(self) -> bool:
        """True if any date comes from the sandbox market: one is enough to mark the whole."""
        return any(day.simulated for day in self.days)


_CAP: Final[dict[str, Callable[[], Column]]] = {
    "trading_date": Repeated,
    "ticker": Repeated,
    "market_cap": Amounts,
    "pct_of_mag7": floats,
    "pct_of_sp500": floats,
    "ranking": list,
}
_DOUBT: Final = dict.fromkeys(("trading_date", "ticker", "kind", "reason"), Repeated)


def read_concentration(engine: "SqlEngine", since: date = BEGINNING, until: date = END) -> Concentration:
    """The share of the Mag 7 from `since` to `until`, both included. Raises EngineError."""
    rows = partial(rows_of, engine, since=since, until=until)
    days = tuple(map(day_of, rows("days")))
    return Concentration(
        days=days,
        caps=ColumnarRows.of(Cap, _CAP, results_of(engine, "caps", spans_of(days, since, until))),
        names={row["ticker"]: row["company_name"] for row in rows("names")},
        doubts=ColumnarRows.of(Doubt, _DOUBT, results_of(engine, "doubts", [(since, until)])),
    )


def first_and_last(engine: "SqlEngine") -> tuple[date, date] | None:
    """The first and the last date with a figure; None if there is none. Raises EngineError."""
    rows = engine.query("SELECT MIN(trading_date), MAX(trading_date) FROM market_data.concentration_metrics").values
    first, last = rows[0]
    return (first, last) if isinstance(first, date) and isinstance(last, date) else None


def spans(engine: "SqlEngine", years: int = 5) -> list[tuple[date, date]]:
    """The dates of the lake in spans of whole years, one after the other, for what has many rows a date.

    One span of all times where there are no more years. Raises EngineError.
    """
    first, last = first_and_last(engine) or (BEGINNING, END)
    if last.year - first.year < years or (first, last) == (BEGINNING, END):
        return [(BEGINNING, END)]
    return spans_between(first, last, years)


def spans_between(first: date, last: date, years: int = 5) -> list[tuple[date, date]]:
    """The days from the first to the last in spans of whole years, one after the other."""
    begins = range(first.year, last.year + 1, years)
    return [(date(year, 1, 1), date(min(year + years - 1, last.year), 12, 31)) for year in begins]


def spans_of(days: Sequence[Day], since: date = BEGINNING, until: date = END) -> list[tuple[date, date]]:
    """The dates of these days in spans of whole years, but for what is before `since` and after `until`."""
    spans = spans_between(days[0].on, days[-1].on) if days else []
    return [(max(first, since), min(last, until)) for first, last in spans]


def rows_of(engine: "SqlEngine", name: str, *, since: date, until: date) -> Iterator[dict[str, Any]]:
    """The rows of a statement of `sql/report`; its columns are typed where they are read. Raises EngineError."""
    from mag7cli.warehouse import sql_files

    rows = engine.query(sql_files.read("report", name).sql, {"since": since, "until": until})
    return (dict(zip(rows.columns, row, strict=True)) for row in rows.values)


def results_of(engine: "SqlEngine", name: str, between: Iterable[tuple[date, date]]) -> "Iterator[Rows]":
    """The rows of a statement of `sql/report`, those of each span apart, for there are many. Raises EngineError."""
    from mag7cli.warehouse import sql_files

    statement = sql_files.read("report", name).sql
    return (engine.query(statement, {"since": since, "until": until}) for since, until in between)


def day_of(row: Mapping[str, Any]) -> Day:
    """The date that a row of `sql/report/days.sql` tells of."""
    return Day(
        on=row["trading_date"],
        status=row["status"],
        reason=row["partial_reason"],
        failed_count=row["failed_count"],
        figure=_figure(row),
        low_pct=row["mag7_pct_low"],
        high_pct=row["mag7_pct_high"],
        companies_count=row["companies_count"],
        top10_pct=row["top10_pct"],
        hhi=row["hhi"],
        effective_n=row["effective_n"],
        membership_kind=row["membership_kind"],
        membership_as_of=row["membership_as_of"],
        method=row["method"],
        simulated=bool(row["simulated"]),
    )


def _figure(row: Mapping[str, Any]) -> Figure | None:
    if row["mag7_pct_of_sp500"] is None:
        return None
    return Figure(
        mag7_cap_usd=row["total_mag7_market_cap"],
        sp500_cap_usd=row["sp500_total_market_cap"],
        share_pct=row["mag7_pct_of_sp500"],
    )
