"""The cron line: collect, transform, validate, load, report, each only if there is something new for it."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mag7cli.core.errors import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_INVALID,
    EXIT_PARTIAL,
    ExtraMissingError,
    Mag7Error,
)
from mag7cli.lake.layout import Lake
from mag7cli.lake.run_history import RunRecord, remember

if TYPE_CHECKING:
    from mag7cli.collection.collector import CollectResult
    from mag7cli.collection.request import CollectRequest
    from mag7cli.core.clock import Clock
    from mag7cli.core.progress import Listener
    from mag7cli.portfolio.kept_weights import KeptWeights
    from mag7cli.reporting.write import ReportResult
    from mag7cli.tables.transform import TransformResult
    from mag7cli.vendors.base import MarketDataSource
    from mag7cli.warehouse.duckdb_load import LoadResult
    from mag7cli.warehouse.engines import SqlEngine
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine
    from mag7cli.warehouse.validate import CheckResult

REPORT: Final = "report.html"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What each stage did; None for a stage that was not needed, or cannot be run on this lake.

    `report_missing` says why there is no report although there was something new to show.
    """

    collected: "CollectResult"
    transformed: "TransformResult"
    checks: "tuple[CheckResult, ...]" = ()
    loaded: "LoadResult | None" = None
    report: "ReportResult | None" = None
    report_missing: str | None = None

    @property
    def is_nothing_new(self) -> bool:
        """True if everything was up to date."""
        return not self.collected.written and not self.transformed.written and not self.checks

    @property
    def exit_code(self) -> int:
        """Failed checks matter most, then dates, lines or documents that failed."""
        if any(check.is_failure for check in self.checks):
            return EXIT_INVALID
        return EXIT_DONE if self.collected.is_clean and not self.transformed.failed else EXIT_PARTIAL


def run(
    lake: Lake,
    request: "CollectRequest",
    *,
    vendor: "MarketDataSource | None",
    listener: "Listener",
    clock: "Clock",
) -> RunResult:
    """Collect, and carry what is new to the report, holding the lake; how it ended is remembered there.

    A warehouse, and a report in a local lake, are brought up to date also if an earlier run died before them. While a
    check of severity error fails, the warehouse stays as it was, the report says so, and the result is red.
    """
    from mag7cli.lake.lock import locked

    started = clock.now()
    with locked(lake, "mag7 run"):
        try:
            result = _stages(lake, request, vendor=vendor, listener=listener, clock=clock)
        except (Mag7Error, KeyboardInterrupt) as error:
            remember(lake, _cut_short(error, started, clock.now()))
            raise
        remember(lake, _ended(result, started, clock.now()))
    return result


def _cut_short(error: BaseException, started: datetime, ended: datetime) -> RunRecord:
    code = error.exit_code if isinstance(error, Mag7Error) else EXIT_INTERRUPTED
    said = str(error) if isinstance(error, Mag7Error) else "interrupted"
    return RunRecord(started_at=_written(started), ended_at=_written(ended), exit_code=code, error=said)


def _ended(result: RunResult, started: datetime, ended: datetime) -> RunRecord:
    collected = result.collected
    return RunRecord(
        started_at=_written(started),
        ended_at=_written(ended),
        exit_code=result.exit_code,
        dates=len(collected.written),
        last_date=collected.written[-1].isoformat() if collected.written else None,
        calls=sum(collected.calls.values()),
        partial=len(collected.partial),
        failed_lines=sum(len(failed) for failed in collected.failed.values()),
        failed_checks=tuple(check.check.name for check in result.checks if check.is_failure),
    )


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _stages(
    lake: Lake,
    request: "CollectRequest",
    *,
    vendor: "MarketDataSource | None",
    listener: "Listener",
    clock: "Clock",
) -> RunResult:
    from mag7cli.collection.request import collect
    from mag7cli.lake import failed_checks
    from mag7cli.tables.transform import transform

    collected = collect(lake, request, clock=clock, listener=listener, vendor=vendor)
    transformed = transform(lake)
    is_new = bool(collected.written or transformed.written or transformed.removed)
    if not is_new and _is_current(lake) and not failed_checks.read(lake):
        return RunResult(collected, transformed)
    with closing(_engine(lake)) as engine:
        checks = _checked(lake, engine)
        loaded = None if any(check.is_failure for check in checks) else _loaded(lake)
        report, report_missing = _reported(lake, engine, clock)
    return RunResult(
        collected=collected,
        transformed=transformed,
        checks=checks,
        loaded=loaded,
        report=report,
        report_missing=report_missing,
    )


def report_path(lake: Lake) -> Path | None:
    """Where the report of a local lake lies."""
    return lake.store.local_root / REPORT if lake.store.local_root else None


def _is_current(lake: Lake) -> bool:
    if lake.store.local_root is None:
        return True
    from mag7cli.warehouse.duckdb_load import is_current

    return is_current(lake)


def _engine(lake: Lake) -> "DuckDbEngine":
    """One for checks and report, with what these ask for: to open it takes as long as the questions of either."""
    from mag7cli.tables.schema import TABLE
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    return DuckDbEngine.over_lake(lake, names=[*TABLE, "company_returns"])


def _checked(lake: Lake, engine: "DuckDbEngine") -> "tuple[CheckResult, ...]":
    from mag7cli.warehouse.lake_checks import check_lake, record_failures

    results = tuple(check_lake(lake, engine=engine))
    record_failures(lake, results)
    return results


def _loaded(lake: Lake) -> "LoadResult | None":
    if lake.store.local_root is None:
        return None
    from mag7cli.warehouse.duckdb_load import load

    return load(lake)


def _reported(lake: Lake, engine: "DuckDbEngine", clock: "Clock") -> "tuple[ReportResult | None, str | None]":
    out = report_path(lake)
    if out is None:
        return None, None
    from mag7cli.reporting.write import write_report

    try:
        return write_report(engine, out, None, clock, fund_weights(lake, engine), lake=lake), None
    except ExtraMissingError as error:
        return None, f"{error}: {error.hint}"


def fund_weights(lake: Lake, engine: "SqlEngine") -> "KeptWeights":
    """The index fund's own weights. Most lakes have no files of funds, and need none of what reads them."""
    if not lake.keeps_funds():
        from mag7cli.portfolio.kept_weights import NO_FUND

        return NO_FUND
    from mag7cli.portfolio.fund_weights import of_index_fund

    return of_index_fund(lake, engine)
