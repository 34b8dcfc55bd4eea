"""The share and the returns beside a series of one's own, against the arithmetic of pandas."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from tests.simulators import true_tables

from mag7cli.analytics.indicators import beside, parse_series
from mag7cli.cli.output import Line
from mag7cli.cli.show import indicator_result
from mag7cli.core.errors import UsageError
from mag7cli.warehouse.engines.duckdb import DuckDbEngine

WINDOW = 63


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckDbEngine]:
    tables = true_tables.engine()
    yield tables
    tables.close()


@pytest.fixture(scope="module")
def figures(engine: DuckDbEngine) -> pd.DataFrame:
    rows = engine.query(
        "SELECT m.trading_date, m.mag7_pct_of_sp500 AS share, r.mag7_return_pct AS gain, "
        "r.sp500_return_pct AS index_gain "
        "FROM market_data.concentration_metrics m LEFT JOIN market_data.daily_returns r USING (trading_date) ORDER BY 1"
    )
    return pd.DataFrame(rows.records()).set_index("trading_date").fillna(0.0)


def test_windows_are_those_of_pandas(engine: DuckDbEngine, figures: pd.DataFrame) -> None:
    index = (1 + figures["index_gain"] / 100).cumprod()
    answer = beside(engine, dict(index.items()), "index.csv")

    moved = pd.DataFrame({"x": np.log(figures["share"]).diff(), "y": np.log(index).diff()}).dropna()
    gains = np.log(1 + figures["gain"] / 100).iloc[1:]
    rolling = moved["x"].rolling(WINDOW)
    assert [row.on for row in answer.rows] == list(moved.index[WINDOW - 1 :])
    assert [row.share_correlation for row in answer.rows] == pytest.approx(list(rolling.corr(moved["y"]).dropna()))
    variance = moved["y"].rolling(WINDOW).var()
    betas = (gains.rolling(WINDOW).cov(moved["y"]) / variance).dropna()
    assert [row.return_beta for row in answer.rows] == pytest.approx(list(betas))
    assert answer.whole.share_correlation == pytest.approx(moved["x"].corr(moved["y"]))
    assert answer.whole.return_correlation == pytest.approx(gains.corr(moved["y"]))
    assert (answer.dates, answer.series, answer.simulated) == (len(figures), "index.csv", True)


def test_a_series_moves_with_itself(engine: DuckDbEngine, figures: pd.DataFrame) -> None:
    answer = beside(engine, dict(figures["share"].items()), "itself.csv")

    assert answer.whole.share_correlation == pytest.approx(1)
    assert {round(row.share_beta or 0, 9) for row in answer.rows} == {1.0}


def test_suspect_dates_are_left_out_of_the_share_and_counted_in_the_returns(figures: pd.DataFrame) -> None:
    tables = true_tables.engine()
    days = list(figures.index)
    suspect = f"'{days[80]}', '{days[90]}'"
    tables.execute([f"UPDATE market_data.daily_summary SET status = 'suspect' WHERE trading_date IN ({suspect})"])

    answer = beside(tables, dict(figures["share"].items()), "itself.csv")

    assert (answer.dates, answer.suspect_returns) == (len(days) - 2, 2)
    assert "2 dates of these are suspect: left out of the share, but in the returns" in "\n".join(
        each.text for each in indicator_result(answer).text or () if isinstance(each, Line)
    )
    tables.close()


def test_too_few_dates_in_common_are_refused(engine: DuckDbEngine, figures: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match="have 40 complete dates in common; a window takes 64") as few:
        beside(engine, dict(list(figures["share"].items())[:40]), "short.csv")
    assert "mag7 collect --benchmark" in str(few.value.hint)


def test_a_file_is_read_by_the_names_of_its_columns() -> None:
    text = b"Symbol,Date,Open,Close,Adj Close\nX,2024-12-30,1,2,1.9\nX,2024-12-31 00:00:00,1,3,2.9\n"

    assert list(parse_series(text, "x.csv").values()) == [1.9, 2.9]
    assert [str(day) for day in parse_series(b"day,vix\n2024-12-30,17.4\n", "v.csv")] == ["2024-12-30"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "has no two columns"),
        (b"date\n2024-12-30\n", "has no two columns"),
        (b"2024-12-30,5\n2024-12-31,6\n", "has no heading"),
        (b"date,close\n12/30/2024,5\n", "row 2: '12/30/2024,5' is no date with a level above zero"),
        (b"date,close\n2024-12-30,\n", "row 2"),
        (b"date,close\n2024-12-30,0\n", "row 2"),
        (b"date,close\n2024-12-30,nan\n", "row 2"),
        (b"date,close\n2024-12-30,5\n2024-12-30,6\n", "has 2024-12-30 twice"),
    ],
)
def test_what_is_no_series_is_refused_with_its_row(text: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_series(text, "x.csv")
