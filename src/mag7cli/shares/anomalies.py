"""The guard on every name: steps between two consecutive trading dates that nothing known explains. Repairs nothing.

A market cap moves with the close, with a split (which moves nothing) and with a new share count. What is left over is
flagged, with both candidate values, and makes the date suspect. The rules and their false alarms: docs/methodology.md.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal

from mag7cli.market.records import Split

Severity = Literal["info", "suspect", "error"]

# A merger of equals about doubles the count; what is above is no issue of shares, or one worth a look.
LARGE_STEP: Final = math.log(2.2)
"""From this log step of a count on something has to explain it."""
# Below this no rule looks at a step in the count: the filings of a quarter move it by less.
_ORDINARY_STEP: Final = math.log(1.3)
_NEAR_RATIO: Final = 0.005
# The close also moves with the market on the day of a split.
_NEAR_RATIO_CLOSE: Final = 0.04
_RATIOS: Final = tuple(math.log(ratio) for ratio in (1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50))
_SPLIT_NEIGHBOURHOOD: Final = timedelta(days=14)
_LONGEST_GAP: Final = timedelta(days=7)
_RETURNED: Final = math.log(1.1)
_SAME_COUNT: Final = 1e-6

INHERITED: Final = timedelta(days=100)
"""How long a doubt is inherited: within a quarter and the time until its report there is another count."""

REMEMBERED: Final = 2 * INHERITED
"""How long a doubt is remembered: a step back to what was there before it is no new one while that one would last."""


@dataclass(frozen=True, slots=True)
class DaySnapshot:
    """What the guard looks at: per ticker the unadjusted close (USD) and the company's shares outstanding.

    Where `closes_judged`, the share counts were held against the closes and the answers of the weeks around: a move of
    the close alone, or a step of the count in a round ratio, is then among the doubts, if nothing decided it.
    """

    trading_date: date
    by_ticker: Mapping[str, tuple[float, float]]
    closes_judged: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth knowing about a date: a row of `data_quality`. `from_value` and `to_value` are the candidates."""

    ticker: str | None
    kind: str
    severity: Severity
    field: str | None
    from_value: float | None
    to_value: float | None
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A doubt of the guard on the date of the step, with the company's shares outstanding after it."""

    on: date
    event: Event
    shares: float


def standing(raised: Iterable[Suspicion], current: DaySnapshot, splits: Mapping[str, Sequence[Split]]) -> list[Event]:
    """Which doubts of earlier dates a date inherits with the count: those about one that has been the same since.

    A later answer is another count, but for a split of those known. A step back to what was there before the doubt
    ends it, and is no new one.
    """
    latest: dict[str, Suspicion] = {}
    for suspicion in sorted(raised, key=lambda one: one.on):
        before = latest.pop(str(suspicion.event.ticker), None)
        if before is None or suspicion.on - before.on > INHERITED or not _is_return(before.event, suspicion.event):
            latest[str(suspicion.event.ticker)] = suspicion
    return [
        replace(one.event, reason=f"since {one.on} {one.event.reason}, and the count is still that one")
        for ticker, one in latest.items()
        if current.trading_date - one.on <= INHERITED and _is_inherited(one, current, splits.get(ticker, ()))
    ]


def _is_return(before: Event, event: Event) -> bool:
    if before.field != event.field or not before.from_value or not event.to_value:
        return False
    return abs(math.log(event.to_value / before.from_value)) <= _RETURNED


def _is_inherited(suspicion: Suspicion, current: DaySnapshot, splits: Sequence[Split]) -> bool:
    _, shares = current.by_ticker.get(str(suspicion.event.ticker), (0.0, 0.0))
    ratio = math.prod(row.ratio for row in splits if suspicion.on < row.execution_date <= current.trading_date)
    return abs(shares / (suspicion.shares * ratio) - 1) <= _SAME_COUNT


def check(previous: DaySnapshot | None, current: DaySnapshot, splits: Mapping[str, Sequence[Split]]) -> list[Event]:
    """The steps from `previous` to `current` that neither close, split nor new share count explains.

    `splits` are the known ones by ticker, de-duplicated. Two dates more than a week apart are not compared.
    """
    if previous is None or current.trading_date - previous.trading_date > _LONGEST_GAP:
        return []
    return list(_events(previous, current, splits))


def _events(previous: DaySnapshot, current: DaySnapshot, splits: Mapping[str, Sequence[Split]]) -> Iterator[Event]:
    for ticker, now in current.by_ticker.items():
        was = previous.by_ticker.get(ticker)
        if was is None or min(*now, *was) <= 0:
            continue
        known = splits.get(ticker, ())
        if not known and _is_ordinary(was, now):
            continue
        split = math.fsum(
            math.log(row.ratio) for row in known if previous.trading_date < row.execution_date <= current.trading_date
        )
        moves = _Moves(ticker, math.log(now[0] / was[0]) + split, math.log(now[1] / was[1]) - split, was, now)
        event = _judge(moves, current, known)
        if event:
            yield event


def _is_ordinary(was: tuple[float, float], now: tuple[float, float]) -> bool:
    """True for nearly every name on nearly every day: no rule looks at steps this small, so no logarithm is taken."""
    return 0.77 < now[1] / was[1] < 1.3 and 0.53 < now[0] / was[0] < 1.9


@dataclass(frozen=True, slots=True)
class _Moves:
    """Log steps of one name with the known split taken out: an ordinary day has a small `close` and no `shares`."""

    ticker: str
    close: float
    shares: float
    was: tuple[float, float]
    now: tuple[float, float]


def _judge(moves: _Moves, current: DaySnapshot, known: Sequence[Split]) -> Event | None:
    if abs(moves.shares) >= _ORDINARY_STEP:
        return _judge_shares(moves, current, known)
    if not current.closes_judged and is_split_sized(moves.close):
        return _close_event(
            moves,
            "unlisted_split",
            f"the close moved by {_times(moves.close)}, the size of a split, and no split is listed",
        )
    return None


def _judge_shares(moves: _Moves, current: DaySnapshot, known: Sequence[Split]) -> Event | None:
    if abs(moves.shares + moves.close) < _NEAR_RATIO_CLOSE and _near_ratio(moves.shares, _NEAR_RATIO_CLOSE):
        return _shares_event(
            moves,
            "unlisted_split",
            f"close and share count moved by {_times(moves.shares)} as in a split, none is listed",
        )
    for split in known:
        near = abs(split.execution_date - current.trading_date) <= _SPLIT_NEIGHBOURHOOD
        if near and abs(abs(moves.shares) - abs(math.log(split.ratio))) < _NEAR_RATIO_CLOSE:
            return _shares_event(
                moves,
                "split_misaligned",
                f"the share count moved by {_times(moves.shares)} apart from the split of {split.execution_date}",
            )
    is_round = not current.closes_judged and _near_ratio(moves.shares, _NEAR_RATIO)
    if abs(moves.shares) >= LARGE_STEP or is_round:
        return _shares_event(
            moves, "shares_step", f"the share count moved by {_times(moves.shares)} and nothing known explains it"
        )
    return None


def _near_ratio(move: float, tolerance: float) -> bool:
    return any(abs(abs(move) - ratio) < tolerance for ratio in _RATIOS)


def is_split_sized(close_move: float) -> bool:
    """True if a log step of the close, known splits taken out, looks like a split.

    Only a halving or more, or a doubling, counts: a close may fall by a third on bad news.
    """
    return abs(close_move) > math.log(1.9) and _near_ratio(close_move, _NEAR_RATIO_CLOSE)


def _times(move: float) -> str:
    return f"x{math.exp(move):.4g}"


def _shares_event(moves: _Moves, kind: str, reason: str) -> Event:
    return _event(moves, kind, "shares_outstanding", moves.was[1], moves.now[1], reason)


def _close_event(moves: _Moves, kind: str, reason: str) -> Event:
    return _event(moves, kind, "close_price", moves.was[0], moves.now[0], reason)


def _event(moves: _Moves, kind: str, field: str, was: float, now: float, reason: str) -> Event:
    cap_before, cap_after = moves.was[0] * moves.was[1], moves.now[0] * moves.now[1]
    evidence = (
        f"close {moves.was[0]:.6g} -> {moves.now[0]:.6g}, shares {moves.was[1]:.0f} -> {moves.now[1]:.0f}, "
        f"market cap {cap_before:.4g} -> {cap_after:.4g}"
    )
    return Event(moves.ticker, kind, "suspect", field, was, now, reason, evidence)
