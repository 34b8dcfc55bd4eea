"""A fund's own weight of the Mag 7, day by day, from the holdings files that a lake keeps.

Float-adjusted, so another number than the share by full market value.

On the day of a file it is the file's; on others `fund_drift` moves it by prices. What the tables have no price of, such
as cash, keeps its part.
"""

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from mag7cli import __version__
from mag7cli.analytics.period import FundClose, FundPeriod
from mag7cli.analytics.queries import END
from mag7cli.analytics.summary import FundWeight
from mag7cli.core import user_cache
from mag7cli.lake.layout import Lake
from mag7cli.market import symbology
from mag7cli.market.symbology import MAGNIFICENT_7
from mag7cli.portfolio import kept_funds, kept_weights
from mag7cli.portfolio.fund_file import FundHolding
from mag7cli.portfolio.fund_lines import FundWeightDay, counted_lines
from mag7cli.portfolio.identity import is_us_symbol
from mag7cli.portfolio.kept_funds import KeptFile
from mag7cli.portfolio.kept_weights import KeptDay, KeptWeights
from mag7cli.tables.schema import FUND_WEIGHTS, SCHEMA, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from mag7cli.warehouse.engines import SqlEngine
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

INDEX_FUNDS: Final = ("IVV", "SIMIX")
"""The funds of the index: of the market, and of the simulated one."""

TABLE: Final = FUND_WEIGHTS.name


def weights_in_files(lake: Lake, files: Iterable[KeptFile] | None = None) -> dict[str, dict[date, dict[str, float]]]:
    """What each kept file says: the weight of every line of the index, percent, by fund and day; funds inside opened.

    Raises:
        HoldingsFormatError: A kept file is broken.
    """
    every = list(kept_funds.kept_files(lake)) if files is None else list(files)
    rows: dict[KeptFile, list[tuple[str, float]]] = {}
    weights: dict[str, dict[date, dict[str, float]]] = defaultdict(dict)
    for file in every:
        parts: dict[str, float] = defaultdict(float)
        for security, part in _lines(lake, file, every, rows, frozenset()):
            parts[security] += 100 * part
        weights[file.symbol][file.as_of] = dict(parts)
    return dict(weights)


def daily(
    lake: Lake, engine: "SqlEngine", files: Sequence[KeptFile] | None = None, until: date = END
) -> tuple[FundWeightDay, ...]:
    """The weight of the Mag 7 in every kept fund on each date that a file speaks for; by fund, oldest first.

    Args:
        lake: Keeps the files.
        engine: Over the tables, which have the prices.
        files: The files that speak; by default all that are kept.
        until: The last date.

    Raises:
        HoldingsFormatError: A kept file is broken.
        EngineError: The SQL could not be run.
    """
    files = kept_funds.kept_files(lake) if files is None else files
    if not files:
        return ()
    from mag7cli.portfolio import fund_drift  # numpy takes longer to import than a lake without files to answer
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    if isinstance(engine, DuckDbEngine):  # a report asks for the returns of all companies more than once
        engine.compute_once("market_data.company_returns")
    weights = weights_in_files(lake, files)
    prices = fund_drift.read_prices(engine, min(file.as_of for file in files) - fund_drift.SLACK, until)
    if prices is None:
        return ()
    return tuple(day for fund in sorted(weights) for day in fund_drift.fund_days(fund, weights[fund], prices))


def index_fund(lake: Lake) -> str | None:
    """The fund of the index that the lake keeps files of; None if it keeps none."""
    files = _index_fund_files(lake)
    return files[0].symbol if files else None


def _index_fund_files(lake: Lake) -> list[KeptFile]:
    """The files of the index fund, oldest first; none if the lake keeps none. Lists them once."""
    files = kept_funds.kept_files(lake)
    symbols = {file.symbol for file in files}
    fund = next((fund for fund in INDEX_FUNDS if fund in symbols), None)
    return [file for file in files if file.symbol == fund]


def of_index_fund(lake: Lake, engine: "SqlEngine") -> KeptWeights:
    """The weight of the Mag 7 in the index fund, by date; kept in a local lake whose tables the engine has as a whole.

    On S3 the engine has what the tables were when it was opened, and not what they are now.

    Raises HoldingsFormatError, EngineError.
    """
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    if not lake.keeps_funds():
        return kept_weights.NO_FUND
    is_local = lake.store.local_root is not None
    can_be_kept = is_local and isinstance(engine, DuckDbEngine) and engine.is_of_lake
    known = kept_weights.read(lake) if can_be_kept else None
    if known is not None:
        return known
    of, files = kept_weights.fingerprint(lake), _index_fund_files(lake)
    weights = KeptWeights(
        fund=files[0].symbol if files else "",
        files={file.as_of: _printed(lake, file) for file in files},
        days={
            day.on: KeptDay(day.as_of, day.basis, day.mag7_pct, day.return_pct) for day in daily(lake, engine, files)
        },
    )
    if can_be_kept:
        kept_weights.write(lake, of, weights)
    return weights


def _printed(lake: Lake, file: KeptFile) -> dict[str, float]:
    """What a file says of each of the Mag 7, percent."""
    by_line = weights_in_files(lake, [file])[file.symbol][file.as_of]
    return {ticker: sum(by_line.get(security, 0.0) for security in _lines_of(ticker)) for ticker in MAGNIFICENT_7}


def over_period(lake: Lake, engine: "SqlEngine", since: date, until: date) -> FundPeriod | None:
    """The index fund at two closes, and what its lines gained between them; None if no file speaks for either.

    Raises HoldingsFormatError, EngineError.
    """
    every = _index_fund_files(lake)
    before = [file for file in every if file.as_of <= since][-1:]
    after = [file for file in every if file.as_of > until][:1]
    files = [*before, *(file for file in every if since < file.as_of <= until), *after]
    days = {day.on: day for day in daily(lake, engine, files, max([until, *_days(after)]))}
    then, now = days.get(since), days.get(until)
    if then is None and now is None:
        return None
    return FundPeriod(every[0].symbol, _at_close(then), _at_close(now), _return(days, since, until) if then else None)


def _at_close(day: FundWeightDay | None) -> FundClose | None:
    if day is None:
        return None
    by_company: dict[str, float] = dict.fromkeys(MAGNIFICENT_7, 0.0)
    for security, weight in day.weights_pct.items():
        by_company[counted_lines()[security]] += weight
    return FundClose(day.on, day.as_of, day.basis, by_company)


def _return(days: Mapping[date, FundWeightDay], since: date, until: date) -> float | None:
    pcts = [day.return_pct for on, day in days.items() if since < on <= until]
    if until not in days or None in pcts:
        return None
    return 100 * (math.prod(1 + (pct or 0.0) / 100 for pct in pcts) - 1)


def weight_on(lake: Lake, engine: "SqlEngine | None", day: date | None) -> FundWeight | None:
    """The index fund's weight by its newest file until a date, and that weight taken to the date by prices.

    None if no file of the fund is that old. Without an engine only the file's own weight is given.
    """
    every = _index_fund_files(lake)
    files = [file for file in every if day is None or file.as_of <= day]
    if not files:
        return None
    newest = files[-1]
    fund = newest.symbol
    printed = _printed(lake, newest)
    if engine is None or day == newest.as_of:
        return FundWeight(fund, newest.as_of, printed)
    following = [file for file in every if file.as_of > newest.as_of]
    days = daily(lake, engine, [newest, *following[:1]], END if day is None else max([day, *_days(following[:1])]))
    on = next((each for each in reversed(days) if day in (None, each.on)), None)
    if on is None or on.basis == "file":
        return FundWeight(fund, newest.as_of, printed)
    return FundWeight(fund, newest.as_of, printed, on=on.on, on_pct=on.mag7_pct, basis=on.basis)


def _days(files: Iterable[KeptFile]) -> list[date]:
    return [file.as_of for file in files]


def add_table(engine: "DuckDbEngine", lake: Lake) -> None:
    """Offer `market_data.fund_weights` to the statements of an engine. Raises HoldingsFormatError, EngineError."""
    engine.add_arrow_table(SCHEMA, TABLE, arrow_rows(lake, engine))


def arrow_rows(lake: Lake, engine: "DuckDbEngine") -> "pa.Table":
    """The rows of `fund_weights`, by fund and date. Raises HoldingsFormatError, EngineError."""
    import pyarrow as pa

    rows = [
        (day.on, day.fund, security, weight, day.as_of, day.basis)
        for day in daily(lake, engine)
        for security, weight in day.weights_pct.items()
    ]
    schema = arrow_schema(FUND_WEIGHTS, partitioned=False)
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(list(values), field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


# What a file says


def _lines(
    lake: Lake,
    file: KeptFile,
    files: Sequence[KeptFile],
    rows: dict[KeptFile, list[tuple[str, float]]],
    around: frozenset[str],
) -> Iterator[tuple[str, float]]:
    """The lines of the index in a fund, 1 being all of the fund; funds inside it are opened by their newest file."""
    if file not in rows:
        rows[file] = _rows(lake, file)
    inner = kept_funds.newest((each for each in files if each.as_of <= file.as_of), file.as_of)
    for security, weight in rows[file]:
        if security in inner and security not in {*around, file.symbol}:
            opened = _lines(lake, inner[security], files, rows, around | {file.symbol})
            yield from ((each, weight * part) for each, part in opened)
        elif security in counted_lines():
            yield security, weight


def _rows(lake: Lake, file: KeptFile) -> list[tuple[str, float]]:
    """The lines and funds in a file, with their part of it; to read a file of the index takes 0.06 s."""
    data = lake.store.read(file.key)
    name = hashlib.sha256(f"{__version__} {file.as_of} ".encode() + data).hexdigest()

    def read() -> str:
        holdings = kept_funds.read(lake, file)
        return json.dumps([(security, row.weight) for row in holdings.rows if (security := _line_of(row, file.as_of))])

    return [
        (str(security), float(weight))
        for security, weight in json.loads(user_cache.kept_text(f"holdings/{name}.json", read))
    ]


def _line_of(row: FundHolding, day: date) -> str:
    if row.kind not in ("stock", "fund") or not is_us_symbol(row.security):
        return ""
    return symbology.ticker_for(symbology.vendor_symbol(row.security.symbol), day)


def _lines_of(ticker: str) -> list[str]:
    return [security for security, counted in counted_lines().items() if counted == ticker]
