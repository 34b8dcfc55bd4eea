"""Rows that are kept by column: the same rows, in a fraction of the memory."""

import tracemalloc
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from mag7cli.analytics.columnar import Amounts, Column, ColumnarRows, MappedRows, Repeated, floats
from mag7cli.analytics.queries import Cap
from mag7cli.warehouse.engines import Rows

KINDS: dict[str, Callable[[], Column]] = {
    "trading_date": Repeated,
    "ticker": Repeated,
    "market_cap": Amounts,
    "pct_of_mag7": floats,
    "pct_of_sp500": floats,
    "ranking": list,
}
TICKERS = ("AAPL", "MSFT", "NVDA", "GOOGL", "AMZN", "META", "TSLA")


def rows(days: int) -> Rows:
    """Rows as an engine gives them, each value an object of its own."""
    first = date(2021, 1, 4)
    return Rows(
        ("ranking", *list(KINDS)[:-1], "unread"),
        tuple(
            (rank, first + timedelta(day), ticker[:1] + ticker[1:], Decimal(day * 7 + rank) / 100, day / 7, rank / 7, 0)
            for day in range(days)
            for rank, ticker in enumerate(TICKERS, 1)
        ),
    )


def as_objects(results: Sequence[Rows]) -> list[Cap]:
    return [Cap(*row[1:6], ranking=row[0]) for result in results for row in result.values]  # type: ignore[arg-type]


@pytest.mark.parametrize("results", [[], [rows(0)], [rows(3)], [rows(2), rows(0), rows(1)]], ids=len)
def test_rows_are_those_that_the_queries_had(results: list[Rows]) -> None:
    caps = ColumnarRows.of(Cap, KINDS, results)

    wanted = as_objects(results)
    assert list(caps) == wanted
    assert caps == wanted
    assert len(caps) == len(wanted)
    assert caps[1:9] == wanted[1:9]
    assert [caps[place] for place in range(-len(wanted), len(wanted))] == [*wanted, *wanted]
    with pytest.raises(IndexError):
        caps[len(wanted)]


def test_an_amount_of_any_size_keeps_its_cents() -> None:
    amounts = Amounts()
    amounts.extend([Decimal("987654321098765432.10"), Decimal("0.01"), Decimal("3325399124681.52")])

    assert list(amounts) == [amounts[0], *amounts[1:]]
    assert [str(amount) for amount in amounts] == ["987654321098765432.10", "0.01", "3325399124681.52"]


def test_a_result_that_lacks_a_column_is_refused() -> None:
    with pytest.raises(KeyError, match="ticker"):
        ColumnarRows.of(Cap, KINDS, [Rows(("trading_date",), ((date(2021, 1, 4),),))])


def test_a_row_is_mapped_when_somebody_looks_at_it() -> None:
    looked_at: list[int] = []
    squares = MappedRows(lambda number: looked_at.append(number) or number * number, range(10))

    assert (len(squares), looked_at) == (10, [])
    assert (squares[3], squares[-2:]) == (9, [64, 81])
    assert looked_at == [3, 8, 9]
    assert squares == [number * number for number in range(10)]


def test_twenty_years_take_a_fraction_of_what_objects_take() -> None:
    def held(make: Callable[[], object]) -> int:
        tracemalloc.start()
        kept = make()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size if kept else 0

    years = 500
    objects = held(lambda: as_objects([rows(years)]))

    assert held(lambda: ColumnarRows.of(Cap, KINDS, (rows(years) for _ in range(1)))) < objects / 2
