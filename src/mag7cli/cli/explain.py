"""`mag7 explain`."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.options import DEFAULT_LAKE, DateArgument, LakeOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.cli.quality import QUALITY_STYLES, SIMULATED, red_lines
from mag7cli.core.formatting import count, counted, pct, pct_within

if TYPE_CHECKING:
    from mag7cli.analytics.lineage import Lineage
    from mag7cli.market.date_quality import DateQuality

_SHOWN: Final = 8


@command(
    "mag7 explain 2024-06-07", "mag7 explain 2024-06-07 NVDA", "mag7 explain 2024-06-07 --hashes", formats=TEXT_JSON
)
def explain(
    output: Output,
    on: DateArgument,
    ticker: Annotated[str | None, typer.Argument(metavar="[TICKER]", help="One line of the index.")] = None,
    hashes: Annotated[bool, typer.Option("--hashes", help="Name every input with its SHA-256.")] = False,
    lake: LakeOption = DEFAULT_LAKE,
) -> None:
    """Print the receipt of a number.

    Every share count with its origin, every correction with its evidence, every input with its hash and time.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    output.show(_receipt_result(library.explain(Lake.at(lake), on=on, ticker=ticker), hashes=hashes))


def _receipt_result(lineage: "Lineage", *, hashes: bool) -> Result:
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
                row.ticker,
                row.close_price,
                row.shares_outstanding,
                row.market_cap,
                row.pct_of_sp500,
                row.asked_for,
                row.fetched_at,
            ]
            for row in lineage.lines[: _SHOWN * 2]
        ],
    )
    tail = [*_receipt_tail(lineage), *_input_lines(lineage, hashes=hashes)]
    return Result(document=asdict(lineage), grid=grid, text=[*_receipt_head(lineage), grid, *tail])


def _receipt_head(lineage: "Lineage") -> Iterator[Line]:
    """The answer, whether it can be trusted, and how it comes about."""
    if lineage.source.get("simulated"):
        yield Line(SIMULATED, "warn")
    share = lineage.mag7_pct_of_sp500
    if share is None:
        yield Line(f"{lineage.trading_date} has no figure: {lineage.partial}", "bad")
    else:
        within = pct_within(share, *_ends(lineage.quality))
        yield Line(f"{within} of the S&P 500 was seven companies on {lineage.trading_date}.", "strong")
    yield Line(f"Data: {lineage.status}.", QUALITY_STYLES[lineage.status])
    yield from red_lines(lineage.failed_checks)
    for reason in lineage.quality.reasons:
        yield Line(f"  {reason}", "warn")
    yield Line("")
    yield from _sums(lineage)


def _sums(lineage: "Lineage") -> Iterator[Line]:
    """The division with its bound, and what other ways of counting come to."""
    if lineage.mag7_pct_of_sp500 is not None:
        yield Line(f"{lineage.total_mag7_market_cap:,.2f} / {lineage.sp500_total_market_cap:,.2f} "
                   f"= {lineage.mag7_pct_of_sp500:.6f} %")  # fmt: skip
        yield from _bound_lines(lineage.quality)
    if lineage.gross_market_cap:
        yield Line(f"Each line counted, companies with two twice, the total would be {lineage.gross_market_cap:,.2f}.")
    for other in lineage.other_counts:
        yield Line(f"Counted otherwise: {pct(other.mag7_pct)} ({other.points:+.3f} points): {other.explanation}.")
    yield Line("")


def _ends(quality: "DateQuality") -> tuple[float | None, float | None]:
    return (quality.bound.low_pct, quality.bound.high_pct) if quality.bound else (None, None)


def _bound_lines(quality: "DateQuality") -> Iterator[Line]:
    """Between what the share lies, and what that is made of."""
    if quality.bound is None:
        yield Line(f"Bound of the share: unknown, {quality.bound_unknown}.", "warn")
        return
    bound = quality.bound
    yield Line(f"Bound of the share: {bound.low_pct:.6f} to {bound.high_pct:.6f} %.")
    for part in bound.parts:
        yield Line(f"  {part.low_points:+.6f} to {part.high_points:+.6f} points, {part.source}: {part.reason}")


def doubt_sentence(doubt: Mapping[str, Any]) -> str:
    """A doubt of a document in a sentence: what was used, what the vendor has, and why it is doubted."""
    used, other = count(doubt["used"]), count(doubt["other"])
    vendors = "as the vendor has it" if used == other else f"the vendor has {other}"
    return f"Doubt: {doubt['ticker']} {doubt['field']}: used {used}, {vendors}: {doubt['reason']}"


def _receipt_tail(lineage: "Lineage") -> Iterator[Line]:
    corrected = [(row.ticker, fix) for row in lineage.lines for fix in row.corrections]
    yield Line("")
    yield Line(f"Corrections: {len(corrected) or 'none'}", "strong")
    for ticker, fix in corrected[: _SHOWN * 2]:
        yield Line(f"  {ticker} {fix['field']} {count(fix['from'])} -> {count(fix['to'])}: {fix['reason']}; "
                   f"{fix['evidence']}")  # fmt: skip
    if len(corrected) > _SHOWN * 2:
        yield Line(f"  ... and {len(corrected) - _SHOWN * 2:,} more; --format json has them all", "faint")
    for doubt in lineage.doubts:
        yield Line(doubt_sentence(doubt), "warn")
    for event in lineage.events:
        yield Line(f"Suspect: {event.ticker}: {event.reason}; {event.evidence}", "warn")
    for sentence in lineage.splits:
        yield Line(f"Split: {sentence}")
    for failed in lineage.failed:
        yield Line(f"Failed: {failed['ticker']}: {failed['reason']}", "warn")
    if lineage.not_listed:
        yield Line(f"Not listed on that date: {', '.join(lineage.not_listed)}")
    yield Line("")
    yield from _membership_lines(lineage.membership)
    yield Line(f"Source: {lineage.source.get('vendor')}, method {lineage.source.get('method')}, "
               f"client {lineage.source.get('version')}, collected {lineage.collected_at}")  # fmt: skip


def _input_lines(lineage: "Lineage", *, hashes: bool) -> Iterator[Line]:
    """What was read: the document, and the others by their number unless their hashes were asked for."""
    shown = lineage.inputs if hashes else lineage.inputs[:1]
    for source in shown:
        yield Line(f"  sha256 {source.sha256}  {source.uri}", "faint")
    if more := len(lineage.inputs) - len(shown):
        yield Line(f"  and {counted(more, 'more input')}, which --hashes names", "faint")
    yield Line(f"mag7 {lineage.code_version}", "faint")


def _membership_lines(membership: Mapping[str, str]) -> Iterator[Line]:
    """Who was in the index, how that was known, and what spoke against it."""
    until = membership.get("confirmed_until")
    known = f", joins and leaves known until {until}" if until else ""
    yield Line(f"Constituents: {membership['kind']} as of {membership['as_of']}{known}")
    if membership.get("accepted"):
        yield Line(f"  their holdings file was accepted although {membership['accepted']}", "warn")
