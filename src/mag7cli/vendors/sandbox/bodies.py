"""JSON bodies of the simulated vendor, one function for each kind of object, key for key as the real one's."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from mag7cli.core.clock import NEW_YORK
from mag7cli.market import calendar
from mag7cli.market.records import Bar, Split, TickerDetails

_UTC: Final = ZoneInfo("UTC")
_YEAR: Final = 365
_FACTOR_DECIMALS: Final = 6
_SHARES_A_TRADE: Final = 80


def details(answer: TickerDetails, exchange: str) -> dict[str, Any]:
    """The `results` of ticker details; what is None is left out, as the vendor does."""
    root, _, suffix = answer.symbol.partition(".")
    body = {
        "ticker": answer.symbol,
        "name": answer.name,
        "market": "stocks",
        "locale": "us",
        "primary_exchange": exchange,
        "type": answer.security_type,
        "active": True,
        "currency_name": answer.currency,
        "cik": answer.cik,
        "composite_figi": answer.composite_figi,
        "share_class_figi": _class_figi(answer.composite_figi),
        "market_cap": answer.market_cap_usd,
        "description": answer.description,
        "ticker_root": root,
        "ticker_suffix": suffix or None,
        "list_date": answer.list_date.isoformat() if answer.list_date else None,
        "share_class_shares_outstanding": answer.share_class_shares,
        "weighted_shares_outstanding": answer.weighted_shares,
        "round_lot": 100,
    }
    return {key: value for key, value in body.items() if value is not None}


def listed(answer: TickerDetails, exchange: str, on: date) -> dict[str, Any]:
    """A row of the list of tickers: no market cap and no share counts."""
    fields = ("ticker", "name", "market", "locale", "primary_exchange", "type", "active", "currency_name", "cik")
    full = details(answer, exchange)
    row = {key: full[key] for key in (*fields, "composite_figi", "share_class_figi") if key in full}
    return {**row, "last_updated_utc": f"{on.isoformat()}T00:00:00Z"}


def split(event: Split) -> dict[str, Any]:
    """A row of the splits list."""
    return {**_split_head(event), "split_from": _whole(event.split_from), "split_to": _whole(event.split_to)}


def split_v1(event: Split, listed: Sequence[Split]) -> dict[str, Any]:
    """A row of the splits list's successor: with the cumulative factor over all that were `listed` since."""
    factor = 1.0
    for other in listed:
        if other.symbol == event.symbol and other.execution_date >= event.execution_date:
            factor /= other.ratio
    return {
        **_split_head(event),
        "split_from": event.split_from,
        "split_to": event.split_to,
        "adjustment_type": "forward_split" if event.ratio > 1 else "reverse_split",
        "historical_adjustment_factor": round(factor, _FACTOR_DECIMALS),
    }


def _split_head(event: Split) -> dict[str, Any]:
    digest = hashlib.sha256(f"{event}".encode()).hexdigest()
    return {"id": f"E{digest}", "ticker": event.symbol, "execution_date": event.execution_date.isoformat()}


def bar(day: Bar, factor: float, *, at_close: bool) -> dict[str, Any]:
    """A row of aggregates, adjusted by `factor`. Stamped 16:00 New York with its symbol, or 00:00 without."""
    row = {
        "v": day.volume,
        "vw": day.vwap_usd,
        "o": day.open_usd,
        "c": day.close_usd,
        "h": day.high_usd,
        "l": day.low_usd,
        "t": _timestamp_ms(day.trading_date, 16 if at_close else 0),
        "n": _trades(day),
    }
    if factor != 1.0:
        row |= {key: round((row[key] or 0.0) / factor, 4) for key in ("vw", "o", "c", "h", "l")}
        row["v"] = day.volume * factor
    return {"T": day.symbol, **row} if at_close else row


def open_close(day: Bar, factor: float) -> dict[str, Any]:
    """The flat body of the daily open and close."""
    row = bar(day, factor, at_close=False)
    return {
        "status": "OK",
        "from": day.trading_date.isoformat(),
        "symbol": day.symbol,
        "open": row["o"],
        "high": row["h"],
        "low": row["l"],
        "close": row["c"],
        "volume": row["v"],
        "afterHours": row["c"],
        "preMarket": row["o"],
    }


def market_status(now: datetime) -> dict[str, Any]:
    """The vendor's clock and what is open at it."""
    session = calendar.is_session(now.date())
    early, late = session and time(4) <= now.time() < time(9, 30), session and time(16) <= now.time() < time(20)
    is_open = session and time(9, 30) <= now.time() and now < calendar.session_close(now.date())
    word = "open" if is_open else "extended-hours" if early or late else "closed"
    return {
        "market": word,
        "earlyHours": early,
        "afterHours": late,
        "serverTime": now.isoformat(timespec="seconds"),
        "exchanges": {"nyse": word, "nasdaq": word, "otc": word},
        "currencies": {"fx": "open", "crypto": "open"},
    }


def upcoming(today: date) -> list[dict[str, Any]]:
    """Closures from `today` to a year ahead, one row for each exchange; nothing of the past."""
    rows: list[dict[str, Any]] = []
    for day in (today + timedelta(days=offset) for offset in range(_YEAR)):
        rows += [{"exchange": exchange, **closure} for closure in _closure(day) for exchange in ("NYSE", "NASDAQ")]
    return rows


def _closure(day: date) -> list[dict[str, Any]]:
    """What is special about a weekday, in the vendor's words; nothing for most."""
    saturday = 5
    if day.weekday() >= saturday:
        return []
    reason = calendar.why_closed(day)
    if reason:
        return [{"name": reason, "date": day.isoformat(), "status": "closed"}]
    close = calendar.session_close(day)
    if close.time() == calendar.REGULAR_CLOSE:
        return []
    opening = datetime.combine(day, time(9, 30), tzinfo=NEW_YORK)
    hours = {"open": _zulu(opening), "close": _zulu(close)}
    return [{"name": "Early close", "date": day.isoformat(), "status": "early-close", **hours}]


def _zulu(moment: datetime) -> str:
    return moment.astimezone(_UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


@lru_cache(maxsize=4096)
def _timestamp_ms(day: date, hour: int) -> int:
    return int(datetime.combine(day, time(hour), tzinfo=NEW_YORK).timestamp() * 1000)


def _class_figi(composite_figi: str | None) -> str | None:
    return f"{composite_figi[:-1]}S" if composite_figi else None


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _trades(day: Bar) -> int:
    return int(day.volume / _SHARES_A_TRADE) + 1
