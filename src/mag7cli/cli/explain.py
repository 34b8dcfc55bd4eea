"""`mag7 explain`."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.options import DEFAULT_LAKE, DateArgument, LakeOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.cli.quality import QUALITY_STYLES, SIMULATED, red_lines
from mag7cli.core.formatting import count, pct, pct_within

if TYPE_CHECKING:
    from mag7cli.analytics.lineage import Receipt
    from mag7cli.market.date_quality import DateQuality

_SHOWN: Final = 8


@command("mag7 explain 2024-06-07", "mag7 explain 2024-06-07 NVDA", formats=TEXT_JSON)
def explain(
    output: Output,
    on: DateArgument,
    ticker: Annotated[str | None, typer.Argument(metavar="[TICKER]", help="One line of the index.")] = None,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Print the receipt of a number.

    Every input with its hash and time, every share count with its origin, every correction with its evidence.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    output.show(_receipt_result(library.explain(Lake.at(lake), on=on, ticker=ticker)))


def _receipt_result(found: "Receipt") -> Result:
    grid = Grid(
        (
            Column("ticker"),
            Column("close_price", "close", lambda value: f"{value:,.2f}", right=True),
            Column("shares_outstanding", "x shares", count, right=True),
            Column("market_cap", "= market cap", lambda value: f"{value:,.2f}", right=True),
            Column("pct_of_sp500", "of index", pct, right=True),
            Column("asked_for", "answer for", optional=True),
            Column("fetched_at", "fetched", lambda value: str(value or "")[:19], optional=True),
        ),
        [
            [
                one.ticker,
                one.close_price,
                one.shares_outstanding,
                one.market_cap,
                one.pct_of_sp500,
                one.asked_for,
                one.fetched_at,
            ]
            for one in found.lines[: _SHOWN * 2]
        ],
    )
    return Result(document=asdict(found), grid=grid, text=[*_receipt_head(found), grid, *_receipt_tail(found)])


def _receipt_head(found: "Receipt") -> Iterator[Line]:
    if found.source.get("simulated"):
        yield Line(SIMULATED, "warn")
    if found.mag7_pct_of_sp500 is None:
        yield Line(f"{found.trading_date} has no figure: {found.partial}", "bad")
    else:
        yield Line(
            f"{found.trading_date}: {found.total_mag7_market_cap:,.2f} / {found.sp500_total_market_cap:,.2f} "
            f"= {found.mag7_pct_of_sp500:.6f} %",
            "strong",
        )
        yield from _bound_lines(found.mag7_pct_of_sp500, found.quality)
    if found.gross_market_cap:
        yield Line(f"Each line counted, companies with two twice, the total would be {found.gross_market_cap:,.2f}.")
    for other in found.other_counts:
        yield Line(f"Counted otherwise: {pct(other.mag7_pct)} ({other.points:+.3f} points): {other.explanation}.")
    yield Line(f"Data: {found.status}.", QUALITY_STYLES[found.status])
    yield from red_lines(found.failed_checks)
    for reason in found.quality.reasons:
        yield Line(f"  {reason}", "warn")
    yield Line("")


def _bound_lines(share_pct: float, quality: "DateQuality") -> Iterator[Line]:
    """Between what the share lies, and what that is made of."""
    if quality.bound is None:
        yield Line(f"Bound of the share: unknown, {quality.bound_unknown}.", "warn")
        return
    bound = quality.bound
    yield Line(f"Bound of the share: {bound.low_pct:.6f} to {bound.high_pct:.6f} %, "
               f"printed as {pct_within(share_pct, bound.low_pct, bound.high_pct)}.")  # fmt: skip
    for part in bound.parts:
        yield Line(f"  {part.low_points:+.6f} to {part.high_points:+.6f} points, {part.source}: {part.reason}")


def _receipt_tail(found: "Receipt") -> Iterator[Line]:
    corrected = [(one.ticker, made) for one in found.lines for made in one.corrections]
    yield Line("")
    yield Line(f"Corrections: {len(corrected) or 'none'}", "strong")
    for ticker, made in corrected[: _SHOWN * 2]:
        yield Line(f"  {ticker} {made['field']} {count(made['from'])} -> {count(made['to'])}: {made['reason']}; "
                   f"{made['evidence']}")  # fmt: skip
    if len(corrected) > _SHOWN * 2:
        yield Line(f"  ... and {len(corrected) - _SHOWN * 2:,} more; --format json has them all", "faint")
    for doubt in found.doubts:
        yield Line(f"Doubt: {doubt['ticker']} {doubt['field']}: used {count(doubt['used'])}, the vendor has "
                   f"{count(doubt['other'])}: {doubt['reason']}", "warn")  # fmt: skip
    for event in found.events:
        yield Line(f"Suspect: {event.ticker}: {event.reason}; {event.evidence}", "warn")
    for sentence in found.splits:
        yield Line(f"Split: {sentence}")
    for failed in found.failed:
        yield Line(f"Failed: {failed['ticker']}: {failed['reason']}", "warn")
    if found.not_listed:
        yield Line(f"Not listed on that date: {', '.join(found.not_listed)}")
    yield Line("")
    yield from _membership_lines(found.membership)
    yield Line(f"Source: {found.source.get('vendor')}, method {found.source.get('method')}, "
               f"client {found.source.get('version')}, collected {found.collected_at}")  # fmt: skip
    for one in found.inputs:
        yield Line(f"  sha256 {one.sha256}  {one.uri}", "faint")
    yield Line(f"mag7 {found.code_version}", "faint")


def _membership_lines(membership: Mapping[str, str]) -> Iterator[Line]:
    """Who was in the index, how that was known, and what spoke against it."""
    until = membership.get("confirmed_until")
    known = f", joins and leaves known until {until}" if until else ""
    yield Line(f"Constituents: {membership['kind']} as of {membership['as_of']}{known}")
    if membership.get("accepted"):
        yield Line(f"  their holdings file was accepted although {membership['accepted']}", "warn")
