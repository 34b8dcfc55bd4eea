"""How a session looks: one calm screen on a terminal, a line a minute in a log, an object a line for programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from mag7cli.cli.output import (
    Column,
    Grid,
    Line,
    Output,
    Result,
    Style,
    is_terminal_output,
    json_text,
    rich_block,
    rich_console,
)
from mag7cli.cli.quality import SIMULATED
from mag7cli.core.formatting import change, counted, duration, pct, usd
from mag7cli.live.follow import LiveUpdate, MarketClosed
from mag7cli.live.records import record, record_of_closed
from mag7cli.live.share import LiveCompany, LivePoint, QuietCompany
from mag7cli.market.symbology import MAGNIFICENT_7

if TYPE_CHECKING:
    from rich.live import Live

    from mag7cli.live.review import CompanyReview, LiveReview

_SHOWN: Final = 8


class View(Protocol):
    """Somebody who shows what comes."""

    def show(self, update: LiveUpdate | MarketClosed) -> bool:
        """Show it; False once nobody looks any more."""
        ...


@contextmanager
def view_for(output: Output) -> Iterator[View]:
    """The view that fits where the output goes."""
    if output.format == "json":
        yield _JsonLines(output)
    elif not is_terminal_output():
        yield _TextLines(output)
    else:
        with _screen() as live:
            yield _Screen(live)


class _JsonLines:
    """One object a line."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def show(self, update: LiveUpdate | MarketClosed) -> bool:
        entry = record_of_closed(update) if isinstance(update, MarketClosed) else record(update)
        return self._output.lines([json_text(entry, indent=False).rstrip("\n")])


class _TextLines:
    """One line a point."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def show(self, update: LiveUpdate | MarketClosed) -> bool:
        return self._output.lines([closed_text(update) if isinstance(update, MarketClosed) else point_text(update)])


class _Screen:
    """The newest point in the place of the one before."""

    def __init__(self, live: "Live") -> None:
        self._live = live

    def show(self, update: LiveUpdate | MarketClosed) -> bool:
        from rich.console import Group

        blocks = [Line(closed_text(update))] if isinstance(update, MarketClosed) else list(point_blocks(update))
        self._live.update(Group(*(rich_block(block, self._live.console) for block in blocks)), refresh=True)
        return True


def _screen() -> "Live":
    from rich.live import Live

    return Live(console=rich_console(), auto_refresh=False, vertical_overflow="visible")


# A point


def point_text(update: LiveUpdate) -> str:
    """The point in one line, most important first."""
    point = update.point
    parts = [
        f"{point.minute:%Y-%m-%d %H:%M} {point.share_text} {_subject(update)}, {_changes(update)}",
        _coverage(point),
        *_caveats(update),
    ]
    return "; ".join(parts)


def point_blocks(update: LiveUpdate) -> Iterator[Line | Grid]:
    """The point for a screen: the answer, the companies, and what there is to know about it."""
    point = update.point
    if update.baseline.is_simulated:
        yield Line(SIMULATED, "warn")
    when = f"{point.minute:%H:%M} New York on {point.trading_date}"
    yield Line(f"{point.share_text} {_subject(update)}, at {when}.", "strong")
    yield Line(f"{usd(point.group_cap_usd)} of {usd(point.sp500_cap_usd)}; {_changes(update)}.")
    yield Line()
    yield _companies(point)
    yield Line()
    yield Line(f"{_coverage(point)}.")
    if point.untraded:
        yield Line(f"No trade yet: {_some(point.untraded)}.", "warn")
    if point.quiet:
        yield Line(f"No trade since: {_some([_quiet(company) for company in point.quiet])}.", "warn")
    for split in update.baseline.splits:
        yield Line(f"Split this morning: {split.symbol} {split.split_to:g} for {split.split_from:g}.")
    if update.baseline.left_out:
        yield Line(f"Without a share count: {_some([ticker for ticker, _ in update.baseline.left_out])}.", "warn")
    caveats = "; ".join(_caveats(update))
    yield Line(
        f"{caveats[:1].upper()}{caveats[1:]}.",
        "bad" if update.status.reason and not update.status.is_connected else "faint",
    )


def closed_text(closed: MarketClosed) -> str:
    """When it opens again."""
    return (
        f"{closed.now:%Y-%m-%d %H:%M} the market is closed; the pre-market opens {closed.pre_market_open:%A %Y-%m-%d} "
        f"at {closed.pre_market_open:%H:%M}, the session at {closed.open:%H:%M} New York"
    )


def _subject(update: LiveUpdate) -> str:
    group, without = update.baseline.group, update.baseline.without
    subject = "seven companies" if set(group) == set(MAGNIFICENT_7) else ", ".join(group)
    excluded = f"without {', '.join(without)} " if without else ""
    return f"of the S&P 500 {excluded}is {subject}"


def _changes(update: LiveUpdate) -> str:
    point, base = update.point, update.baseline
    since_close = f"{change(point.since_close)} points since the close of {base.close_date}"
    return since_close if point.since_open is None else f"{since_close}, {change(point.since_open)} since the open"


def _coverage(point: LivePoint) -> str:
    traded = f"{point.traded_count} of {counted(point.constituents_count, 'company', 'companies')} traded"
    if point.oldest_age_s is None or point.has_closes:
        return traded
    return f"{traded}, the oldest price {duration(point.oldest_age_s)} old ({point.oldest_ticker})"


def _caveats(update: LiveUpdate) -> list[str]:
    """What the reader must know, besides the figure."""
    point, status = update.point, update.status
    parts = [point.phase.value if point.phase.value != "regular" else "regular session"]
    parts += ["early close today"] if _closes_early(point) else []
    parts += [f"halted: {', '.join(point.halted)}"] if point.halted else []
    if point.has_closes and point.phase.value == "regular":
        parts.append("official closes")
    elif status.feed == "delayed":
        parts.append("15 minutes delayed")
    parts += [] if status.kind == "stream" else ["from snapshots"]
    parts += [] if point.is_close_bounded else ["the bound of the last close is unknown"]
    if status.reason and not status.is_connected:
        parts.append(f"no connection since {status.since:%H:%M} ({status.reason})")
    elif status.kind == "stream" and not status.is_connected:
        parts.append("from one snapshot")
    parts += ["intraday, unofficial"]
    return parts + (["SIMULATED"] if update.baseline.is_simulated else [])


def _closes_early(point: LivePoint) -> bool:
    from mag7cli.market.trading_hours import trading_hours

    return trading_hours(point.trading_date).is_early_close


def _companies(point: LivePoint) -> Grid:
    columns = (
        Column("ticker"),
        Column("name", optional=True),
        Column("price_usd", "price", lambda value: f"{value:,.2f}", right=True),
        Column("market_cap", "market cap", usd, right=True, optional=True),
        Column("pct_of_sp500", "of index", pct, right=True),
        Column("since_close", "points", lambda value: change(value, 3), right=True, tone=_sign),
        Column("traded_at", "last trade", _time, right=True),
    )
    return Grid(columns, [_company_row(company) for company in point.companies])


def _company_row(company: LiveCompany) -> list[Any]:
    return [
        company.ticker,
        company.name,
        company.price_usd,
        company.market_cap_usd,
        company.pct_of_sp500,
        company.since_close,
        company.traded_at,
    ]


def _quiet(company: QuietCompany) -> str:
    return f"{company.ticker} {company.since:%H:%M}"


def _time(moment: datetime | None) -> str:
    return f"{moment:%H:%M}" if moment else "none yet"


def _sign(value: float | None) -> Style:
    return "" if not value else "good" if value > 0 else "bad"


def _some(names: Any) -> str:
    """The first of many."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


# A review


def review_result(review: "LiveReview") -> Result:
    """The last live share beside the official one, as a person and as a program read it."""
    grid = Grid(
        (
            Column("ticker"),
            Column("live_price_usd", "live", lambda value: f"{value:,.2f}", right=True),
            Column("close_usd", "close", lambda value: f"{value:,.2f}", right=True),
            Column("difference_pct", "difference", lambda value: f"{value:+.3f} %", right=True),
        ),
        [_review_row(company) for company in review.companies],
    )
    return Result(document=asdict(review), grid=grid, text=[*_review_lines(review), Line(), grid])


def _review_row(company: "CompanyReview") -> list[Any]:
    return [company.ticker, company.live_price_usd, company.close_usd, company.difference_pct]


def _review_lines(review: "LiveReview") -> Iterator[Line]:
    if review.is_simulated:
        yield Line(SIMULATED, "warn")
    yield Line(
        f"{review.trading_date}: {review.share_pct:.4f} % live at {review.last_minute:%H:%M}, "
        f"{review.official_pct:.4f} % at the close: {review.difference:+.4f} points.",
        "strong",
    )
    yield Line(
        f"Of it {review.difference_of_prices:+.4f} by prices, {review.difference_of_counts:+.4f} by share counts and "
        "constituents that the close has newer."
    )
    prices = "official closes" if review.has_closes else "the last minute's prices, without the closing auction"
    yield Line(f"The live share is of {prices}.")
    within = "within" if review.is_within else "outside"
    untraded = f", which {_some(review.untraded)} left open" if review.untraded else ""
    yield Line(f"The closes lie {within} {review.low_pct:.4f} to {review.high_pct:.4f} %{untraded}.",
               "" if review.is_within else "bad")  # fmt: skip
    yield Line(f"During the session it was {review.kept.low_pct:.4f} to {review.kept.high_pct:.4f} %.")
    yield Line(f"{review.kept.minutes} of {counted(review.kept.session_minutes, 'minute')} were kept, the longest gap "
               f"{duration(review.kept.longest_gap_s)}.")  # fmt: skip
