"""What is asked of the figures: on a date, over a period, day by day, of companies and of one's own money."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from mag7cli.core.errors import UsageError
from mag7cli.lake import failed_checks
from mag7cli.lake.layout import Lake
from mag7cli.library.engines import engine_over, kept_figures, kept_fund_weights, saying_what_is_unmade

if TYPE_CHECKING:
    from mag7cli.analytics.indicators import IndicatorAnswer
    from mag7cli.analytics.lineage import Lineage
    from mag7cli.analytics.period import PeriodAnswer
    from mag7cli.analytics.series import SeriesRow
    from mag7cli.analytics.summary import ConcentrationSummary
    from mag7cli.collection.benchmarks import Benchmark
    from mag7cli.core.clock import Clock
    from mag7cli.market.date_words import Period
    from mag7cli.market.groups import CompanyGroup
    from mag7cli.market.holdings_file import Holdings
    from mag7cli.portfolio.answer import Exposure
    from mag7cli.portfolio.fund_file import FundHoldings
    from mag7cli.portfolio.positions import Portfolio, Position
    from mag7cli.warehouse.engines import SqlEngine


def group(companies: str, *, without: str = "") -> "CompanyGroup":
    """A group of companies, whose share can be asked for in place of the Mag 7's.

    Args:
        companies: `mag7`, `top10` (any number), `sector:Energy`, `AAPL,MSFT`, or the path of a file
            with a ticker a line.
        without: Tickers, separated by commas, that are taken out of the group and of the index alike.

    Returns:
        A rule: who belongs to the ten largest or to a sector is decided on every date.

    Raises:
        UsageError: There is no such sector, or a ticker was no line of the index since 2021.
    """
    from mag7cli.market import groups

    path = Path(companies)
    if (path.suffix or path.name != companies) and path.is_file():
        return groups.of_file(path.name, path.read_text(encoding="utf-8-sig"), without)
    return groups.parse(companies, without)


def summary(
    lake: Lake, *, on: date | None = None, group: "CompanyGroup | None" = None, engine: "SqlEngine | None" = None
) -> "ConcentrationSummary":
    """How much of the index is seven companies, as of when, and whether to trust it.

    Args:
        lake: The lake whose tables are read, and whose holdings files give the fund's own weight.
        on: The trading date; by default the latest with a figure.
        group: Of `group`; by default the Mag 7.
        engine: Where the SQL runs; by default DuckDB over the lake.

    Returns:
        The share in percent (0-100), market caps in USD, changes in percentage points, the companies, the data's
        quality.

    Raises:
        Mag7Error: The date has no figure, with the reason.
        EngineError: The SQL could not be run.
    """
    from mag7cli.analytics.summary import answer, answer_from_files
    from mag7cli.market.groups import THE_SEVEN

    failed, figures = failed_checks.read(lake), kept_figures(lake, group, engine)
    weights = kept_fund_weights(lake) if figures else None
    if figures and weights:
        with saying_what_is_unmade(lake, on):
            by_figures = answer_from_files(figures, on, failed=failed)
        return replace(by_figures, fund=weights.on(by_figures.on))
    from mag7cli.portfolio.fund_weights import weight_on

    with engine_over(lake, engine) as own, saying_what_is_unmade(lake, on):
        concentration = answer(own, on, None, group=group or THE_SEVEN, failed=failed)
        if not (group or THE_SEVEN).is_the_seven:
            return concentration
        return replace(concentration, fund=weight_on(lake, own, concentration.on))


def period(
    lake: Lake, words: Sequence[str], *, engine: "SqlEngine | None" = None, clock: "Clock | None" = None
) -> "date | Period | None":
    """What dates mean as people say them: `2023-12-29`, `yesterday`, `2024`, `2024-06`, `ytd`, `max`, or two of them.

    Args:
        lake: Its dates are where `max` begins, and where it and what is not over yet end.
        words: None, one or two of them.
        engine: Where the SQL runs; by default DuckDB over the lake.
        clock: The time, for `yesterday`; by default this machine's.

    Returns:
        A date; or a period between two closes; None without words.

    Raises:
        UsageError: A word is no date, or the period ends before it begins.
    """
    if not words:
        return None
    from mag7cli.core.clock import NEW_YORK, SystemClock
    from mag7cli.market import date_words

    today = (clock or SystemClock()).now().astimezone(NEW_YORK).date()
    first, latest = _first_and_last(lake, engine) or (today, today)
    return date_words.period(words, today=today, first=first, latest=latest)


def _first_and_last(lake: Lake, engine: "SqlEngine | None") -> tuple[date, date] | None:
    """The first and the last date with a figure; None if there is none."""
    from mag7cli.analytics import file_figures, queries

    figures = kept_figures(lake, None, engine)
    if figures:
        return file_figures.first_and_last(figures)
    with engine_over(lake, engine) as own:
        return queries.first_and_last(own)


def compare(
    lake: Lake,
    *,
    since: date,
    until: date,
    group: "CompanyGroup | None" = None,
    engine: "SqlEngine | None" = None,
) -> "PeriodAnswer":
    """What happened between two closes: shares then and now, price returns, what each company brought.

    Args:
        lake: The lake whose tables are read.
        since: The date at whose close it begins.
        until: The date at whose close it ends.
        group: Of `group`; by default the Mag 7.
        engine: Where the SQL runs; by default DuckDB over the lake.

    Returns:
        Shares and returns in percent, market caps in USD; returns are without dividends. Of the Mag 7 with the weight
        of them in the fund of the index, if the lake keeps its files.

    Raises:
        UsageError: One of the dates has no figure.
        EngineError: The SQL could not be run.
    """
    from mag7cli.analytics.period import compare as compared
    from mag7cli.market.groups import THE_SEVEN

    with engine_over(lake, engine) as own, saying_what_is_unmade(lake, since, until):
        answer = compared(own, since, until, group or THE_SEVEN)
        if not (group or THE_SEVEN).is_the_seven or not lake.keeps_funds():
            return answer
        from mag7cli.portfolio.fund_weights import over_period

        return replace(answer, fund=over_period(lake, own, since, until))


def series(
    lake: Lake,
    *,
    last: int | None = None,
    since: date | None = None,
    until: date | None = None,
    group: "CompanyGroup | None" = None,
    engine: "SqlEngine | None" = None,
) -> "tuple[SeriesRow, ...]":
    """The share of a group, a row for each collected date, oldest first.

    Args:
        lake: The lake whose tables are read.
        last: Only the latest so many dates.
        since: The first date, included.
        until: The last date, included.
        group: Of `group`; by default the Mag 7.
        engine: Where the SQL runs; by default DuckDB over the lake.

    Returns:
        Each with its status, bounds, kind of number and whether it is simulated; partial dates without a figure.

    Raises:
        EngineError: The SQL could not be run.
    """
    from mag7cli.analytics import file_figures
    from mag7cli.analytics.queries import BEGINNING, END
    from mag7cli.analytics.series import first_of_latest, read_series, rows_of
    from mag7cli.market.groups import THE_SEVEN
    from mag7cli.portfolio.kept_weights import with_fund

    figures = kept_figures(lake, group, engine)
    weights = kept_fund_weights(lake) if figures else None
    if figures and weights:
        start = since or (file_figures.first_of_latest(figures, last) if last else BEGINNING)
        return with_fund(rows_of(file_figures.read_concentration(figures, start, until or END)), weights)
    from mag7cli.portfolio.fund_weights import of_index_fund

    with engine_over(lake, engine) as own:
        start = since or (first_of_latest(own, last) if last else BEGINNING)
        rows = read_series(own, start, until or END, group or THE_SEVEN)
        return with_fund(rows, of_index_fund(lake, own)) if (group or THE_SEVEN).is_the_seven else rows


def co_movement(
    lake: Lake,
    *,
    levels: Mapping[date, float],
    name: str = "the series",
    group: "CompanyGroup | None" = None,
    engine: "SqlEngine | None" = None,
) -> "IndicatorAnswer":
    """How the share of a group, and its price return, moved with a series: rolling correlation and beta.

    Args:
        lake: The lake whose tables are read.
        levels: The series: an index fund, small caps, volatility; above zero, by date.
        name: What the series is called.
        group: Of `group`; by default the Mag 7.
        engine: Where the SQL runs; by default DuckDB over the lake.

    Returns:
        Windows of 63 changes between the dates that both know, and one of all of them.

    Raises:
        UsageError: There are fewer dates in common than a window needs.
        EngineError: The SQL could not be run.
    """
    from mag7cli.analytics.indicators import beside
    from mag7cli.market.groups import THE_SEVEN

    with engine_over(lake, engine) as own:
        return beside(own, levels, name, group or THE_SEVEN)


def benchmark(lake: Lake, *, symbol: str) -> "Benchmark":
    """A series that the lake keeps the prices of beside the index, for `co_movement`.

    Args:
        lake: The lake; `collect` with `benchmarks` asks the vendor for them.
        symbol: The vendor's, such as `IVV`.

    Returns:
        Closes in USD by date, in the share units of the last one, and the steps that were taken for splits.

    Raises:
        UsageError: The lake keeps no such series.
        DocumentError: Its file is damaged.
    """
    from mag7cli.collection import benchmarks

    known = benchmarks.read(lake.require(), symbol)
    if known is None:
        raise UsageError(f"the lake keeps no prices of {symbol}", hint=f"mag7 collect --benchmark {symbol}")
    return known


def explain(lake: Lake, *, on: date, ticker: str | None = None, clock: "Clock | None" = None) -> "Lineage":
    """The lineage of a date's figure: every input with its hash, every count with its origin, every correction.

    Args:
        lake: The lake with the raw document of the date.
        on: The trading date.
        ticker: One constituent instead of all, in the vendor's spelling (`BRK.B`).
        clock: The time; by default this machine's.

    Returns:
        Closes in USD, share counts, market caps in USD, corrections, doubts, failures, sources.

    Raises:
        UsageError: There is no document of the date, or no such constituent in it.
    """
    from mag7cli.analytics.lineage import explain as lineage
    from mag7cli.core.clock import SystemClock

    return lineage(lake.require(), on, clock or SystemClock(), ticker.upper() if ticker else None)


def exposure(
    lake: Lake,
    *,
    positions: "Portfolio | Iterable[Position]",
    funds: "Mapping[str, FundHoldings | Holdings] | None" = None,
    rates: Mapping[str, float] | None = None,
    deltas: Mapping[str, float] | None = None,
    expenses: Mapping[str, float] | None = None,
    top: int = 10,
    group: "CompanyGroup | None" = None,
) -> "Exposure":
    """How much of somebody's money is in the Mag 7, or in another group of companies, funds opened to companies.

    Args:
        lake: The lake whose kept holdings files open the funds that are held, the newest until the day of the
            positions; see `mag7 funds`.
        positions: What is held: of `mag7cli.portfolio.broker_file.parse`, or `Position`s.
        funds: Holdings of further funds, by ticker, identifier or name in capitals; they win over the lake's.
        rates: US dollars for one unit of a currency.
        deltas: Shares that one option stands for, by its label or its underlying; other options are left out.
        expenses: Expense ratios of funds, percent a year, by symbol.
        top: How many other companies are listed.
        group: Of `group`; by default the Mag 7. Who belongs to the largest or to a sector, the lake's last date until
            the day of the positions says.

    Returns:
        Amounts by company and by position, what is not known, and the range that follows from it.

    Raises:
        UsageError: The positions come to nothing, or the lake cannot say who belongs to the group.
    """
    from mag7cli.market.groups import THE_SEVEN
    from mag7cli.portfolio import kept_funds
    from mag7cli.portfolio.exposure import expose
    from mag7cli.portfolio.fund_file import of_holdings
    from mag7cli.portfolio.group_members import decided
    from mag7cli.portfolio.positions import Portfolio, merged

    whole = positions if isinstance(positions, Portfolio) else Portfolio(merged(positions))
    holdings_by_fund = {key: of_holdings(each) for key, each in (funds or {}).items()}
    return expose(
        whole,
        kept_funds.for_positions(lake, whole.positions, holdings_by_fund, whole.as_of),
        rates=rates,
        top=top,
        index=kept_funds.index_fund(lake, whole.as_of),
        deltas=deltas,
        expenses=expenses,
        group=decided(lake, group or THE_SEVEN, whole.as_of),
    )
