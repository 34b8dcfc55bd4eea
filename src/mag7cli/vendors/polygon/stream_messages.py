"""Frames of the vendor's stream as records; pure. A frame is a JSON list of messages, each named by its `ev`.

A message that cannot be true costs only itself, a frame that cannot be read only that frame: what was lost of a minute
comes again, or with the next one.
"""

import math
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard

import orjson

from mag7cli.market.intraday import MinuteBar, TradingHalt

_LAST_MS: Final = 4_102_444_800_000  # 2100-01-01
_NUMBERS: Final = frozenset({int, float})
# Indicators of the limit up, limit down channel; sent for securities listed on Nasdaq only.
_HALTED: Final = 17
_RESUMED: Final = 18


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """What the server says of the connection itself, in its own words."""

    status: str
    text: str = field(repr=False)


@dataclass(slots=True)
class Frame:
    """The messages of one frame; `rejected` is how many cannot be true, a whole unreadable frame being one."""

    bars: list[MinuteBar] = field(default_factory=list)
    halts: list[TradingHalt] = field(default_factory=list)
    statuses: list[StatusMessage] = field(default_factory=list)
    rejected: int = 0


def parse(data: str | bytes) -> Frame:
    """The messages in a frame; those of channels that nobody subscribed to are left out."""
    try:
        messages = orjson.loads(data)
    except orjson.JSONDecodeError:
        return Frame(rejected=1)
    if not isinstance(messages, list):
        return Frame(rejected=1)
    frame = Frame()
    for message in messages:
        if not isinstance(message, dict) or not _take(frame, message):
            frame.rejected += 1
    return frame


def _take(frame: Frame, message: dict[str, Any]) -> bool:
    """Put a message where it belongs; False if it cannot be true."""
    event = message.get("ev")
    if event == "AM":
        bar = _bar(message)
        if bar is not None:
            frame.bars.append(bar)
        return bar is not None
    if event == "LULD":
        halt = _halt(message)
        if halt is not None:
            frame.halts.append(halt)
        return _is_instant(message.get("t"))
    if event == "status":
        frame.statuses.append(StatusMessage(str(message.get("status", "")), str(message.get("message", ""))))
        return True
    return isinstance(event, str)


def _bar(message: dict[str, Any]) -> MinuteBar | None:
    symbol, start_ms, close, volume = message.get("sym"), message.get("s"), message.get("c"), message.get("v")
    if not isinstance(symbol, str) or not _is_instant(start_ms) or not _is_price(close) or not _is_amount(volume):
        return None
    day_volume, day_open = message.get("av"), message.get("op")
    return MinuteBar(
        symbol,
        start_ms,
        close,
        volume,
        day_volume=day_volume if _is_amount(day_volume) else None,
        day_open_usd=day_open if _is_price(day_open) else None,
    )


def _halt(message: dict[str, Any]) -> TradingHalt | None:
    """The halt or its end; None for a message that says neither, as most of this channel do."""
    symbol, at_ms, indicators = message.get("T"), message.get("t"), message.get("i")
    if not isinstance(symbol, str) or not _is_instant(at_ms) or not isinstance(indicators, list):
        return None
    if _HALTED in indicators:
        return TradingHalt(symbol, at_ms, is_halted=True)
    return TradingHalt(symbol, at_ms, is_halted=False) if _RESUMED in indicators else None


def _is_instant(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 < value < _LAST_MS


def _is_amount(value: Any) -> TypeGuard[float]:
    return type(value) in _NUMBERS and 0 <= value < math.inf


def _is_price(value: Any) -> TypeGuard[float]:
    return type(value) in _NUMBERS and 0 < value < math.inf
