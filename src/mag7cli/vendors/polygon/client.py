"""The requests, as the vendor's client spells them; the only module that imports the client.

The vendor renamed its package to `massive`, with the same classes and methods for all that is asked here, and develops
only that one: it is used where it is installed (`mag7cli[massive]`). One suite of tests runs over both. The client is
asked for raw answers: what it decodes it decodes leniently (`[]` for a body that is no JSON). It is given no key: the
transport signs.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Final, Literal, cast
from urllib.parse import parse_qsl, urlsplit

from mag7cli.vendors.polygon.transport import Transport
from mag7cli.vendors.polygon.wire import HttpAnswer, NotOkError

ClientName = Literal["massive", "polygon-api-client"]

_SPLITS_V1: Final = "/stocks/v1/splits"
_MOST_BARS: Final = 50_000
_MOST_SPLITS_V3: Final = 1_000
_MOST_SPLITS_V1: Final = 5_000


class VendorClient:
    """One method for each request; none raises for a status. Safe to share between threads.

    Every method may raise NoAnswerError.

    Args:
        transport: Sends, and signs.
        base_url: The vendor's address.
        name: Which of the vendor's clients; by default the maintained one where it is installed.
    """

    def __init__(self, transport: Transport, base_url: str, name: ClientName | None = None) -> None:
        name = name or installed()
        self.version = f"{name} {version(name)}"
        self._transport = transport
        self._base_url = base_url
        rest_client = _rest_client(name)
        _keep_signature(rest_client.get_ticker_details)
        self._client: Any = rest_client(api_key="signed-by-the-transport", base=base_url, retries=0, trace=False)
        self._client.client = transport

    def details(self, symbol: str, on: date) -> HttpAnswer:
        """GET /v3/reference/tickers/{symbol}"""
        return _raw(lambda: self._client.get_ticker_details(symbol, date=on.isoformat(), raw=True))

    def bars(self, symbol: str, start: date, end: date) -> HttpAnswer:
        """GET /v2/aggs/ticker/{symbol}/range/1/day/{start}/{end}"""
        days = (start.isoformat(), end.isoformat())
        options = {"adjusted": False, "sort": "asc", "limit": _MOST_BARS}
        return _raw(lambda: self._client.get_aggs(symbol, 1, "day", *days, **options, raw=True))

    def grouped(self, on: date) -> HttpAnswer:
        """GET /v2/aggs/grouped/locale/us/market/stocks/{on}"""
        return _raw(lambda: self._client.get_grouped_daily_aggs(on.isoformat(), adjusted=False, raw=True))

    def splits(self, start: date, end: date) -> HttpAnswer:
        """GET /v3/reference/splits, which the vendor's documentation calls deprecated."""
        days = {"execution_date_gte": start.isoformat(), "execution_date_lte": end.isoformat()}
        options = {"limit": _MOST_SPLITS_V3, "sort": "execution_date", "order": "asc"}
        return _raw(lambda: self._client.list_splits(**days, **options, raw=True))

    def splits_v1(self, start: date, end: date) -> HttpAnswer:
        """GET /stocks/v1/splits, the successor, which this client does not have."""
        days = {"execution_date.gte": start.isoformat(), "execution_date.lte": end.isoformat()}
        options = {"limit": str(_MOST_SPLITS_V1), "sort": "execution_date.asc"}  # it ignores `order`
        return self._get(_SPLITS_V1, days | options)

    def snapshots(self, symbols: Sequence[str]) -> HttpAnswer:
        """GET /v2/snapshot/locale/us/markets/stocks/tickers"""
        return _raw(lambda: self._client.get_snapshot_all("stocks", tickers=list(symbols), raw=True))

    def status(self) -> HttpAnswer:
        """GET /v1/marketstatus/now"""
        return _raw(lambda: self._client.get_market_status(raw=True))

    def next_page(self, next_url: str) -> HttpAnswer:
        """The page that an answer pointed to: on our own host whatever host it named, and without a key in it."""
        parts = urlsplit(next_url)
        return self._get(parts.path, {name: value for name, value in parse_qsl(parts.query) if name != "apiKey"})

    def close(self) -> None:
        """Let go of the connections."""
        self._transport.close()

    def _get(self, path: str, fields: Mapping[str, str]) -> HttpAnswer:
        """What the client has no method for, sent as it sends the rest."""
        return _raw(lambda: self._transport.request("GET", self._base_url + path, fields, self._client.headers))


def installed() -> ClientName:
    """The client that is used where none is named: the maintained one, if it is there."""
    return "massive" if find_spec("massive") else "polygon-api-client"


def _rest_client(name: ClientName) -> Any:
    if name == "massive":
        from massive import RESTClient
    else:
        from polygon import RESTClient
    return RESTClient


def _keep_signature(method: Any) -> None:
    """Have a method's signature computed once: the client asks for it with every call, an eighth of the call's time."""
    method.__signature__ = inspect.signature(method)


def _raw(ask: Callable[[], Any]) -> HttpAnswer:
    """The transport's own answer; for all but 200 the client would keep the text and lose the status."""
    try:
        return cast("HttpAnswer", ask())
    except NotOkError as refusal:
        return refusal.answer
