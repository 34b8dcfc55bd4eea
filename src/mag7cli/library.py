"""What `import mag7cli` offers: each command of the pipeline as a function of a lake.

Here is decided what a caller need not think of: who holds the lake while it is written, which engine answers, how many
calls run at once, which holdings file counts. The command line only parses, calls and prints.
"""

import os
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit

from mag7cli.core.clock import Clock, SystemClock
from mag7cli.core.errors import KeyNotFoundError, Mag7Error, StoreError, UsageError
from mag7cli.core.progress import Listener, Silence
from mag7cli.lake import failed_checks
from mag7cli.lake.layout import FUNDS, HOLDINGS, Lake

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

    from mag7cli import pipeline
    from mag7cli.analytics.exports import FileFormat, Subject
    from mag7cli.analytics.health import Health, Thresholds
    from mag7cli.analytics.indicators import IndicatorAnswer
    from mag7cli.analytics.lake_status import Status
    from mag7cli.analytics.lineage import Lineage
    from mag7cli.analytics.period import PeriodAnswer
    from mag7cli.analytics.series import SeriesRow
    from mag7cli.analytics.summary import ConcentrationSummary
    from mag7cli.collection.collector import CollectResult
    from mag7cli.collection.estimate import CollectPlan
    from mag7cli.collection.refresh import RefreshResult
    from mag7cli.collection.request import CollectRequest
    from mag7cli.doctor.integrity import Integrity
    from mag7cli.lake.holdings import JudgedHoldings
    from mag7cli.lake.run_history import RunRecord
    from mag7cli.live.follow import LiveUpdate, MarketClosed
    from mag7cli.live.review import LiveReview
    from mag7cli.live.session import LiveRequest
    from mag7cli.market.date_words import Period
    from mag7cli.market.groups import CompanyGroup
    from mag7cli.market.holdings_file import Holdings
    from mag7cli.market.membership import Membership
    from mag7cli.portfolio.answer import Exposure
    from mag7cli.portfolio.fund_file import FundHoldings
    from mag7cli.portfolio.kept_funds import KeptFile
    from mag7cli.portfolio.positions import Portfolio, Position
    from mag7cli.reporting.write import ReportResult
    from mag7cli.tables.daily_figures import DailyFigures
    from mag7cli.tables.transform import Spread, TransformResult
    from mag7cli.vendors.base import MarketDataSource
    from mag7cli.vendors.ishares import Every, HoldingsSite
    from mag7cli.warehouse.duckdb_load import LoadResult
    from mag7cli.warehouse.engines import SqlEngine
    from mag7cli.warehouse.glue_catalog import CatalogChange
    from mag7cli.warehouse.redshift_load import AutoCopyResult
    from mag7cli.warehouse.redshift_load import LoadResult as RedshiftLoad
    from mag7cli.warehouse.validate import CheckResult


def open_vendor(
    *,
    plan: str = "basic",
    rate: str | None = None,
    api_key_command: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> "MarketDataSource":
    """The vendor, Polygon.io (Massive), ready to be asked; nothing is sent before the first call.

    Args:
        plan: The plan of the key: `basic`, `starter`, `developer` or `advanced`.
        rate: Calls allowed, such as `5/min`; by default the plan's.
        api_key_command: The command that prints the key, where the environment has none.
        environ: Where `POLYGON_API_KEY` and `POLYGON_BASE_URL` are looked for; by default this process's environment.

    Returns:
        A source of bars, details and splits. Close it when done.

    Raises:
        AuthenticationError: There is no key.
        UsageError: There is no such plan or rate.
    """
    from mag7cli.collection.request import CollectRequest
    from mag7cli.vendors.polygon import open_source

    pace = CollectRequest(plan=plan, rate=rate).pace
    return open_source(
        os.environ if environ is None else environ, plan=plan, rate=pace, api_key_command=api_key_command
    )


def estimate(
    lake: Lake,
    *,
    request: "CollectRequest | None" = None,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> "CollectPlan":
    """What `collect` would do with the same request, without a call.

    Args:
        lake: The lake to collect into.
        request: What to collect; by default all that is missing and the plan serves.
        listener: Hears if the range was cut to what the plan serves.
        clock: The time; by default this machine's.

    Returns:
        Dates, calls by kind, bytes, and seconds at the allowed rate.

    Raises:
        PlanError: The plan does not serve the range.
        UsageError: There is no such range, plan or rate.
    """
    from mag7cli.collection import request as requests

    return requests.estimate(lake, request or requests.CollectRequest(), clock or SystemClock(), listener or Silence())


def collect(
    lake: Lake,
    *,
    request: "CollectRequest | None" = None,
    vendor: "MarketDataSource | None" = None,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> "CollectResult":
    """Collect prices and share counts, one raw document for each trading date that is missing. Holds the lake.

    Args:
        lake: The lake to collect into.
        request: What to collect; by default all that is missing and the plan serves.
        vendor: Asked in place of the vendor of the request; closed at the end.
        listener: Hears of progress, and may end the run early.
        clock: The time; by default this machine's.

    Returns:
        Dates written, those without a figure and why, lines that failed, calls by kind, the bound that was reached.

    Raises:
        LockedError: Another run holds the lake.
        MarketDataError: The run cannot go on; what was collected is kept.
    """
    from mag7cli.collection import request as requests
    from mag7cli.lake.lock import locked

    with locked(lake, "mag7 collect"):
        return requests.collect(
            lake,
            request or requests.CollectRequest(),
            clock=clock or SystemClock(),
            listener=listener or Silence(),
            vendor=vendor,
        )


def refresh(
    lake: Lake,
    *,
    start: date,
    end: date,
    request: "CollectRequest | None" = None,
    vendor: "MarketDataSource | None" = None,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> "RefreshResult":
    """Ask the vendor again about collected dates, and value anew what follows from its corrections. Holds the lake.

    Args:
        lake: The lake with the documents.
        start: First trading date, both ends included.
        end: Last trading date.
        request: The plan, pace and limits of the run; its range is not used.
        vendor: Asked in place of the vendor of the request; closed at the end.
        listener: Hears of progress, and may end the run early.
        clock: The time; by default this machine's.

    Returns:
        What changed on which dates, line by line, and the answers that were refused because they cannot be true.

    Raises:
        UsageError: There is no lake, or no date of the range was collected.
        LockedError: Another run holds the lake.
        MarketDataError: The run cannot go on; the same call goes on with it.
    """
    from mag7cli.collection import request as requests
    from mag7cli.collection.request import CollectRequest
    from mag7cli.lake.lock import locked

    with locked(lake.require(), "mag7 collect"):
        return requests.refresh(
            lake,
            replace(request or CollectRequest(), start=start, end=end),
            clock=clock or SystemClock(),
            listener=listener or Silence(),
            vendor=vendor,
        )


def calls_to_refresh(
    lake: Lake, *, start: date, end: date, request: "CollectRequest | None" = None, clock: Clock | None = None
) -> dict[str, int]:
    """How many calls `refresh` makes at most, by kind, without a call.

    Args:
        lake: The lake with the documents.
        start: First trading date, both ends included.
        end: Last trading date.
        request: The plan and the pace.
        clock: The time; by default this machine's.

    Raises:
        UsageError: There is no lake, or no date of the range was collected.
    """
    from mag7cli.collection import request as requests

    period = replace(request or CollectRequest(), start=start, end=end)
    return requests.calls_to_refresh(lake.require(), period, clock=clock or SystemClock(), listener=Silence())


def members(lake: Lake, *, on: date | None = None, clock: Clock | None = None) -> "Membership":
    """Who is in the S&P 500 on a day.

    Args:
        lake: Its latest holdings file on or before the day is where the list begins, if it keeps any.
        on: The day; by default the last session that is over.
        clock: The time; by default this machine's.

    Returns:
        The constituents in the vendor's spelling, since when the list is in force, and how it is known.

    Raises:
        HoldingsFormatError: A file that the lake keeps is broken.
    """
    from mag7cli.lake.holdings import read_all_kept
    from mag7cli.market.calendar import last_completed_session
    from mag7cli.market.membership import members_on

    day = on or last_completed_session((clock or SystemClock()).now())
    return members_on(day, read_all_kept(lake))


def keep_holdings(
    lake: Lake, *, data: bytes, name: str, as_of: date | None = None, accept: bool = False, clock: Clock | None = None
) -> "JudgedHoldings":
    """Read a holdings file of the index fund, and keep it in the lake if it is what it should be. Holds the lake.

    Args:
        lake: Where to keep it.
        data: The file as ishares.com gives it.
        name: What the file is called in errors.
        as_of: Its day, where it does not say.
        accept: Keep it although it is doubtful, or in place of another one of its day.
        clock: The time; by default this machine's.

    Returns:
        What was read, whether it was kept, what speaks against it, and its differences from the known history.

    Raises:
        HoldingsFormatError: It is no such file.
        LockedError: Another run holds the lake.
    """
    from mag7cli.market import holdings_file

    holdings = holdings_file.parse(data, name, as_of=as_of)
    return _kept(lake, holdings, data, accept=accept, clock=clock)


def download_holdings(
    lake: Lake, *, as_of: date | None = None, accept: bool = False, clock: Clock | None = None
) -> "JudgedHoldings":
    """Get the index fund's holdings from the issuer, and keep them in the lake as `keep_holdings` does.

    Args:
        lake: Where to keep them.
        as_of: The day; by default the latest one.
        accept: Keep them although they are doubtful, or in place of others of their day.
        clock: The time; by default this machine's.

    Returns:
        What came, whether it was kept, what speaks against it, and its differences from the known history.

    Raises:
        NoHoldingsError: The issuer has none of that day.
        HoldingsFormatError: What came is no holdings file of that day.
        VendorUnavailableError: The issuer did not answer.
        LockedError: Another run holds the lake.
    """
    from mag7cli.vendors.ishares import HoldingsSite

    holdings, data = HoldingsSite().download(as_of)
    return _kept(lake, holdings, data, accept=accept, clock=clock)


def download_holdings_history(
    lake: Lake,
    *,
    since: date,
    every: "Every" = "month",
    accept: bool = False,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> "Iterator[JudgedHoldings]":
    """Get the holdings files that the lake lacks, one a week, month or quarter; each is kept as it comes.

    Args:
        lake: Where to keep them.
        since: The first day.
        every: `week`, `month` or `quarter`.
        accept: Keep doubtful ones, and in place of others.
        listener: Hears of progress.
        clock: The time; by default this machine's.

    Yields:
        Each file as `keep_holdings` returns it, oldest first.

    Raises:
        VendorUnavailableError: The issuer did not answer; what came before is kept.
        LockedError: Another run holds the lake.
    """
    from mag7cli.core.progress import Note
    from mag7cli.market.calendar import last_completed_session
    from mag7cli.vendors.ishares import HoldingsSite, days_to_ask

    days = days_to_ask(since, last_completed_session((clock or SystemClock()).now()), every)
    with (listener or Silence()).progress("holdings", unit="file") as progress:
        progress.start(len(days))
        for holdings, data in HoldingsSite().history(days, lake.holdings_dates()):
            yield _kept(lake, holdings, data, accept=accept, clock=clock)
            progress.note(Note(doing=str(holdings.as_of)))
            progress.advance()


def _kept(lake: Lake, holdings: "Holdings", data: bytes, *, accept: bool, clock: Clock | None) -> "JudgedHoldings":
    """Judge a file, and keep it while nobody else writes; what is refused makes no lake."""
    from mag7cli.lake.holdings import JudgedHoldings, judge, keep
    from mag7cli.lake.lock import locked

    today = (clock or SystemClock()).now().date()
    is_kept = holdings.as_of and (accept or not judge(lake, holdings, today))
    with locked(lake, "mag7 tickers") if is_kept else nullcontext():
        verdict = keep(lake, holdings, data, today=today, accept=accept)
    return JudgedHoldings(holdings, verdict)


def keep_fund(
    lake: Lake, *, symbol: str, data: bytes, name: str, as_of: date | None = None, clock: Clock | None = None
) -> "KeptFile":
    """Keep the holdings file of any fund, after reading it, so that `exposure` opens the fund by it. Holds the lake.

    Args:
        lake: Where to keep it.
        symbol: The fund's ticker or ISIN.
        data: The file as its issuer gives it.
        name: Its name, by which errors call it.
        as_of: Its day, where it does not say.
        clock: The time; by default this machine's.

    Returns:
        The file in the lake: whose it is, of which day, its key.

    Raises:
        HoldingsFormatError: It is no holdings file that can be read.
        UsageError: It is of another fund, or does not say of which day.
        LockedError: Another run holds the lake.
    """
    from mag7cli.lake.lock import locked
    from mag7cli.portfolio import kept_funds

    plain, today = kept_funds.plain_symbol(symbol), (clock or SystemClock()).now().date()
    with locked(lake, "mag7 funds"):
        return kept_funds.keep(lake, plain, data, name=name, today=today, as_of=as_of)


def download_fund(
    lake: Lake,
    *,
    symbol: str,
    url: str | None = None,
    as_of: date | None = None,
    site: "HoldingsSite | None" = None,
    clock: Clock | None = None,
) -> "KeptFile":
    """Get the newest holdings file of a fund from its issuer, and keep it as `keep_fund` does.

    Args:
        lake: Where to keep it.
        symbol: The fund's ticker or ISIN.
        url: Where the issuer serves it, remembered for the next time; by default what was remembered or is known.
        as_of: Its day, where it does not say.
        site: Who fetches, if several are fetched one after the other.
        clock: The time; by default this machine's.

    Returns:
        The file in the lake: whose it is, of which day, its key.

    Raises:
        UsageError: Nobody has said where the file is.
        HoldingsFormatError: What came is no holdings file.
        VendorUnavailableError: The issuer did not answer.
        LockedError: Another run holds the lake.
    """
    from mag7cli.portfolio import kept_funds
    from mag7cli.vendors.ishares import HoldingsSite

    address = url or kept_funds.address_of(lake, kept_funds.plain_symbol(symbol))
    try:
        data = (site or HoldingsSite()).latest(address)
    except Mag7Error as error:
        error.hint = "save the file with a browser, then: mag7 funds add SYMBOL=FILE"
        raise
    name = urlsplit(address).path.rpartition("/")[2] or "holdings"
    fund_file = keep_fund(lake, symbol=symbol, data=data, name=name, as_of=as_of, clock=clock)
    if url:
        kept_funds.remember(lake, fund_file.symbol, url)
    return fund_file


def transform(
    lake: Lake,
    *,
    start: date | None = None,
    end: date | None = None,
    force: bool = False,
    engine: Literal["local", "spark"] = "local",
    listener: Listener | None = None,
) -> "TransformResult":
    """Turn raw documents into the Parquet tables of both layouts; unchanged dates cost nothing. Holds the lake.

    Args:
        lake: The lake with the documents.
        start: First trading date, both ends included; by default the lake's first.
        end: Last trading date; by default the lake's last.
        force: Make again what has not changed.
        engine: `local` for the cores of this machine; `spark` for the executors of the Spark session that runs, or of
            a new one, a year each. Both write the same bytes.
        listener: Hears of progress.

    Returns:
        Dates written, unchanged and removed, and documents that could not be read.

    Raises:
        LockedError: Another run holds the lake.
        ExtraMissingError: There is no pyspark.
    """
    from mag7cli.lake.lock import locked
    from mag7cli.tables.transform import transform as make_tables

    spread: Spread | None = None
    if engine == "spark":
        from mag7cli.tables.spark import on_executors

        spread = on_executors
    with (
        locked(lake.require(), "mag7 transform"),
        (listener or Silence()).progress("Transforming") as progress,
    ):
        return make_tables(lake, start, end, force=force, progress=progress, spread=spread)


def validate(lake: Lake, *, engine: "SqlEngine | None" = None, full: bool = False) -> "list[CheckResult]":
    """Run the data-quality checks, and keep in the lake which failed: what they concern is marked until they pass.

    Args:
        lake: The lake whose tables are checked.
        engine: Where the SQL runs, over all dates; by default DuckDB over both layouts of the lake.
        full: Check every date, those too that passed before and have not changed.

    Returns:
        One result a check, errors first; `is_failure` tells those that found rows.

    Raises:
        EngineError: The SQL could not be run.
    """
    from mag7cli.warehouse.lake_checks import check_lake
    from mag7cli.warehouse.validate import failed_checks as failures
    from mag7cli.warehouse.validate import run_checks

    if engine is not None:
        return run_checks(engine)
    results = check_lake(lake.require(), full=full)
    # A lake that may only be read can be checked all the same.
    with suppress(StoreError):
        failed_checks.write(lake, failures(results))
    return results


def verify(lake: Lake) -> "Integrity":
    """Hold every file of a lake against what was written, and name what is not mag7's. Nothing is written.

    Args:
        lake: The lake to look at, as a whole.

    Returns:
        Raw files that are damaged or gone, table files that differ from what the raw files make, foreign objects.

    Raises:
        StoreError: The lake cannot be read.
        UsageError: There is no lake.
    """
    from mag7cli.doctor.integrity import check

    return check(lake.require())


def foreign_objects(lake: Lake, *, zones: "Sequence[str] | None" = None) -> list[str]:
    """The keys of the objects in a lake that mag7 did not write: no command reads them.

    Args:
        lake: The lake to look at.
        zones: The folders to look into; by default all that mag7 reads.

    Raises:
        StoreError: The lake cannot be read.
    """
    from mag7cli.lake.inventory import ZONES
    from mag7cli.tables import table_files

    return [info.key for info in table_files.foreign_objects(lake, zones or ZONES)]


def load(lake: Lake) -> "LoadResult":
    """Bring the DuckDB warehouse of a local lake up to date, each table in one transaction. Holds the lake.

    Args:
        lake: A lake in a folder; one on S3 is loaded by Athena or Redshift.

    Returns:
        The warehouse's path, tables replaced and unchanged, rows by table.

    Raises:
        LockedError: Another run holds the lake.
        UsageError: The lake is no folder.
    """
    from mag7cli.lake.lock import locked
    from mag7cli.warehouse.duckdb_load import load as load_warehouse

    with locked(lake.require(), "mag7 load"):
        return load_warehouse(lake)


def load_athena(lake: Lake, *, engine: "SqlEngine") -> "list[CatalogChange]":
    """Bring Athena's catalog up to date: database, tables, partitions by date, views. Holds the lake.

    Args:
        lake: A lake on S3, which Athena queries in place.
        engine: An `mag7cli.warehouse.engines.athena.AthenaEngine`.

    Returns:
        What was created, changed, or found as it should be, in that order of work.

    Raises:
        LockedError: Another run holds the lake.
        UsageError: The lake is no bucket, or foreign objects lie among its tables.
        EngineError: The service refused.
    """
    from mag7cli.lake.lock import locked
    from mag7cli.warehouse.glue_catalog import sync

    with locked(lake, "mag7 load"):
        return sync(lake, engine)


def load_redshift(
    lake: Lake, *, engine: "SqlEngine", role: str = "default", recreate: bool = False, end_auto_copy: bool = False
) -> "RedshiftLoad":
    """Replace the rows of every table in Redshift by those of the lake, in one transaction. Holds the lake.

    Args:
        lake: A lake on S3.
        engine: An `mag7cli.warehouse.engines.redshift.RedshiftEngine`.
        role: The ARN of the role that reads the bucket, or `default` for the warehouse's own.
        recreate: Replace tables of an older shape.
        end_auto_copy: Drop the COPY JOBs and their files first.

    Returns:
        Rows of each table in the lake and in the warehouse, and the statements that were run.

    Raises:
        LockedError: Another run holds the lake.
        UsageError: The lake is no bucket.
        EngineError: The warehouse refused, or has other rows than the lake.
    """
    from mag7cli.lake.lock import locked
    from mag7cli.warehouse import copy_jobs, redshift_load

    redshift_load.check_is_s3(lake.store)
    with locked(lake, "mag7 load"):
        if end_auto_copy:
            copy_jobs.end(lake.store, engine)
        return redshift_load.load(lake, engine, role, recreate=recreate)


def auto_copy_redshift(
    lake: Lake, *, engine: "SqlEngine", role: str = "default", recreate: bool = False
) -> "AutoCopyResult":
    """Let Redshift's COPY JOBs load each new date by themselves, and hand them what is new. Holds the lake.

    Args:
        lake: A lake on S3.
        engine: An `mag7cli.warehouse.engines.redshift.RedshiftEngine`.
        role: The ARN of the role that reads the bucket, or `default` for the warehouse's own.
        recreate: Replace tables of an older shape.

    Returns:
        Jobs that were made, files handed over, waiting or changed since, and whether the integration is there.

    Raises:
        LockedError: Another run holds the lake.
        UsageError: The lake is no bucket.
        EngineError: The warehouse refused.
    """
    from mag7cli.lake.lock import locked
    from mag7cli.warehouse import redshift_load

    redshift_load.check_is_s3(lake.store)
    with locked(lake, "mag7 load"):
        return redshift_load.auto_copy(lake, engine, role, recreate=recreate)


def run(
    lake: Lake,
    *,
    request: "CollectRequest | None" = None,
    vendor: "MarketDataSource | None" = None,
    listener: Listener | None = None,
    clock: Clock | None = None,
) -> "pipeline.RunResult":
    """Collect, transform, validate, load and report, each only if there is something new for it. Holds the lake.

    Args:
        lake: The lake to bring up to date.
        request: What to collect; by default all that is missing and the plan serves, with what the vendor corrected on
            the last sessions before.
        vendor: Asked in place of the vendor of the request; closed at the end.
        listener: Hears of progress, and may end the collection early.
        clock: The time; by default this machine's.

    Returns:
        What each stage did, and the exit code that says how it went.

    Raises:
        LockedError: Another run holds the lake.
        MarketDataError: The collection cannot go on; what was collected is kept.
    """
    from mag7cli import pipeline
    from mag7cli.collection.request import CollectRequest
    from mag7cli.collection.tolerance import RECHECKED_SESSIONS

    return pipeline.run(
        lake,
        request or CollectRequest(recheck=RECHECKED_SESSIONS),
        vendor=vendor,
        listener=listener or Silence(),
        clock=clock or SystemClock(),
    )


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
    if path.suffix and path.is_file():
        return groups.of_file(path.name, path.read_text(encoding="utf-8-sig"), without)
    return groups.parse(companies, without)


def wait_until_served(plan: str, *, listener: Listener | None = None, clock: Clock | None = None) -> None:
    """Wait until a plan serves the session of today, if today has one whose data is not served yet.

    Args:
        plan: The plan of the key: `basic`, `starter`, `developer` or `advanced`.
        listener: Hears until when it waits.
        clock: The time; by default this machine's.

    Raises:
        UsageError: There is no such plan.
    """
    from mag7cli.vendors.subscription import plan as plan_of
    from mag7cli.vendors.subscription import wait_until_served as wait

    wait(plan_of(plan), clock or SystemClock(), listener or Silence())


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

    failed, figures = failed_checks.read(lake), _figures(lake, group, engine)
    if figures and not _keeps_funds(lake):
        return answer_from_files(figures, on, failed=failed)
    from mag7cli.portfolio.fund_weights import weight_on

    with _engine_over(lake, engine) as own:
        concentration = answer(own, on, None, group=group or THE_SEVEN, failed=failed)
        if not (group or THE_SEVEN).is_the_seven:
            return concentration
        return replace(concentration, fund=weight_on(lake, own, concentration.on))


def period(
    lake: Lake, words: Sequence[str], *, engine: "SqlEngine | None" = None, clock: Clock | None = None
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
    from mag7cli.core.clock import NEW_YORK
    from mag7cli.market import date_words

    if not words:
        return None
    today = (clock or SystemClock()).now().astimezone(NEW_YORK).date()
    first, latest = _first_and_last(lake, engine) or (today, today)
    return date_words.period(words, today=today, first=first, latest=latest)


def _first_and_last(lake: Lake, engine: "SqlEngine | None") -> tuple[date, date] | None:
    """The first and the last date with a figure; None if there is none."""
    from mag7cli.analytics import file_figures, queries

    figures = _figures(lake, None, engine)
    if figures:
        return file_figures.first_and_last(figures)
    with _engine_over(lake, engine) as own:
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
        Shares and returns in percent, market caps in USD; returns are without dividends.

    Raises:
        UsageError: One of the dates has no figure.
        EngineError: The SQL could not be run.
    """
    from mag7cli.analytics.period import compare as compared
    from mag7cli.market.groups import THE_SEVEN

    with _engine_over(lake, engine) as own:
        return compared(own, since, until, group or THE_SEVEN)


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

    figures = _figures(lake, group, engine)
    if figures and not _keeps_funds(lake):
        start = since or (file_figures.first_of_latest(figures, last) if last else BEGINNING)
        return rows_of(file_figures.read_concentration(figures, start, until or END))
    from mag7cli.portfolio.fund_weights import index_fund_days, with_fund

    with _engine_over(lake, engine) as own:
        start = since or (first_of_latest(own, last) if last else BEGINNING)
        rows = read_series(own, start, until or END, group or THE_SEVEN)
        return with_fund(rows, index_fund_days(lake, own)) if (group or THE_SEVEN).is_the_seven else rows


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

    with _engine_over(lake, engine) as own:
        return beside(own, levels, name, group or THE_SEVEN)


def export(
    lake: Lake,
    *,
    out: "Path | IO[bytes]",
    subject: "Subject" = "series",
    file_format: "FileFormat" = "csv",
    since: date | None = None,
    until: date | None = None,
    group: "CompanyGroup | None" = None,
) -> int:
    """Write the daily series, or what is behind it, to a file or a stream; rows stream, whatever their number.

    Args:
        lake: The lake whose tables are read.
        out: The file, or a binary stream.
        subject: `series`, `companies` (of the group), `constituents`, `returns` or `fund-weights`.
        file_format: `csv`, `jsonl`, `parquet` or `xlsx`.
        since: The first date, included.
        until: The last date, included.
        group: Of `group`; by default the Mag 7.

    Returns:
        How many rows were written, each with its date, status, bounds, kind and simulated mark.

    Raises:
        ExtraMissingError: A workbook is asked for, and the optional part `excel` is not installed.
        StoreError: The file cannot be written.
    """
    from mag7cli.analytics.exports import ExportRequest, write
    from mag7cli.analytics.queries import BEGINNING, END
    from mag7cli.market.groups import THE_SEVEN
    from mag7cli.portfolio import fund_weights

    request = ExportRequest(
        subject=subject,
        group=group or THE_SEVEN,
        since=since or BEGINNING,
        until=until or END,
        fund=fund_weights.index_fund(lake) or "",
    )
    with closing(_duckdb(lake)) as engine:
        if subject in ("series", "fund-weights"):
            fund_weights.add_table(engine, lake)
        return write(engine, request, file_format, out)


def follow(
    lake: Lake,
    *,
    request: "LiveRequest | None" = None,
    api_key_command: str | None = None,
    environ: Mapping[str, str] | None = None,
    clock: SystemClock | None = None,
) -> "Generator[LiveUpdate | MarketClosed]":
    """The share during the session, from the vendor's stream: intraday and unofficial, a point a minute.

    Args:
        lake: Its last document gives share counts and closes; its live zone keeps the minutes.
        request: What to follow, and until when; by default the Mag 7 until somebody has had enough.
        api_key_command: The command that prints the key, where the environment has none.
        environ: Where `POLYGON_API_KEY`, `POLYGON_BASE_URL` and `POLYGON_STREAM_URL` are looked for.
        clock: The time; by default this machine's.

    Yields:
        Points with their age, coverage and bound; `MarketClosed` while nothing trades.

    Raises:
        LockedError: Another process keeps the minutes of this lake.
        AuthenticationError: There is no key, or the vendor does not know it.
        PlanError: The plan has neither a stream nor snapshots.
        Mag7Error: The lake has no document with share counts.
    """
    from mag7cli.live.session import LiveRequest, follow_sessions
    from mag7cli.vendors.polygon import open_source, open_stream

    request, clock = request or LiveRequest(), clock or SystemClock()
    variables = os.environ if environ is None else environ
    source = open_source(variables, plan=request.plan, api_key_command=api_key_command, clock=clock)
    with closing(source):
        yield from follow_sessions(
            lake,
            source,
            lambda feed, symbols: open_stream(variables, feed, symbols, api_key_command=api_key_command),
            request=request,
            clock=clock,
        )


def review_live(lake: Lake, *, on: date) -> "LiveReview":
    """The last live share of a date beside its official close, in figures.

    Args:
        lake: Has the minutes that were kept, and the document of the date.
        on: The trading date.

    Returns:
        Both shares in percent (0-100), their difference in points, whether it lies in the bound, and what was kept.

    Raises:
        UsageError: No minute of the date was kept, or its document is not there yet.
    """
    from mag7cli.collection.split_cache import read_splits
    from mag7cli.live.points import LivePoints
    from mag7cli.live.review import review

    records = LivePoints(lake).read(on)
    if not records:
        raise UsageError(f"no minute of {on} was kept", hint="mag7 live keeps them as they come")
    try:
        document = lake.require().read_document(on)
    except KeyNotFoundError:
        raise UsageError(
            f"there is no document of {on} to compare with", hint=f"mag7 collect --start {on} --end {on}"
        ) from None
    close_date = date.fromisoformat(records[-1]["close_date"])
    splits = [split for splits in read_splits(lake).by_ticker.values() for split in splits]
    return review(records, document, lake.read_document(close_date), splits)


def explain(lake: Lake, *, on: date, ticker: str | None = None, clock: Clock | None = None) -> "Lineage":
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


def status(lake: Lake, *, clock: Clock | None = None) -> "Status":
    """What the lake holds and lacks.

    Args:
        lake: The lake; nothing is written to it.
        clock: The time; by default this machine's.

    Returns:
        Dates, gaps, partial dates, failures by reason, sizes in bytes, sessions behind.

    Raises:
        StoreError: The lake cannot be read.
    """
    from mag7cli.analytics.lake_status import status as lake_status
    from mag7cli.market.calendar import last_completed_session

    return lake_status(lake.require(), last_completed_session((clock or SystemClock()).now()))


def health(
    lake: Lake, *, limits: "Thresholds | None" = None, engine: "SqlEngine | None" = None, clock: Clock | None = None
) -> "Health":
    """Whether the lake is as its owner wants it: up to date, whole, trusted, and within the limits of the figure.

    Args:
        lake: The lake; nothing is written to it.
        limits: What is still good; by default one session behind, and nothing doubtful in the last twenty dates.
        engine: Where the SQL runs; by default DuckDB over the lake.
        clock: The time; by default this machine's.

    Returns:
        What is not as it should be, with values and limits; nothing if all is well.

    Raises:
        StoreError: The lake cannot be read.
        EngineError: Its tables cannot be read.
    """
    from mag7cli.analytics.health import Thresholds, judge, read_days
    from mag7cli.lake.run_history import read

    now = clock or SystemClock()
    state = status(lake, clock=now)
    with _engine_over(lake, engine) as own:
        days = read_days(own)
    return judge(state, days, read(lake), today=now.now().date(), limits=limits or Thresholds())


def runs(lake: Lake) -> "list[RunRecord]":
    """How the runs of a lake went.

    Args:
        lake: The lake; nothing is written to it.

    Returns:
        A record for each run that is remembered, oldest first: when, how it ended, dates, calls, what failed.

    Raises:
        StoreError: The lake cannot be read.
        UsageError: There is no lake.
    """
    from mag7cli.lake.run_history import read

    return read(lake.require())


def report(
    lake: Lake,
    *,
    out: Path | None = None,
    png_dir: Path | None = None,
    group: "CompanyGroup | None" = None,
    engine: "SqlEngine | None" = None,
    clock: Clock | None = None,
) -> "ReportResult":
    """Draw the report: one HTML file that needs no network.

    Args:
        lake: The lake whose tables are drawn.
        out: Where the page goes; by default `report.html` in a local lake.
        png_dir: Where each chart goes as a PNG, too.
        group: Of `group`; by default the Mag 7. The page of another group has no default place.
        engine: Where the SQL runs; by default DuckDB over the lake.
        clock: The time; by default this machine's.

    Returns:
        The page's path and size in bytes, the pictures, the summary that it begins with.

    Raises:
        ExtraMissingError: The optional part `report` is not installed.
        UsageError: A lake on S3, or another group, has no place for the page, and `out` is not given.
    """
    from mag7cli import pipeline
    from mag7cli.market.groups import THE_SEVEN
    from mag7cli.portfolio.fund_weights import weight_on
    from mag7cli.reporting.write import write_report

    whose = group or THE_SEVEN
    if out is None and not whose.is_the_seven:
        raise UsageError(
            "report.html in the lake is of the Mag 7: name the file of another group",
            hint="mag7 report --group top10 --out top10.html",
        )
    page = out or pipeline.report_path(lake)
    if page is None:
        raise UsageError("a lake on S3 has no place for the report", hint="mag7 report --out report.html")
    now = clock or SystemClock()
    with _engine_over(lake, engine) as own:
        fund = weight_on(lake, own, None) if whose.is_the_seven else None
        return write_report(own, page, png_dir, now, fund, lake=lake, group=whose)


@overload
def table(lake: Lake, name: str, *, kind: Literal["arrow"] = "arrow") -> "pa.Table": ...
@overload
def table(lake: Lake, name: str, *, kind: Literal["pandas"]) -> "pd.DataFrame": ...
@overload
def table(lake: Lake, name: str, *, kind: Literal["duckdb"]) -> "duckdb.DuckDBPyRelation": ...
def table(lake: Lake, name: str, *, kind: Literal["arrow", "pandas", "duckdb"] = "arrow") -> Any:
    """A table or view of the lake, whole.

    Args:
        lake: The lake whose flat Parquet files are read.
        name: A table or view of `docs/data-model.md`, such as `concentration_metrics`.
        kind: `arrow` for a `pyarrow.Table`, `pandas` for a DataFrame, `duckdb` for a relation to query on.

    Returns:
        The rows in the types of the data model: dates as dates, money as decimals.

    Raises:
        UsageError: There is no such table.
        EngineError: It cannot be read.
    """
    from mag7cli.portfolio import fund_weights
    from mag7cli.tables.schema import COMPUTED, SCHEMA, TABLES, VIEWS

    names = [*(table.name for table in (*TABLES, *COMPUTED)), *(view.name for view in VIEWS)]
    if name not in names:
        raise UsageError(f"there is no table {name!r}", hint=f"use one of {', '.join(names)}")
    engine = _duckdb(lake.require())
    if name == fund_weights.TABLE:
        fund_weights.add_table(engine, lake)
    relation = engine.relation(f"{SCHEMA}.{name}")
    if kind == "duckdb":
        return relation  # it keeps the connection for as long as it lives
    with closing(engine):
        rows = relation.to_arrow_table()
    return rows.to_pandas(date_as_object=True) if kind == "pandas" else rows


def _figures(lake: Lake, group: "CompanyGroup | None", engine: "SqlEngine | None") -> "DailyFigures | None":
    """The figures beside the tables, where they can answer: they are true, of the Mag 7, and nobody named an engine."""
    from mag7cli.tables.daily_figures import DailyFigures

    is_answered = engine is None and (group is None or group.is_the_seven)
    return DailyFigures.of(lake.require()) if is_answered else None


def _keeps_funds(lake: Lake) -> bool:
    """Whether files of funds are kept, whose weights are taken to other dates by prices: that takes an engine."""
    return any(True for zone in (HOLDINGS, FUNDS) for _ in lake.store.list(zone))


def _duckdb(lake: Lake) -> Any:
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    return DuckDbEngine.over_lake(lake)


@contextmanager
def _engine_over(lake: Lake, engine: "SqlEngine | None") -> "Iterator[SqlEngine]":
    """The engine of the caller, or one of our own for as long as it is needed."""
    if engine is not None:
        yield engine
        return
    with closing(_duckdb(lake.require())) as own:
        yield own
