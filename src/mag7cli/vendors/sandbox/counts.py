"""Synthetic share counts: one step per fiscal quarter, exact through splits, all lines of a company in step.

The count of the anchor date's quarter is the line's own; the others follow from growth, noise and share issues.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mag7cli.vendors.sandbox.blueprint import Blueprint, CompanyEvent, Security
from mag7cli.vendors.sandbox.timeline import Epoch, Timeline

Counts = NDArray[np.int64]

_QUARTER_NOISE_SD = 0.002
_QUARTERS_A_YEAR = 4
_BEFORE_START = timedelta(days=100)


@dataclass(frozen=True, slots=True)
class CountTable:
    """One row per session and one column per line, in the share units of the day."""

    company: Counts
    share_class: Counts


def draw(
    blueprint: Blueprint, timeline: Timeline, units: Sequence[Sequence[Epoch]], rng: np.random.Generator
) -> CountTable:
    """The true share counts of every line on every session; `units` has the share units of each line."""
    shape = (len(timeline), len(blueprint.securities))
    table = CountTable(np.zeros(shape, np.int64), np.zeros(shape, np.int64))
    issues = [event for event in blueprint.events if event.kind == "share_issue"]
    paths: dict[str, list[tuple[int, int, float]]] = {}
    for column, security in enumerate(blueprint.securities):
        if security.cik not in paths:
            paths[security.cik] = _quarters(security, [e for e in issues if e.ticker == security.ticker], timeline, rng)
        _fill(table.company, column, security.shares, paths[security.cik], units[column])
        _fill(table.share_class, column, security.class_shares, paths[security.cik], units[column])
    return table


def _quarters(
    security: Security, issues: Sequence[CompanyEvent], timeline: Timeline, rng: np.random.Generator
) -> list[tuple[int, int, float]]:
    """(first row, stop row, count as a multiple of the anchor quarter's) of each quarter, oldest first."""
    sessions = timeline.sessions
    ends = security.quarters.period_ends(sessions[0] - _BEFORE_START, sessions[-1])
    rows = sorted({0, len(timeline), *(timeline.row_from(end) for end in ends)})
    growth = (
        security.share_growth_pct
        if security.share_growth_pct is not None
        else float(np.clip(rng.normal(-1.2, 1.5), -5, 3))
    )
    steps = rng.normal(growth / 100 / _QUARTERS_A_YEAR, _QUARTER_NOISE_SD, len(rows))
    level, levels = 0.0, []
    for index, (first, stop) in enumerate(pairwise(rows)):
        new = [e for e in issues if _takes_effect(timeline.row_from(e.on), rows, index)]
        level += float(steps[index]) + sum(math.log(event.factor) for event in new)
        levels.append((first, stop, level))
    at_anchor = next(level for first, stop, level in levels if first <= timeline.anchor < stop)
    return [(first, stop, math.exp(level - at_anchor)) for first, stop, level in levels]


def _takes_effect(row: int, rows: Sequence[int], index: int) -> bool:
    """Whether the quarter that starts at `rows[index]` is the first to start on or after `row`."""
    return index > 0 and rows[index - 1] < row <= rows[index]


def _fill(
    counts: Counts, column: int, anchor_count: int, quarters: Sequence[tuple[int, int, float]], units: Sequence[Epoch]
) -> None:
    """Write one line's counts: whole numbers on both sides of every split inside a quarter."""
    unit = math.lcm(*(epoch.per_share.numerator for epoch in units))
    for first, stop, multiple in quarters:
        count = anchor_count if multiple == 1 else round(anchor_count * multiple / unit) * unit
        for epoch in units:
            start, end = max(first, epoch.first), min(stop, epoch.stop)
            if start < end:
                counts[start:end, column] = round(count / epoch.per_share)
