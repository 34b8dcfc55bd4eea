"""Synthetic daily prices: a market factor, a sector's and a line's own noise, pinned to the anchors' levels.

Everything is drawn for all lines at once, in the share units of the anchor date, then put into each day's own units
and rounded as a tape is. Knows no calendar and no share counts but those it scales volume by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from mag7cli.vendors.sandbox.blueprint import Anchors, Blueprint, Security
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
    return _tape(path, scale, blueprint.securities, rng)


def _log_levels(blueprint: Blueprint, timeline: Timeline, rng: np.random.Generator) -> Floats:
    """The logarithm of each line's level on each row, straight between anchors."""
    anchors, securities = blueprint.anchors, blueprint.securities
    wander = rng.normal(0, _LEVEL_SD, (len(anchors.dates), len(securities)))
    levels = np.column_stack(
        [_levels_of(security, anchors, wander[:, column]) for column, security in enumerate(securities)]
    )
    for column, primary in _second_classes(securities):
        if securities[column].ticker not in anchors.of_ticker:
            levels[:, column] = levels[:, primary] + np.log(
                securities[column].close_usd / securities[primary].close_usd
            )
    knots = [day.toordinal() for day in anchors.dates]
    days = [day.toordinal() for day in timeline.sessions]
    return np.column_stack([np.interp(days, knots, levels[:, column]) for column in range(len(securities))])


def _levels_of(security: Security, anchors: Anchors, wander: Floats) -> Floats:
    own = anchors.of_ticker.get(security.ticker)
    if own is not None:
        known: Floats = np.log(np.asarray(own))
        return known
    sector = np.log(np.asarray(anchors.of_sector[security.sector]))
    drift = np.cumsum(wander[::-1])[::-1]
    level: Floats = sector - sector[-1] + drift - drift[-1] + np.log(security.close_usd)
    return level


def _noise(blueprint: Blueprint, timeline: Timeline, rng: np.random.Generator) -> Floats:
    """Cumulated daily noise that is zero on every anchor, so that prices pass through the anchors' levels."""
    rows, securities = len(timeline), blueprint.securities
    market = rng.normal(0, _MARKET_SD, rows)
    sectors = {name: rng.normal(0, _SECTOR_SD, rows) for name in sorted({security.sector for security in securities})}
    beta = rng.uniform(0.7, 1.3, len(securities))
    own_sd = rng.uniform(0.008, 0.018, len(securities))
    daily = rng.standard_normal((rows, len(securities))) * own_sd + np.outer(market, beta)
    daily += np.column_stack([sectors[security.sector] for security in securities])
    for column, primary in _second_classes(securities):
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


def _second_classes(securities: Sequence[Security]) -> list[tuple[int, int]]:
    """(column, column of the company's first line) of every line that is not its company's first."""
    first: dict[str, int] = {}
    for column, security in enumerate(securities):
        first.setdefault(security.cik, column)
    return [
        (column, first[security.cik]) for column, security in enumerate(securities) if first[security.cik] != column
    ]


def _scale(blueprint: Blueprint, timeline: Timeline, units: Sequence[Sequence[Epoch]]) -> Floats:
    """By what a price in the anchor's share units is multiplied for the tape of the day."""
    scale = np.ones((len(timeline), len(blueprint.securities)))
    spin_offs: Mapping[str, list[tuple[int, int, float]]] = {
        security.ticker: price_levels(
            timeline, [e for e in blueprint.events if e.ticker == security.ticker and e.kind == "spin_off"]
        )
        for security in blueprint.securities
    }
    for column, security in enumerate(blueprint.securities):
        for epoch in units[column]:
            scale[epoch.first : epoch.stop, column] *= float(epoch.per_share)
        for first, stop, factor in spin_offs[security.ticker]:
            scale[first:stop, column] *= factor
    return scale


def _tape(path: Floats, scale: Floats, securities: Sequence[Security], rng: np.random.Generator) -> PriceTable:
    shape = path.shape
    before = np.vstack([path[:1], path[:-1]])
    close = np.maximum(_rounded(path * scale, rng), 0.01)
    opening = before * np.exp(rng.normal(0, 0.004, shape)) * scale
    open_ = np.maximum(np.round(opening, 2), 0.01)
    spread = np.abs(rng.normal(0, 0.006, (2, *shape)))
    high = np.round(np.maximum(open_, close) * (1 + spread[0]), 4)
    low = np.maximum(np.round(np.minimum(open_, close) * (1 - spread[1]), 4), 0.0001)
    vwap = np.clip(np.round(low + (high - low) * rng.uniform(0.3, 0.7, shape), 4), low, high)
    return PriceTable(open_, high, low, close, vwap, _volume(scale, securities, rng))


def _rounded(prices: Floats, rng: np.random.Generator) -> Floats:
    """Two decimals as a rule, four now and then, as closes of thinly traded days are."""
    four = rng.random(prices.shape) < _FOUR_DECIMALS_SHARE
    return np.where(four, np.round(prices, 4), np.round(prices, 2))


def _volume(scale: Floats, securities: Sequence[Security], rng: np.random.Generator) -> Floats:
    """Shares traded in the day's units, most with a fraction, as the vendor has reported since it counts odd lots."""
    turnover = _TURNOVER * np.exp(rng.normal(0, 0.35, scale.shape))
    traded = turnover * np.asarray([float(security.class_shares) for security in securities]) / scale
    whole = rng.random(scale.shape) < _WHOLE_VOLUME_SHARE
    volume: Floats = np.where(whole, np.round(traded), np.round(traded, 6))
    return volume
