"""What the simulated vendor answers to a path and a query: status and JSON body, in the real one's shapes.

Shapes, defaults and texts are the vendor's, quirks included: a closed day has no `results` at all, prices are adjusted
unless asked otherwise, a range is clipped to the plan without a word. Knows no sockets, no keys and no rates.
"""

import base64
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlencode

import orjson

from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import TickerNotFoundError
from mag7cli.market.records import Bar, Split, TickerDetails
from mag7cli.vendors.sandbox import bodies
from mag7cli.vendors.sandbox.intraday import SimulatedSession
from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.plan import Plan

Query = Mapping[str, str]
Rows = Sequence[Mapping[str, Any]]

_DELAY_MINUTES: Final = 15
_BARS_LIMIT: Final = 5_000
_MOST_BARS: Final = 50_000
_LIST_LIMIT: Final = 100
_SPLITS_LIMIT: Final = 10
_MOST_ROWS: Final = 1_000
_MOST_SPLITS_V1: Final = 5_000


@dataclass(frozen=True, slots=True)
class Response:
    """A response before it is sent."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Answers:
    """The vendor's endpoints over a market, as a plan sees them at `now`. Safe to share between threads."""

    def __init__(
        self, market: Market, plan: Plan, clock: Callable[[], datetime], session: SimulatedSession | None = None
    ) -> None:
        self._market, self._plan, self._clock, self._session = market, plan, clock, session
        self._requests = itertools.count(1)
        self.base_url = ""

    @property
    def _now(self) -> datetime:
        return self._clock().astimezone(NEW_YORK)

    @property
    def _first(self) -> date:
        return self._plan.first_day(self._now)

    @property
    def _last(self) -> date:
        return self._plan.last_day(self._now)

    def to(self, target: str) -> Response:
        """The answer to a request target, `/path?query`."""
        path, _, text = target.partition("?")
        query = dict(parse_qsl(text)) if text else {}
        try:
            return self._route(unquote(path), query)
        except TickerNotFoundError:
            return self._refuse(404, "NOT_FOUND", "Ticker not found.")
        except ValueError as error:
            return self._refuse(400, "ERROR", f"Bad parameter: {error}")

    def _route(self, path: str, query: Query) -> Response:
        match path.split("/")[1:]:
            case ["v3", "reference", "tickers", symbol]:
                return self._details(symbol, query)
            case ["v2", "aggs", "ticker", symbol, "range", "1", "day", first, last]:
                return self._range(symbol, _day(first), _day(last), query)
            case ["v2", "aggs", "grouped", "locale", "us", "market", "stocks", day]:
                return self._grouped(date.fromisoformat(day), query)
            case ["v2", "aggs", "ticker", symbol, "prev"]:
                return self._previous(symbol, query)
            case ["v1", "open-close", symbol, day]:
                return self._open_close(symbol, date.fromisoformat(day), query)
            case ["v3", "reference", "splits"]:
                return self._splits(path, query)
            case ["stocks", "v1", "splits"]:
                return self._splits_v1(path, query)
            case ["v3", "reference", "tickers"]:
                return self._tickers(path, query)
            case ["v1", "marketstatus", "now"]:
                return _ok(bodies.market_status(self._now))
            case ["v1", "marketstatus", "upcoming"]:
                return _ok(self._upcoming)
            case [("v2" | "v3"), "snapshot", *_] if not self._plan.snapshots:
                return self._not_authorized("You are not entitled to this data. Please upgrade your plan")
            case ["v2", "snapshot", "locale", "us", "markets", "stocks", "tickers"] if self._session:
                return self._snapshots(self._session, query)
        return Response(404, b"404 page not found", "text/plain")

    # Reference

    def _details(self, symbol: str, query: Query) -> Response:
        on = date.fromisoformat(query["date"]) if "date" in query else self._now.date()
        details = self._market.details(symbol, on, known_until=self._last)
        body = {"request_id": self._request_id(), "results": self._details_body(details), "status": "OK"}
        return Response(200, orjson.dumps(body))

    def _details_body(self, details: TickerDetails) -> dict[str, Any]:
        return bodies.details(details, self._market.exchange(details.symbol, details.on))

    def _tickers(self, path: str, query: Query) -> Response:
        query = _resumed(query)
        on = date.fromisoformat(query["date"]) if "date" in query else self._now.date()
        ticker = query.get("ticker")
        if query.get("active", "true") != "true":
            return self._page(path, [], query, _LIST_LIMIT, _MOST_ROWS)
        symbols = sorted(self._market.listed(on), reverse=query.get("order") == "desc")
        listed = [self._market.details(symbol, on) for symbol in symbols if ticker in (None, symbol)]
        rows = [
            bodies.listed(details, self._market.exchange(details.symbol, on), on)
            for details in listed
            if query.get("type") in (None, details.security_type) and query.get("cik") in (None, details.cik)
        ]
        return self._page(path, rows, query, _LIST_LIMIT, _MOST_ROWS)

    def _splits(self, path: str, query: Query) -> Response:
        query = _resumed(query)
        splits = self._splits_found(query)
        rows = [bodies.split(split) for split in (reversed(splits) if query.get("order") == "asc" else splits)]
        return self._page(path, rows, query, _SPLITS_LIMIT, _MOST_ROWS)

    def _splits_v1(self, path: str, query: Query) -> Response:
        """The successor: it ignores `order` and sorts by `sort`."""
        query = _resumed(query)
        splits = self._splits_found(query)
        ascending = query.get("sort") == "execution_date.asc"
        rows = [bodies.split_v1(split, splits) for split in (reversed(splits) if ascending else splits)]
        return self._page(path, rows, query, _LIST_LIMIT, _MOST_SPLITS_V1)

    def _splits_found(self, query: Query) -> list[Split]:
        return [split for split in self._market.splits(date.min, self._now.date()) if _matches(split, query)]

    @cached_property
    def _upcoming(self) -> Rows:
        """The holidays and early closes of the year ahead, one row for each exchange."""
        return bodies.upcoming(self._now.date())

    # Prices

    def _range(self, symbol: str, first: date, last: date, query: Query) -> Response:
        """Daily bars, clipped to the plan without a word; all before its history is refused."""
        if last < self._first:
            return self._too_old()
        if self._plan.end_of_day and first >= self._now.date():
            return self._too_early()
        bars = self._market.bars(symbol, max(first, self._first), min(last, self._last))
        if query.get("sort") == "desc":
            bars.reverse()
        bars = bars[: min(int(query.get("limit", _BARS_LIMIT)), _MOST_BARS)]
        rows = self._bar_rows(bars, query, at_close=False)
        return self._aggregates(rows, query, ticker=symbol)

    def _grouped(self, on: date, query: Query) -> Response:
        if on < self._first:
            return self._too_old()
        if self._plan.end_of_day and on >= self._now.date():
            return self._too_early()
        bars = list(self._market.grouped_bars(on).values()) if on <= self._last else []
        return self._aggregates(self._bar_rows(bars, query, at_close=True), query)

    def _previous(self, symbol: str, query: Query) -> Response:
        bars = self._market.bars(symbol, self._last, self._last)
        return self._aggregates(self._bar_rows(bars, query, at_close=True), query, ticker=symbol)

    def _open_close(self, symbol: str, on: date, query: Query) -> Response:
        if on < self._first:
            return self._too_old()
        if self._plan.end_of_day and on >= self._now.date():
            return self._too_early()
        bars = self._market.bars(symbol, on, on) if on <= self._last else []
        if not bars:
            return self._refuse(404, "NOT_FOUND", "Data not found.")
        factor = self._adjustment(bars[0]) if _is_adjusted(query) else 1.0
        return _ok(bodies.open_close(bars[0], factor))

    def _bar_rows(self, bars: Sequence[Bar], query: Query, *, at_close: bool) -> list[dict[str, Any]]:
        if not _is_adjusted(query):
            return [bodies.bar(bar, 1.0, at_close=at_close) for bar in bars]
        return [bodies.bar(bar, self._adjustment(bar), at_close=at_close) for bar in bars]

    def _adjustment(self, bar: Bar) -> float:
        """New shares for one old share, over all splits after the bar until now."""
        factor = 1.0
        ticker = self._market.ticker_of(bar.symbol, bar.trading_date)
        for split in self._splits_by_ticker.get(ticker or "", ()):
            if bar.trading_date < split.execution_date <= self._now.date():
                factor *= split.ratio
        return factor

    @cached_property
    def _splits_by_ticker(self) -> Mapping[str, list[Split]]:
        by_ticker: dict[str, list[Split]] = {}
        for split in self._market.truth.splits():
            by_ticker.setdefault(split.symbol, []).append(split)
        return by_ticker

    def _aggregates(self, rows: Rows, query: Query, ticker: str | None = None) -> Response:
        """Without rows there is no `results`: that is how the vendor says that there was no session."""
        body: dict[str, Any] = {"ticker": ticker} if ticker else {}
        body |= {"queryCount": len(rows), "resultsCount": len(rows), "adjusted": _is_adjusted(query)}
        if rows:
            body |= {"results": rows}
        body |= {"status": self._plan.status, "request_id": self._request_id(), "count": len(rows)}
        return _ok(body)

    def _snapshots(self, session: SimulatedSession, query: Query) -> Response:
        """Where the symbols stand; unknown ones are left out without a word."""
        late = _DELAY_MINUTES if self._plan.stream == "delayed" else 0
        minute = session.minute_at(self._now) - late
        symbols = query["tickers"].split(",") if query.get("tickers") else list(session.bars)
        rows = [row for symbol in symbols if (row := session.snapshot(symbol, minute))]
        return _ok({"status": self._plan.status, "request_id": self._request_id(), "count": len(rows), "tickers": rows})

    # Pages and refusals

    def _page(self, path: str, rows: Rows, query: Query, limit: int, most: int) -> Response:
        """One page, and the address of the next one: on this server, with a cursor, without the key."""
        size = min(max(int(query.get("limit", limit)), 1), most)
        start = int(query.get("page_start", 0))
        part = rows[start : start + size]
        body: dict[str, Any] = {"results": part, "status": "OK", "request_id": self._request_id(), "count": len(part)}
        if start + size < len(rows):
            text = urlencode({**query, "page_start": start + size})
            cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
            body["next_url"] = f"{self.base_url}{path}?cursor={cursor}"
        return _ok(body)

    def _too_old(self) -> Response:
        return self._not_authorized("Your plan doesn't include this data timeframe. Please upgrade your plan")

    def _too_early(self) -> Response:
        return self._not_authorized("Attempted to request today's data before end of day. Please upgrade your plan")

    def _not_authorized(self, message: str) -> Response:
        return self._refuse(403, "NOT_AUTHORIZED", f"{message} at https://polygon.io/pricing")

    def _refuse(self, status: int, word: str, message: str) -> Response:
        body = {"status": word, "request_id": self._request_id(), "message": message}
        return Response(status, orjson.dumps(body))

    def _request_id(self) -> str:
        return f"{next(self._requests):032x}"


def unknown_key() -> Response:
    """The vendor's 401."""
    body = {"status": "ERROR", "request_id": "0" * 32, "error": "Unknown API Key"}
    return Response(401, orjson.dumps(body))


def too_many_requests(retry_after: str | None = None) -> Response:
    """The vendor's 429, with a Retry-After header if one is given."""
    text = "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue."
    body = {"status": "ERROR", "request_id": "0" * 32, "error": f"{text} https://polygon.io/pricing"}
    return Response(429, orjson.dumps(body), headers=(("Retry-After", retry_after),) if retry_after else ())


def _ok(body: Any) -> Response:
    return Response(200, orjson.dumps(body))


def _day(text: str) -> date:
    """A date of a range: as a date, or as epoch milliseconds."""
    if text.isdigit():
        return datetime.fromtimestamp(int(text) / 1000, tz=NEW_YORK).date()
    return date.fromisoformat(text)


def _is_adjusted(query: Query) -> bool:
    return query.get("adjusted", "true").lower() != "false"


def _resumed(query: Query) -> Query:
    """The query that a cursor stands for."""
    cursor = query.get("cursor")
    if not cursor:
        return query
    text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    return {**dict(parse_qsl(text)), **{key: value for key, value in query.items() if key != "cursor"}}


def _matches(split: Split, query: Query) -> bool:
    """The filters of the splits endpoints."""
    on = split.execution_date.isoformat()
    is_of_ticker = query.get("ticker") in (None, split.symbol)
    is_of_kind = query.get("reverse_split") in (None, "true" if split.ratio < 1 else "false")
    bounds = (
        on >= query.get("execution_date.gte", on),
        on > query.get("execution_date.gt", ""),
        on <= query.get("execution_date.lte", on),
        on < query.get("execution_date.lt", "9999"),
        on == query.get("execution_date", on),
    )
    return is_of_ticker and is_of_kind and all(bounds)
