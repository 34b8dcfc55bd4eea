"""What the tables say of the Mag 7, from the figures that lie beside them: the same as by SQL, without an engine.

`queries` says it of any tables and `groups` of any group; this says it of the Mag 7, in a lake whose record of its
tables is true, in the time that it takes to read a file or two.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Any

from mag7cli.analytics.queries import END, Cap, Concentration, Doubt, day_of
from mag7cli.tables.daily_figures import COLUMNS, DailyFigures, Figures

Row = Mapping[str, Any]


def first_and_last(figures: DailyFigures) -> tuple[date, date] | None:
    """The first and the last date with a figure; None if there is none. Raises StoreError."""
    first, last = _first(figures), last_date(figures)
    return (first, last) if first and last else None


def _first(figures: DailyFigures) -> date | None:
    days = (_dates(figures, year, "concentration_metrics") for year in sorted(figures.years))
    return next((min(of_year) for of_year in days if of_year), None)


def last_date(figures: DailyFigures) -> date | None:
    """The last date with a figure; None if there is none. Raises StoreError."""
    days = (_dates(figures, year, "concentration_metrics") for year in sorted(figures.years, reverse=True))
    return next((max(of_year) for of_year in days if of_year), None)


def first_of_latest(figures: DailyFigures, count: int) -> date:
    """The first of the latest so many collected dates. Raises StoreError."""
    latest: list[date] = []
    for year in sorted(figures.years, reverse=True):
        latest += sorted(_dates(figures, year, "daily_summary"), reverse=True)
        if len(latest) >= count:
            return latest[count - 1]
    return latest[-1] if latest else END


def _dates(figures: DailyFigures, year: int, table: str) -> list[date]:
    return [date.fromisoformat(row[0]) for row in figures.read(year).get(table, ())]


def read_concentration(figures: DailyFigures, since: date, until: date) -> Concentration:
    """The share of the Mag 7 from `since` to `until`, both included. Raises StoreError."""
    years = [figures.read(year) for year in sorted(figures.years) if since.year <= year <= until.year]
    metrics = {row["trading_date"]: row for row in _rows(years, "concentration_metrics", since, until)}
    # Without a figure the date has none of its columns, as after a left join.
    none = dict.fromkeys(("mag7_pct_of_sp500", "total_mag7_market_cap", "sp500_total_market_cap"))
    summaries = sorted(_rows(years, "daily_summary", since, until), key=_date)
    named = sorted(_values(years, "company_details", date.min, until), key=itemgetter(0))
    return Concentration(
        days=tuple(day_of(_typed({**none, **metrics.get(row["trading_date"], {}), **row})) for row in summaries),
        caps=tuple(_caps(years, since, until)),
        names={ticker: name for _, ticker, name in named},
        doubts=tuple(_doubts(_rows(years, "data_quality", since, until))),
    )


def _caps(years: Iterable[Figures], since: date, until: date) -> Iterator[Cap]:
    """The companies by date and rank; there are thousands, so that a row is taken as it lies."""
    rows = sorted(_values(years, "magnificent7_metrics", since, until), key=itemgetter(0, 5))
    for day, ticker, market_cap, *shares in rows:
        yield Cap(date.fromisoformat(day), ticker, Decimal(market_cap), *shares)


def _doubts(rows: Iterable[Row]) -> Iterator[Doubt]:
    for row in sorted(rows, key=lambda row: (_date(row), row["ticker"] is None, row["ticker"], row["kind"])):
        yield Doubt(_date(row), row["ticker"], row["kind"], row["reason"])


def _rows(years: Iterable[Figures], table: str, since: date, until: date) -> Iterator[Row]:
    columns = COLUMNS[table]
    return (dict(zip(columns, row, strict=True)) for row in _values(years, table, since, until))


def _values(years: Iterable[Figures], table: str, since: date, until: date) -> Iterator[list[Any]]:
    """The rows as they lie, their values in the order of `COLUMNS`."""
    first, last = since.isoformat(), until.isoformat()
    return (row for year in years for row in year.get(table, ()) if first <= row[0] <= last)


def _date(row: Row) -> date:
    return date.fromisoformat(row["trading_date"])


def _typed(row: Row) -> Row:
    """A row with its dates as dates and its money as decimals."""
    typed = dict(row)
    for column in ("trading_date", "membership_as_of"):
        typed[column] = date.fromisoformat(row[column]) if row.get(column) else None
    for column in ("total_mag7_market_cap", "sp500_total_market_cap"):
        typed[column] = None if row.get(column) is None else Decimal(row[column])
    return typed
