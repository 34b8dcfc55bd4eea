"""A session of a small simulated market, its vendor over HTTP and WebSocket, and a clock that runs faster than ours."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from tests.simulators.invented_market import invented_market

from mag7cli.core.clock import SystemClock, running_now
from mag7cli.market import calendar, symbology
from mag7cli.vendors.sandbox.intraday import Oddities, SimulatedSession
from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.plan import PLANS
from mag7cli.vendors.sandbox.server import DEFAULT_KEY, SandboxServer
from mag7cli.vendors.sandbox.stream import StreamFault, StreamServer

DAY = date(2022, 11, 25)  # the day after Thanksgiving: the session ends at 13:00


@cache
def market() -> Market:
    return invented_market(3, lines=40, start=date(2022, 1, 3), end=date(2022, 12, 30))


def document(on: date = DAY, *, at_close: bool = False) -> Any:
    """What the lake would have of the session before `on`, or of `on` itself: closes and true share counts."""
    day = on if at_close else calendar.previous_session(on)
    truth = market().truth
    lines = truth.listed(day)
    counted = set(truth.counted(lines))
    rows = [
        {
            "ticker": ticker,
            "symbol": truth.symbol(ticker, day),
            "cik": truth.line(ticker).cik,
            "close_price": truth.close(ticker, day),
            "shares_outstanding": float(truth.shares(ticker, day)),
            "market_cap": float(truth.market_cap(ticker, day)),
            "counted": ticker in counted,
        }
        for ticker in lines
    ]
    caps = {row["ticker"]: row["market_cap"] for row in rows}
    metrics = {
        "total_mag7_market_cap": sum(caps[ticker] for ticker in symbology.MAGNIFICENT_7),
        "sp500_total_market_cap": sum(row["market_cap"] for row in rows if row["counted"]),
        "mag7_pct_of_sp500": truth.mag7_pct(day),
        "mag7_companies_count": 7,
    }
    return {
        "trading_date": day.isoformat(),
        "data_collection_time": f"{day}T21:00:00-05:00",
        "companies": {
            ticker: {"name": f"{ticker} Inc.", "market_cap": caps[ticker], "shares_outstanding": 1.0}
            for ticker in symbology.MAGNIFICENT_7
        },
        "rankings": {"by_market_cap": []},
        "concentration_metrics": metrics,
        "sp500_details": {"constituents": rows, "failed_tickers": [], "failed_count": 0},
        "source": {"vendor": "polygon", "method": "grouped", "version": "1", "simulated": True},
    }


@dataclass(frozen=True, slots=True)
class LiveMarket:
    """Both servers of one session, and the environment by which `mag7` finds them."""

    session: SimulatedSession
    stream: StreamServer
    rest: SandboxServer
    clock: SystemClock
    environ: dict[str, str]


@contextmanager
def live_market(
    *,
    on: date = DAY,
    start: str = "09:25",
    speed: float = 2400,
    plan: str = "advanced",
    oddities: Oddities | None = None,
    faults: Iterable[StreamFault] = (),
    key: str = DEFAULT_KEY,
) -> Iterator[LiveMarket]:
    """Serve a session whose clock shows `start` now."""
    session = SimulatedSession(market().grouped_bars(on), on, 7, oddities)
    began = datetime.combine(on, datetime.strptime(start, "%H:%M").time(), tzinfo=session.hours.open.tzinfo)  # noqa: DTZ007
    now = running_now(began, time.time(), speed)
    clock = SystemClock(now)
    feed = PLANS[plan].stream
    delay = 15 if feed == "delayed" else 0
    stream_server = StreamServer(
        session, clock.now, key=key, is_in_plan=feed is not None, delay_minutes=delay, faults=faults
    )
    rest_server = SandboxServer(market(), key=key, plan=PLANS[plan], clock=clock.now, session=session)
    with stream_server as stream, rest_server as rest:
        environ = {
            "MAG7_NOW": now,
            "POLYGON_API_KEY": key,
            "POLYGON_BASE_URL": rest.url,
            "POLYGON_STREAM_URL": stream.url,
            "MAG7_PLAN": plan,
        }
        yield LiveMarket(session, stream, rest, clock, environ)


def minute_of(session: SimulatedSession, text: str) -> int:
    """The minute of the session, counted from the pre-market's opening, at an hour such as 10:30."""
    hour, minute = map(int, text.split(":"))
    return session.minute_at(session.hours.open.replace(hour=hour, minute=minute) + timedelta(milliseconds=1))
