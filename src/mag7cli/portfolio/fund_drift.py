"""How a fund's weight of the Mag 7 moves from the day of one holdings file to that of the next. Arithmetic only.

Between two files it is taken forward from the one and back from the other by the prices of the companies, and passes
from the first to the second in a straight line; after the last it is taken forward.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.portfolio.fund_lines import Basis, FundWeightDay, counted_lines
from mag7cli.warehouse.engines.arrow import query_arrow

if TYPE_CHECKING:
    from mag7cli.warehouse.engines import SqlEngine

Floats = npt.NDArray[np.float64]

LONGEST_CARRY: Final = 126
"""Sessions for which the last file is taken forward: half a year, in which counts and members change twice."""

LEAST_PRICED_PCT: Final = 95.0
"""How much of a fund the tables must have prices of, for its holdings to say what it gained."""

SLACK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Prices:
    """The dates of the tables, oldest first, and the logarithm of each company's price since the first of them."""

    dates: tuple[date, ...]
    place: Mapping[str, int]
    logs: Floats

    def row_until(self, day: date) -> int | None:
        """The row of a date, or of the last one within the week before; None if there is none."""
        rows = [row for row, on in enumerate(self.dates) if on <= day]
        return rows[-1] if rows and day - self.dates[rows[-1]] <= SLACK else None


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A fund on the day of a file: parts of priced lines in percent, by line."""

    as_of: date
    row: int
    weights_pct: Mapping[str, float]


def read_prices(engine: "SqlEngine", since: date, until: date) -> Prices | None:
    """What the companies gained from date to date, as far as the tables have it. Raises EngineError."""
    parameters = {"since": since, "until": until}
    dates = [on for (on,) in engine.query(_DATES, parameters).values if isinstance(on, date)]
    if not dates:
        return None
    rows = query_arrow(engine, _RETURNS, parameters)
    tickers = _joined(rows.column("ticker")).dictionary_encode()
    names = tickers.dictionary.to_pylist()
    moves = np.zeros((len(dates), len(names)))
    days = _memory(_joined(rows.column("trading_date")), np.int32)
    at = np.searchsorted(np.array(dates, "datetime64[D]").astype(np.int32), days)
    pcts = _memory(_joined(rows.column("price_return_pct")), np.float64)
    moves[at, _memory(tickers.indices, np.int32)] = np.log1p(pcts / 100)
    place = {name: column for column, name in enumerate(names)}
    return Prices(tuple(dates), place, np.cumsum(moves, axis=0))


def _joined(column: Any) -> Any:
    chunks = column.combine_chunks()
    return chunks.chunk(0) if hasattr(chunks, "num_chunks") else chunks


def _memory(array: Any, kind: Any) -> npt.NDArray[Any]:
    """The values of an Arrow array, which has none missing: `to_numpy` would import pandas, half a second."""
    return np.frombuffer(array.buffers()[1], kind, count=len(array), offset=array.offset * np.dtype(kind).itemsize)


_DATES: Final = """\
SELECT trading_date FROM market_data.concentration_metrics
WHERE trading_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)
ORDER BY trading_date"""
_RETURNS: Final = """\
SELECT trading_date, ticker, price_return_pct FROM market_data.company_returns
WHERE base_date >= CAST(:since AS DATE) AND trading_date <= CAST(:until AS DATE)"""


def fund_days(fund: str, weights: Mapping[date, Mapping[str, float]], prices: Prices) -> Iterator[FundWeightDay]:
    """The weight of the Mag 7 in a fund on each date that a file speaks for, oldest first.

    Args:
        fund: Its symbol.
        weights: Percent by line, by the day of the file.
        prices: Of the dates in question.
    """
    snapshots = [
        _Snapshot(as_of, row, weights[as_of])
        for as_of in sorted(weights)
        if (row := prices.row_until(as_of)) is not None and weights[as_of]
    ]
    returns = _returns(snapshots, prices)
    following = iter([*snapshots[1:], None])
    for earlier in snapshots:
        later = next(following)
        last = later.row if later else min(len(prices.dates), earlier.row + LONGEST_CARRY + 1)
        rows = np.arange(earlier.row, last)
        parts = _moved(earlier, rows, prices)
        if later and len(rows):
            parts = _blended(parts, _moved(later, rows, prices), (rows - earlier.row) / (later.row - earlier.row))
        for place, row in enumerate(rows.tolist()):
            on = prices.dates[row]
            basis: Basis = "file" if on == earlier.as_of else "interpolated" if later else "carried"
            by_line = {security: float(part[place]) for security, part in parts.items()}
            yield FundWeightDay(on, fund, earlier.as_of, basis, by_line, return_pct=returns.get(row))


def _returns(snapshots: Sequence[_Snapshot], prices: Prices) -> dict[int, float]:
    """What a fund gained since the row before, percent: it holds what its last file until then says, so long.

    What the tables have no price of, such as cash, stays as it is.
    """
    found: dict[int, float] = {}
    following = [later.row + 1 for later in snapshots[1:]]
    for snapshot, end in zip(snapshots, [*following, len(prices.dates)], strict=False):
        rows = np.arange(snapshot.row, min(end, snapshot.row + LONGEST_CARRY + 1))
        values = _held(snapshot, rows, prices)
        priced = values[:1].sum()
        if priced < LEAST_PRICED_PCT:
            continue
        levels = values.sum(axis=1) + max(0.0, 100.0 - priced)
        found.update(zip(rows[1:].tolist(), (100 * (levels[1:] / levels[:-1] - 1)).tolist(), strict=True))
    return found


def _priced_lines(snapshot: _Snapshot, prices: Prices) -> list[str]:
    companies = counted_lines()
    return [security for security in snapshot.weights_pct if companies[security] in prices.place]


def _held(snapshot: _Snapshot, rows: Any, prices: Prices) -> Floats:
    """What the lines of a file are worth on some dates, in percent of the fund on its day; a column for each."""
    classes, companies = _priced_lines(snapshot, prices), counted_lines()
    columns = [prices.place[companies[security]] for security in classes]
    start = np.array([snapshot.weights_pct[security] for security in classes])
    moves = prices.logs[np.ix_(rows, columns)] - prices.logs[snapshot.row, columns]
    return np.asarray(start * np.exp(moves))


def _blended(before: Mapping[str, Floats], after: Mapping[str, Floats], passed: Floats) -> dict[str, Floats]:
    """From the earlier file's weights to the later one's in a straight line; `passed` is how much of the way."""
    zeros = np.zeros(len(passed))
    classes = [*before, *(security for security in after if security not in before)]
    return {
        security: (1 - passed) * before.get(security, zeros) + passed * after.get(security, zeros)
        for security in classes
    }


def _moved(snapshot: _Snapshot, rows: Any, prices: Prices) -> dict[str, Floats]:
    """The weights of the lines of the Mag 7 on some dates, if only prices moved since the file or until it."""
    companies, classes = counted_lines(), _priced_lines(snapshot, prices)
    if not classes:
        return {}
    start = sum(snapshot.weights_pct[security] for security in classes)
    values = _held(snapshot, rows, prices)
    values *= (start / values.sum(axis=1))[:, None]
    return {
        security: values[:, place] for place, security in enumerate(classes) if companies[security] in MAGNIFICENT_7
    }
