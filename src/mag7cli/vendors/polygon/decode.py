"""Bodies of 200 answers as `market.records`; pure, and strict where the vendor's client is not.

An answer that is no JSON, has another shape, or is about another security, date or price basis raises ShapeError:
it is a fault, never an empty result. In lists of the whole market one row that cannot be true costs only itself.
"""

import logging
import math
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import chain
from operator import itemgetter, lt
from typing import Any, Final

import orjson

from mag7cli.core.clock import NEW_YORK
from mag7cli.market.bar_series import SIZE, VOLUME, BarSeries, values_of
from mag7cli.market.calendar import AFTER_HOURS_CLOSE
from mag7cli.market.intraday import MinuteBar, Snapshot
from mag7cli.market.records import Bar, Split, TickerDetails
from mag7cli.vendors.base import VendorStatus

logger = logging.getLogger(__name__)

Body = Mapping[str, Any]

_ACCEPTED: Final = ("OK", "DELAYED")  # the second on plans that are 15 minutes late
_LAST_MS: Final = 4_102_444_800_000  # 2100-01-01
_SHOWN: Final = 5
_A_MARKET_OF_SPLITS: Final = 10  # no security splits as often
_NUMBERS: Final = frozenset({int, float})
# What a bar is made of, in the order of `BarSeries`.
_VALUES: Final = itemgetter("o", "h", "l", "c", "v", "vw")
_TIME: Final = itemgetter("t")


class ShapeError(ValueError):
    """A body that cannot be what was asked for."""


def body(data: bytes) -> Body:
    """The JSON object in a body. Raises ShapeError."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ShapeError(f"the body is not JSON ({_opening(data)})") from error
    if not isinstance(document, dict):
        raise ShapeError(f"the body is not an object ({_opening(data)})")
    if "status" in document and document["status"] not in _ACCEPTED:
        raise ShapeError(f"the body has status {document['status']!r}")
    return document


def next_url(page: Body) -> str | None:
    """The address of the next page, None on the last one."""
    address = page.get("next_url")
    return str(address) if address else None


def details(page: Body, symbol: str, on: date) -> TickerDetails:
    """The details of `symbol`. Raises ShapeError."""
    results = _object(page, "results")
    if results.get("ticker") != symbol:
        raise ShapeError(f"it is about {results.get('ticker')!r}")
    return TickerDetails(
        symbol=symbol,
        on=on,
        name=_text(results, "name") or "",
        cik=_text(results, "cik"),
        composite_figi=_text(results, "composite_figi"),
        security_type=_text(results, "type"),
        currency=_text(results, "currency_name"),
        market_cap_usd=_amount(results, "market_cap"),
        weighted_shares=_count(results, "weighted_shares_outstanding"),
        share_class_shares=_count(results, "share_class_shares_outstanding"),
        description=_text(results, "description"),
        list_date=_date(results, "list_date") if results.get("list_date") else None,
    )


def bars(page: Body, symbol: str, start: date, end: date) -> BarSeries:
    """The bars of one symbol, oldest first. Raises ShapeError for one impossible bar: the series would have a hole."""
    rows = _unadjusted_rows(page)
    if rows and page.get("ticker") != symbol:
        raise ShapeError(f"it is about {page.get('ticker')!r}")
    series = _series_at_once(rows, symbol) or _series(rows, symbol)
    days = series.days
    if days and not start.toordinal() <= min(days) <= max(days) <= end.toordinal():
        raise ShapeError(f"it has bars from {date.fromordinal(min(days))} to {date.fromordinal(max(days))}")
    if not all(map(lt, days, days[1:])):
        raise ShapeError("its bars are not in the order of their dates, one for each")
    return series


class BarsOfADay(Mapping[str, Bar]):
    """The bars of the whole market by symbol, each made when it is asked for: of 12,500 a run wants about 500."""

    def __init__(self, rows: Mapping[str, Body]) -> None:
        self._rows = rows

    def __getitem__(self, symbol: str) -> Bar:
        return _bar(self._rows[symbol], symbol)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def grouped(page: Body, on: date) -> Mapping[str, Bar]:
    """The bars of the whole market; a row that cannot be true is left out and logged. Raises ShapeError."""
    rows = _unadjusted_rows(page)
    row_of: dict[str, Body] = {}
    impossible: set[str] = set()
    for row in rows:
        symbol = row.get("T")
        if not isinstance(symbol, str):
            raise ShapeError("it has a bar without a symbol")
        if not _is_possible(row) or row_of.setdefault(symbol, row) != row:  # of two that differ none can be trusted
            impossible.add(symbol)
        elif _new_york_date(row["t"]) != on:
            raise ShapeError(f"it has a bar of {symbol} of {_new_york_date(row['t'])}")
    if len(impossible) * 2 > len(rows):
        raise ShapeError(f"{len(impossible)} of its {len(rows)} bars cannot be true")
    _log_left_out("bars", impossible)
    return BarsOfADay({symbol: row for symbol, row in row_of.items() if symbol not in impossible})


def splits(page: Body, start: date, end: date) -> list[Split]:
    """Splits in the vendor's order; a row that cannot be true is left out and logged. Raises ShapeError."""
    rows = _rows(page)
    listed = [split for row in rows if (split := _split(row))]
    for split in listed:
        if not start <= split.execution_date <= end:
            raise ShapeError(f"it has a split of {split.symbol} of {split.execution_date}")
    if len(listed) >= _A_MARKET_OF_SPLITS and len({split.symbol for split in listed}) == 1:
        raise ShapeError(f"all of its {len(listed)} splits are of {listed[0].symbol}")
    _log_left_out("splits", {str(row.get("ticker")) for row in rows if _split(row) is None})
    return listed


def status(page: Body) -> VendorStatus:
    """The vendor's clock. Raises ShapeError."""
    server_time = _text(page, "serverTime")
    if server_time is None:
        raise ShapeError("it has no serverTime")
    return VendorStatus(server_time)


def snapshots(page: Body) -> list[Snapshot]:
    """Where securities stand; one that the vendor does not know is not in it. Raises ShapeError."""
    rows = page.get("tickers")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ShapeError("it has no list of tickers")
    return [_snapshot(row) for row in rows]


# Rows


def _unadjusted_rows(page: Body) -> list[Body]:
    """The rows of bars. On a closed day the vendor leaves `results` out, or sends an empty list; both are true."""
    counted = page.get("resultsCount")
    if not isinstance(counted, int):
        raise ShapeError("it has no resultsCount")
    rows = _rows(page) if counted or "results" in page else []
    if bool(rows) != bool(counted):
        raise ShapeError(f"it has {len(rows)} bars and says {counted}")
    if rows and page.get("adjusted") is not False:
        raise ShapeError("its prices are adjusted for splits")
    return rows


def _rows(page: Body) -> list[Body]:
    rows = page.get("results")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ShapeError("it has no list of results")
    return rows


def _series_at_once(rows: Sequence[Body], symbol: str) -> BarSeries | None:
    """Rows as bars in their order, by the rules of `_bar` at a tenth of its cost; None if one wants a closer look."""
    try:
        values, times = list(chain.from_iterable(map(_VALUES, rows))), list(map(_TIME, rows))
    except KeyError:
        return None
    if not (_NUMBERS.issuperset(map(type, values)) and {*map(type, times)} <= {int} and values):
        return None
    numbers = array("d", values)
    volumes, prices = numbers[VOLUME::SIZE], numbers[:]
    del prices[VOLUME::SIZE]
    is_possible = min(prices) > 0 and min(volumes) >= 0 and max(numbers) < math.inf
    if not (is_possible and min(times) >= 0 and max(times) < _LAST_MS):
        return None
    return BarSeries(symbol, array("i", map(_new_york_ordinal, times)), numbers)


def _series(rows: Sequence[Body], symbol: str) -> BarSeries:
    """The bars of rows in their order. Raises ShapeError."""
    bars = [_bar(row, symbol) for row in rows]
    days = [bar.trading_date.toordinal() for bar in bars]
    numbers = [math.nan if number is None else number for bar in bars for number in values_of(bar)]
    return BarSeries(symbol, array("i", days), array("d", numbers))


def _bar(row: Body, symbol: str) -> Bar:
    vwap = row.get("vw")
    return Bar(
        symbol=symbol,
        trading_date=_new_york_date(_epoch_ms(row)),
        open_usd=_price(row, "o"),
        high_usd=_price(row, "h"),
        low_usd=_price(row, "l"),
        close_usd=_price(row, "c"),
        volume=_number(row, "v"),
        vwap_usd=None if vwap is None else _price(row, "vw"),
    )


def _is_possible(row: Body) -> bool:
    """Whether a bar can be made of the row; the same rules as `_bar`, at a tenth of its cost."""
    try:
        prices = (row["o"], row["h"], row["l"], row["c"])
        volume, epoch_ms = row["v"], row["t"]
    except KeyError:
        return False
    vwap = row.get("vw")
    values = prices if vwap is None else (*prices, vwap)
    if type(epoch_ms) is not int or not _NUMBERS.issuperset(map(type, (*values, volume))):
        return False
    return min(values) > 0 and max(values) < math.inf and 0 <= volume < math.inf and 0 <= epoch_ms < _LAST_MS


def _snapshot(row: Body) -> Snapshot:
    """Where one security stands. The vendor writes 0 for what there is not yet, as before the first trade of a day."""
    symbol = _text(row, "ticker")
    if symbol is None:
        raise ShapeError("it has a snapshot without a ticker")
    day, minute, previous = (row.get(name) or {} for name in ("day", "min", "prevDay"))
    day_open = _amount(day, "o")
    return Snapshot(
        symbol=symbol,
        minute=_last_minute(symbol, minute, day_open) if minute.get("t") else None,
        day_open_usd=day_open,
        day_close_usd=_amount(day, "c"),
        previous_close_usd=_amount(previous, "c"),
    )


def _last_minute(symbol: str, row: Body, day_open: float | None) -> MinuteBar:
    return MinuteBar(
        symbol,
        _epoch_ms(row),
        _price(row, "c"),
        _number(row, "v"),
        day_volume=_amount(row, "av"),
        day_open_usd=day_open,
    )


def _split(row: Body) -> Split | None:
    """The split, None if no share count could change like that."""
    try:
        return Split(
            symbol=_text(row, "ticker") or "",
            execution_date=_date(row, "execution_date"),
            split_from=_price(row, "split_from"),
            split_to=_price(row, "split_to"),
            factor=_factor(row),
        )
    except ShapeError:
        return None


def _factor(row: Body) -> float | None:
    """The adjustment factor of a split; one that cannot be true costs the witness, not the split."""
    try:
        return _amount(row, "historical_adjustment_factor")
    except ShapeError:
        return None


def _log_left_out(what: str, symbols: Collection[str]) -> None:
    if symbols:
        shown = ", ".join(sorted(symbols)[:_SHOWN]) + (", …" if len(symbols) > _SHOWN else "")
        logger.warning("left out %d %s that cannot be true: %s", len(symbols), what, shown)


# Fields


def _object(page: Body, field: str) -> Body:
    value = page.get(field)
    if not isinstance(value, dict):
        raise ShapeError(f"it has no {field}")
    return value


def _text(row: Body, field: str) -> str | None:
    """A text that may be absent."""
    value = row.get(field)
    if value is not None and not isinstance(value, str):
        raise ShapeError(f"its {field} is {value!r}")
    return value or None


def _number(row: Body, field: str) -> float:
    """A finite number, zero or more."""
    value = row.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ShapeError(f"its {field} is {value!r}")
    return float(value)


def _price(row: Body, field: str) -> float:
    """A finite number above zero."""
    value = _number(row, field)
    if value == 0:
        raise ShapeError(f"its {field} is 0")
    return value


def _amount(row: Body, field: str) -> float | None:
    """A number that may be absent; the vendor's 0 is an absent one too."""
    return None if row.get(field) is None else _number(row, field) or None


def _count(row: Body, field: str) -> int | None:
    """A count of shares that may be absent, as `_amount`."""
    amount = _amount(row, field)
    return None if amount is None else round(amount)


def _date(row: Body, field: str) -> date:
    value = row.get(field)
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ShapeError(f"its {field} is {value!r}") from error


def _epoch_ms(row: Body) -> int:
    """The time of a bar: 00:00 in New York in a range of days, 16:00 in a grouped day."""
    value = row.get("t")
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LAST_MS:
        raise ShapeError(f"its t is {value!r}")
    return value


@lru_cache(maxsize=16_384)  # the ranges of all lines have the same times
def _new_york_ordinal(epoch_ms: int) -> int:
    return _new_york_date(epoch_ms).toordinal()


@lru_cache(maxsize=64)  # a grouped day has one time, or a few, for its twelve thousand bars
def _new_york_date(epoch_ms: int) -> date:
    """The trading date of a daily bar. Raises ShapeError for a time at night.

    Trades of 21:00 to 24:00 belong to the next trading date under the exchanges' plans for longer hours
    (SR-NASDAQ-2025-109, 91 FR 1350): whether a bar that begins then is of its own day is not ours to guess.
    """
    moment = datetime.fromtimestamp(epoch_ms / 1000, NEW_YORK)
    if moment.time() >= AFTER_HOURS_CLOSE:
        raise ShapeError(f"it has a daily bar of {moment:%Y-%m-%d %H:%M} New York, after the day's last trade")
    return moment.date()


def _opening(data: bytes) -> str:
    """How a body that should be JSON starts."""
    return f"{len(data)} bytes: {data[:40].decode('utf-8', errors='replace')!r}"
