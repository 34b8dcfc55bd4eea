"""Synthetic daily prices: a market factor, a sector's and a line's own noise, pinned to the anchors' levels.

Everything is drawn for all lines at once, in the share units of the anchor date, then put into each day's own units
and rounded as a tape is. Knows no calendar and no share counts but those it scales volume by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from mag7cli.vendors.sandbox.blueprint import Anchors, Blueprint, Line
from mag7cli.vendors.sandbox.timeline import Epoch, Timeline, price_levels

Floats = NDArray[np.float64]

_MARKET_SD = 0.009
_SECTOR_SD = 0.004
_LEVEL_SD = 0.10
_SECOND_CLASS_SD = 0.0006
_TURNOVER = 0.005
_FOUR_DECIMALS_SHARE = 0.03
_WHOLE_VOLUME_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class PriceTable:
    """One row per session and one column per line: unadjusted USD, volume in shares of the day's units."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    vwap: Floats
    volume: Floats


def draw(
    blueprint: Blueprint, timeline: Timeline, units: Sequence[Sequence[Epoch]], rng: np.random.Generator
) -> PriceTable:
    """The prices of every line on every session; `units` has the share units of each line."""
    path = np.exp(_log_levels(blueprint, timeline, rng) + _noise(blueprint, timeline, rng))
    scale = _scale(blueprint, timeline, units)
    return _tape(path, scale, blueprint.lines, rng)


def _log_levels(blueprint: Blueprint, timeline: Timeline, rng: np.random.Generator) -> Floats:
    """The logarithm of each line's level on each row, straight between anchors."""
    anchors, lines = blueprint.anchors, blueprint.lines
    wander = rng.normal(0, _LEVEL_SD, (len(anchors.dates), len(lines)))
    levels = np.column_stack([_levels_of(line, anchors, wander[:, column]) for column, line in enumerate(lines)])
    for column, primary in _second_classes(lines):
        if lines[column].ticker not in anchors.of_ticker:
            levels[:, column] = levels[:, primary] + np.log(lines[column].close_usd / lines[primary].close_usd)
    knots = [day.toordinal() for day in anchors.dates]
    days = [day.toordinal() for day in timeline.sessions]
    return np.column_stack([np.interp(days, knots, levels[:, column]) for column in range(len(lines))])


def _levels_of(line: Line, anchors: Anchors, wander: Floats) -> Floats:
    own = anchors.of_ticker.get(line.ticker)
    if own is not None:
        known: Floats = np.log(np.asarray(own))
        return known
    sector = np.log(np.asarray(anchors.of_sector[line.sector]))
    drift = np.cumsum(wander[::-1])[::-1]
    level: Floats = sector - sector[-1] + drift - drift[-1] + np.log(line.close_usd)
    return level


def _noise(blueprint: Blueprint, timeline: Timeline, rng: np.random.Generator) -> Floats:
    """Cumulated daily noise that is zero on every anchor, so that prices pass through the anchors' levels."""
    rows, lines = len(timeline), blueprint.lines
    market = rng.normal(0, _MARKET_SD, rows)
    sectors = {name: rng.normal(0, _SECTOR_SD, rows) for name in sorted({line.sector for line in lines})}
    beta = rng.uniform(0.7, 1.3, len(lines))
    own_sd = rng.uniform(0.008, 0.018, len(lines))
    daily = rng.standard_normal((rows, len(lines))) * own_sd + np.outer(market, beta)
    daily += np.column_stack([sectors[line.sector] for line in lines])
    for column, primary in _second_classes(lines):
        daily[:, column] = daily[:, primary] + rng.normal(0, _SECOND_CLASS_SD, rows)
    return _bridge(np.cumsum(daily, axis=0), timeline, blueprint.anchors.dates)


def _bridge(walk: Floats, timeline: Timeline, dates: Sequence[date]) -> Floats:
    """Subtract from a walk the straight lines through its values at the anchors; after the last it runs free."""
    knots = sorted({max(timeline.row_until(day), 0) for day in dates})
    rows = np.arange(len(timeline))
    position = np.clip(np.searchsorted(knots, rows, side="right") - 1, 0, max(len(knots) - 2, 0))
    left = np.asarray(knots)[position]
    right = np.asarray(knots)[np.minimum(position + 1, len(knots) - 1)]
    share = np.clip((rows - left) / np.maximum(right - left, 1), 0, 1)[:, None]
    bridged: Floats = walk - (walk[left] * (1 - share) + walk[right] * share)
    return bridged


def _second_classes(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """(column, column of the company's first line) of every line that is not its company's first."""
    first: dict[str, int] = {}
    for column, line in enumerate(lines):
        first.setdefault(line.cik, column)
    return [(column, first[line.cik]) for column, line in enumerate(lines) if first[line.cik] != column]


def _scale(blueprint: Blueprint, timeline: Timeline, units: Sequence[Sequence[Epoch]]) -> Floats:
    """By what a price in the anchor's share units is multiplied for the tape of the day."""
    scale = np.ones((len(timeline), len(blueprint.lines)))
    spin_offs: Mapping[str, list[tuple[int, int, float]]] = {
        line.ticker: price_levels(
            timeline, [e for e in blueprint.events if e.ticker == line.ticker and e.kind == "spin_off"]
        )
        for line in blueprint.lines
    }
    for column, line in enumerate(blueprint.lines):
        for epoch in units[column]:
            scale[epoch.first : epoch.stop, column] *= float(epoch.per_share)
        for first, stop, factor in spin_offs[line.ticker]:
            scale[first:stop, column] *= factor
    return scale


def _tape(path: Floats, scale: Floats, lines: Sequence[Line], rng: np.random.Generator) -> PriceTable:
    shape = path.shape
    before = np.vstack([path[:1], path[:-1]])
    close = np.maximum(_rounded(path * scale, rng), 0.01)
    opening = before * np.exp(rng.normal(0, 0.004, shape)) * scale
    open_ = np.maximum(np.round(opening, 2), 0.01)
    spread = np.abs(rng.normal(0, 0.006, (2, *shape)))
    high = np.round(np.maximum(open_, close) * (1 + spread[0]), 4)
    low = np.maximum(np.round(np.minimum(open_, close) * (1 - spread[1]), 4), 0.0001)
    vwap = np.clip(np.round(low + (high - low) * rng.uniform(0.3, 0.7, shape), 4), low, high)
    return PriceTable(open_, high, low, close, vwap, _volume(scale, lines, rng))


def _rounded(prices: Floats, rng: np.random.Generator) -> Floats:
    """Two decimals as a rule, four now and then, as closes of thinly traded days are."""
    four = rng.random(prices.shape) < _FOUR_DECIMALS_SHARE
    return np.where(four, np.round(prices, 4), np.round(prices, 2))


def _volume(scale: Floats, lines: Sequence[Line], rng: np.random.Generator) -> Floats:
    """Shares traded in the day's units, most with a fraction, as the vendor has reported since it counts odd lots."""
    turnover = _TURNOVER * np.exp(rng.normal(0, 0.35, scale.shape))
    traded = turnover * np.asarray([float(line.class_shares) for line in lines]) / scale
    whole = rng.random(scale.shape) < _WHOLE_VOLUME_SHARE
    volume: Floats = np.where(whole, np.round(traded), np.round(traded, 6))
    return volume
