"""The cron line: collect, transform, validate, load, report, each only if there is something new for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mag7cli.core.errors import EXIT_DONE, EXIT_INVALID, EXIT_PARTIAL, ExtraMissingError
from mag7cli.lake.layout import Lake

if TYPE_CHECKING:
    from mag7cli.collection.collector import CollectResult
    from mag7cli.collection.request import CollectRequest
    from mag7cli.core.clock import Clock
    from mag7cli.core.progress import Listener
    from mag7cli.reporting.write import ReportResult
    from mag7cli.tables.transform import TransformResult
    from mag7cli.vendors.base import MarketDataSource
    from mag7cli.warehouse.duckdb_load import LoadResult
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
    """Collect, and carry what is new to the report, holding the lake.

    A warehouse, and a report in a local lake, are brought up to date also if an earlier run died before them. While a
    check of severity error fails, the warehouse stays as it was, the report says so, and the result is red.
    """
    from mag7cli.collection.request import collect
    from mag7cli.lake import failed_checks
    from mag7cli.lake.lock import locked
    from mag7cli.tables.transform import transform

    with locked(lake, "mag7 run"):
        collected = collect(lake, request, clock=clock, listener=listener, vendor=vendor)
        transformed = transform(lake)
        is_new = bool(collected.written or transformed.written or transformed.removed)
        if not is_new and _is_current(lake) and not failed_checks.read(lake):
            return RunResult(collected, transformed)
        checks = _checked(lake)
        loaded = None if any(check.is_failure for check in checks) else _loaded(lake)
        report, report_missing = _reported(lake, clock)
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


def _checked(lake: Lake) -> "tuple[CheckResult, ...]":
    from mag7cli.lake import failed_checks as record
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine
    from mag7cli.warehouse.validate import failed_checks, run_checks

    engine = DuckDbEngine.over_lake(lake, with_partitions=True)
    try:
        results = tuple(run_checks(engine))
    finally:
        engine.close()
    record.write(lake, failed_checks(results))
    return results


def _loaded(lake: Lake) -> "LoadResult | None":
    if lake.store.local_root is None:
        return None
    from mag7cli.warehouse.duckdb_load import load

    return load(lake)


def _reported(lake: Lake, clock: "Clock") -> "tuple[ReportResult | None, str | None]":
    out = report_path(lake)
    if out is None:
        return None, None
    from mag7cli.analytics.fund_weight import weight_on
    from mag7cli.reporting.write import write_report
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    engine = DuckDbEngine.over_lake(lake)
    try:
        return write_report(engine, out, None, clock, weight_on(lake, None), lake=lake), None
    except ExtraMissingError as error:
        return None, f"{error}: {error.hint}"
    finally:
        engine.close()
