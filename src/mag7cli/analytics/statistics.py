"""Contribution, co-movement and projection of the share: arithmetic over plain sequences.

Knows nothing of tables, dates' origin or drawing. Money is in USD, shares are percent 0-100, and a difference of two
percentages is in percentage points. Each formula, with its source: docs/methodology.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from mag7cli.analytics.value_changes import Point
from mag7cli.core.errors import UsageError

MONTH_SESSIONS: Final = 21
QUARTER_SESSIONS: Final = 63
YEAR_SESSIONS: Final = 252

# 80 %: an interval that is missed one time in five can be checked by its reader within a few months.
INTERVAL_PCT: Final = 80.0
# Fewer outcomes calibrate nothing; fewer trials, or a record further from the label, prove nothing.
_FEWEST_OUTCOMES: Final = 8
_FEWEST_TRIALS: Final = 12
_RECORD_WITHIN_PCT: Final = 10.0
_DAYS_PER_SESSION: Final = 365.25 / YEAR_SESSIONS


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One date: the market caps (USD) of the Mag 7 by ticker, and of the whole index."""

    on: date
    caps: Mapping[str, float]
    total: float

    @property
    def mag7(self) -> float:
        """The market cap of the Mag 7."""
        return math.fsum(self.caps.values())

    @property
    def share_pct(self) -> float:
        """The Mag 7 in percent of the index."""
        return 100 * self.mag7 / self.total


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one of the Mag 7 did between two dates.

    `cap_change_usd`: what its market cap gained. `share_points`: what its share of the index gained; these sum to the
    change of the share of the Mag 7. `gain_pct`: its part of the index's gain; None where the index did not move.
    """

    ticker: str
    cap_change_usd: float
    share_points: float
    gain_pct: float | None


def contributions(then: Snapshot, now: Snapshot) -> list[Contribution]:
    """What each company contributed from `then` to `now`, the largest gain first; one that is absent counts as 0."""
    index_gain = now.total - then.total
    gains = []
    for ticker in now.caps.keys() | then.caps.keys():
        before, cap = then.caps.get(ticker, 0.0), now.caps.get(ticker, 0.0)
        gain_pct = 100 * (cap - before) / index_gain if index_gain else None
        share_points = 100 * (cap / now.total - before / then.total)
        gains.append(Contribution(ticker, cap - before, share_points, gain_pct))
    return sorted(gains, key=lambda item: (-item.cap_change_usd, item.ticker))


def share_without(snapshot: Snapshot, ticker: str) -> float:
    """The share of the others in an index from which `ticker` is taken out altogether, percent."""
    cap = snapshot.caps[ticker]
    return 100 * (snapshot.mag7 - cap) / (snapshot.total - cap)


@dataclass(frozen=True, slots=True)
class CoMovement:
    """How the share moved with the index over the window that ends `on`.

    `correlation` is in -1..1, `beta` is the relative change of the share that went with one percent of the index.
    """

    on: date
    correlation: float
    beta: float


def co_movement(
    share: Sequence[Point[float]], index: Sequence[Point[float]], window: int = QUARTER_SESSIONS
) -> list[CoMovement]:
    """Rolling correlation and beta of the share's daily log changes to the index's; one per full window.

    The two series have the same dates. A window in which one of them does not move has neither, and is left out.
    """
    import numpy as np  # slow to import: only where it is used
    from numpy.lib.stride_tricks import sliding_window_view

    if [point.on for point in share] != [point.on for point in index]:
        raise UsageError("the share and the index are to be compared on the same dates")
    if len(share) <= window:
        return []
    share_moves, index_moves = (
        moves - moves.mean(axis=1, keepdims=True)
        for moves in (sliding_window_view(np.array(log_changes(series)), window) for series in (share, index))
    )
    joint = (share_moves * index_moves).sum(axis=1)
    of_share, of_index = (share_moves**2).sum(axis=1), (index_moves**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation, beta = joint / np.sqrt(of_share * of_index), joint / of_index
    windows = zip([point.on for point in share[window:]], correlation.tolist(), beta.tolist(), strict=True)
    return [CoMovement(on, corr, slope) for on, corr, slope in windows if math.isfinite(corr) and math.isfinite(slope)]


def log_changes(series: Sequence[Point[float]]) -> list[float]:
    """ln(value / value before), one fewer than the points."""
    return [math.log(after.value / before.value) for before, after in pairwise(series)]


@dataclass(frozen=True, slots=True)
class Projected:
    """`sessions` ahead: the middle of the projected share and the interval that holds it INTERVAL_PCT of the time.

    `on` is the calendar date that many sessions ahead, roughly: 252 of them in a year.
    """

    on: date
    sessions: int
    low_pct: float
    middle_pct: float
    high_pct: float


@dataclass(frozen=True, slots=True)
class Projection:
    """The last share as the middle, an interval calibrated on what came of earlier ones, and how such intervals did.

    `hits` of `trials` past intervals, `tested_sessions` ahead, held the share that came.
    """

    points: tuple[Projected, ...]
    observations: int
    hits: int
    trials: int
    tested_sessions: int


def project(share: Sequence[Point[float]], horizon: int = QUARTER_SESSIONS) -> Projection | None:
    """The share, percent, up to `horizon` sessions ahead, in steps of a month.

    None where no interval is known that does what it says: with too few outcomes to calibrate it and to test it by, if
    its record is not about INTERVAL_PCT, or if the share was ever nothing or everything.
    """
    if not all(0 < point.value < 100 for point in share):
        return None
    odds = [_log_odds(point.value) for point in share]
    moves = _past_moves(odds, horizon)
    hits, trials = _record(moves, horizon)
    if trials < _FEWEST_TRIALS or abs(100 * hits / trials - INTERVAL_PCT) > _RECORD_WITHIN_PCT:
        return None
    spread = _calibrated(list(moves.values())) * _session_move(odds, len(odds) - 1)
    last = share[-1]
    points = []
    for sessions in range(0, horizon + 1, MONTH_SESSIONS):
        half = spread * math.sqrt(sessions)
        low, middle, high = (_percent(odds[-1] + value) for value in (-half, 0.0, half))
        day = last.on + timedelta(days=round(sessions * _DAYS_PER_SESSION))
        points.append(Projected(day, sessions, low, middle, high))
    return Projection(tuple(points), len(share), hits, trials, horizon)


def _past_moves(odds: Sequence[float], ahead: int) -> dict[int, float]:
    """How far the log-odds were `ahead` sessions later, by the position from which on, one a month after a year.

    In units of what a session had moved them until then, times the root of the sessions.
    """
    origins = range(YEAR_SESSIONS, len(odds) - ahead, MONTH_SESSIONS)
    scales = {origin: _session_move(odds, origin) * math.sqrt(ahead) for origin in origins}
    return {origin: abs(odds[origin + ahead] - odds[origin]) / scale for origin, scale in scales.items() if scale}


def _session_move(odds: Sequence[float], until: int) -> float:
    """The root mean square of the daily moves up to a position."""
    squares = [(after - before) ** 2 for before, after in pairwise(odds[: until + 1])]
    return math.sqrt(math.fsum(squares) / len(squares))


def _record(moves: Mapping[int, float], ahead: int) -> tuple[int, int]:
    """Of how many intervals, each calibrated on the outcomes that were known when it was made, how many held."""
    hits = trials = 0
    for origin, move in moves.items():
        known = [past for position, past in moves.items() if position + ahead <= origin]
        if len(known) >= _FEWEST_OUTCOMES:
            hits += move <= _calibrated(known)
            trials += 1
    return hits, trials


def _calibrated(moves: Sequence[float]) -> float:
    """The move that INTERVAL_PCT of the next ones will not exceed, if they are like these: split conformal."""
    rank = math.ceil(INTERVAL_PCT / 100 * (len(moves) + 1))
    return sorted(moves)[min(rank, len(moves)) - 1]


def _log_odds(pct: float) -> float:
    """A percentage as a number without bounds, so that no interval can leave 0-100."""
    return math.log(pct / (100 - pct))


def _percent(log_odds: float) -> float:
    return 100 / (1 + math.exp(-log_odds))
