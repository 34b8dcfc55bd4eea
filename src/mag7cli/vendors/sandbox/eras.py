"""A market drawn in blocks: the lines of the anchor date and the guests, up to the anchors' last year and after it.

Each block has a stream of random numbers of its own. So a market that is asked for further, or with more lines, has
the same prices and counts where there were some before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Final

import numpy as np

from mag7cli.market import calendar
from mag7cli.vendors.sandbox import counts, prices
from mag7cli.vendors.sandbox.blueprint import Anchors, Blueprint, KnownFaults, Security
from mag7cli.vendors.sandbox.counts import CountTable
from mag7cli.vendors.sandbox.prices import PriceTable
from mag7cli.vendors.sandbox.timeline import Timeline, epochs

PRICE_COLUMNS: Final = tuple(field.name for field in fields(PriceTable))
COUNT_COLUMNS: Final = tuple(field.name for field in fields(CountTable))

_STREAMS_A_BLOCK: Final = 2


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines over some sessions. `streams` are the numbers of its random streams: the truth's and the report's.

    Where it continues another block, its first session is the other's last.
    """

    blueprint: Blueprint
    timeline: Timeline
    prices: PriceTable
    counts: CountTable
    streams: tuple[int, int]
    continues: bool = False

    def table(self, name: str) -> Any:
        """One of the tables of prices or counts, without the session that another block has already."""
        tables = self.prices if name in PRICE_COLUMNS else self.counts
        return getattr(tables, name)[self.continues :]


def stacked(blocks: Sequence[Sequence[Block]], name: str) -> Any:
    """A table of all blocks as one: eras below each other, groups of lines side by side."""
    return np.vstack([np.hstack([block.table(name) for block in era]) for era in blocks])


def draw(blueprint: Blueprint, end: date, seed: int) -> list[list[Block]]:
    """The blocks of a market, one list for each era, oldest first: the anchor date's lines, then the guests."""
    first, last = blueprint.anchors.dates[0], blueprint.anchors.dates[-1]
    turn = calendar.session_on_or_before(date(last.year, 12, 31))
    groups = list(_groups(blueprint))
    blocks = [
        _block(_until(group, turn), Timeline.of(calendar.sessions(first, turn), group.anchor), seed, number)
        for number, group in enumerate(groups)
    ]
    if end <= turn:
        return [blocks]
    later = Timeline.of(calendar.sessions(turn, end), turn)
    following = [
        replace(_block(_after(group, block, turn), later, seed, number), continues=True)
        for number, (group, block) in enumerate(zip(groups, blocks, strict=True), start=len(groups))
    ]
    return [blocks, following]


def _block(blueprint: Blueprint, timeline: Timeline, seed: int, number: int) -> Block:
    truth, report = _STREAMS_A_BLOCK * number, _STREAMS_A_BLOCK * number + 1
    rng = np.random.default_rng([seed, truth])
    units = [
        epochs(timeline, [split for split in blueprint.splits if split.symbol == security.ticker])
        for security in blueprint.securities
    ]
    tape = prices.draw(blueprint, timeline, units, rng)
    return Block(blueprint, timeline, tape, counts.draw(blueprint, timeline, units, rng), (truth, report))


def _groups(blueprint: Blueprint) -> Iterator[Blueprint]:
    """The market without its guests, and its guests."""
    for guest in (False, True):
        securities = tuple(security for security in blueprint.securities if security.guest == guest)
        if securities:
            others = () if guest else blueprint.others
            yield replace(_of_lines(blueprint, securities), others=others)


def _of_lines(blueprint: Blueprint, securities: Sequence[Security]) -> Blueprint:
    tickers = {security.ticker for security in securities}
    return replace(
        blueprint,
        securities=tuple(securities),
        splits=tuple(split for split in blueprint.splits if split.symbol in tickers),
        events=tuple(event for event in blueprint.events if event.ticker in tickers),
    )


def _until(blueprint: Blueprint, turn: date) -> Blueprint:
    """What happens up to the turn: nothing after it may change a count before it."""
    return replace(
        blueprint,
        splits=tuple(split for split in blueprint.splits if split.execution_date <= turn),
        events=tuple(event for event in blueprint.events if event.on <= turn),
    )


def _after(blueprint: Blueprint, block: Block, turn: date) -> Blueprint:
    """The market that goes on from the last session of a block, in that session's share units, without a trend."""
    closes, company = block.prices.close[-1], block.counts.company[-1]
    share_class = block.counts.share_class[-1]
    securities = tuple(
        replace(
            security,
            close_usd=float(closes[column]),
            shares=int(company[column]),
            class_shares=int(share_class[column]),
        )
        for column, security in enumerate(blueprint.securities)
    )
    return replace(
        blueprint,
        securities=securities,
        splits=tuple(split for split in blueprint.splits if split.execution_date > turn),
        events=tuple(event for event in blueprint.events if event.on > turn),
        others=tuple(other for other in blueprint.others if other.first_day > turn),
        anchor=turn,
        anchors=Anchors((turn,), {}, {security.sector: (1.0,) for security in securities}),
        known_faults=KnownFaults(),
    )
