"""The checks over the tables of a lake, in a memory that does not grow with its years.

Most checks find on a date what follows from the rows of that date alone: these run on the dates that are not what they
were when they last passed, a year at a time. The others read small tables, and run on all dates.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from datetime import date
from itertools import groupby
from typing import Any, Final

from mag7cli.core.errors import StoreError
from mag7cli.lake.failed_checks import FailedCheck
from mag7cli.lake.failed_checks import write as write_failures
from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import TABLE
from mag7cli.tables.table_files import TableFiles
from mag7cli.warehouse import passed_dates
from mag7cli.warehouse.date_contents import DateContents, contents
from mag7cli.warehouse.engines import Rows
from mag7cli.warehouse.engines.duckdb import DuckDbEngine
from mag7cli.warehouse.passed_dates import PassedDates
from mag7cli.warehouse.validate import CheckResult, all_checks, checks, dates_in, failed_checks, run_checks

_NO_DATE: Final = date.min


def check_lake(lake: Lake, *, full: bool = False, engine: DuckDbEngine | None = None) -> list[CheckResult]:
    """Run every check over both layouts, and keep in the lake which dates passed.

    Dates that passed before and have not changed are not read again, unless it is `full`. `engine` is one over the
    lake that is open already.

    Raises EngineError, StoreError.
    """
    files, texts = TableFiles.of(lake), [check.sql for check in all_checks()]
    before = None if full else passed_dates.read(lake, texts)
    with nullcontext(engine) if engine else closing(DuckDbEngine.over_lake(lake, names=TABLE)) as whole:
        now = contents(files, whole, before.contents if before else None)
        unchanged = before.unchanged(now) if before else frozenset()
        stale = sorted(map(date.fromisoformat, now.dates() - unchanged))
        results = _by_date(files, now, stale)
        results += run_checks(whole, [check for check in checks(whole) if not check.of_single_dates])
    # A lake that may only be read can be checked all the same.
    with suppress(StoreError):
        passed_dates.write(lake, texts, PassedDates(now, unchanged | _without_finding(stale, results)))
    order = {check.name: place for place, check in enumerate(all_checks())}
    return sorted(results, key=lambda result: order[result.check.name])


def record_failures(lake: Lake, results: Iterable[CheckResult]) -> list[FailedCheck]:
    """Keep which checks failed, for every surface that shows a figure, until they pass. Raises StoreError."""
    failures = failed_checks(results)
    write_failures(lake, failures)
    return failures


def _by_date(files: TableFiles, now: DateContents, dates: Sequence[date]) -> list[CheckResult]:
    """The checks of single dates on these dates."""
    by_check: dict[str, list[CheckResult]] = {}
    for some in _years(dates):
        with closing(DuckDbEngine.over_dates(files, some, now.years_with([day.isoformat() for day in some]))) as engine:
            for result in run_checks(engine, [check for check in checks(engine) if check.of_single_dates]):
                by_check.setdefault(result.check.name, []).append(result)
    examined = None if len(dates) == len(now.dates()) else len(dates)
    return [_joined(parts, examined) for parts in by_check.values()]


def _years(dates: Sequence[date]) -> Iterator[Sequence[date]]:
    """The dates by year; without any, nothing once, for checks have columns then, too."""
    yield from ([list(of) for _, of in groupby(dates, lambda day: day.year)] if dates else [()])


def _joined(parts: Sequence[CheckResult], examined: int | None) -> CheckResult:
    values = sorted((row for part in parts for row in part.rows.values), key=_place)
    rows = parts[0].rows
    return CheckResult(parts[0].check, Rows(rows.columns, tuple(values), rows.note, rows.types), examined)


def _place(row: Sequence[Any]) -> list[tuple[bool, Any]]:
    """Where a row stands among others of its check: by its values from the left, those that are absent first."""
    return [(value is not None, value) for value in row]


def _without_finding(dates: Iterable[date], results: Iterable[CheckResult]) -> frozenset[str]:
    """The dates on which these checks of single dates found nothing."""
    findings = [result.rows for result in results if result.check.of_single_dates and result.rows.values]
    if any(_lack_a_date(rows) for rows in findings):
        return frozenset()
    named = {day for rows in findings for day in dates_in(rows)}
    return frozenset(day.isoformat() for day in dates if day not in named and day != _NO_DATE)


def _lack_a_date(rows: Rows) -> bool:
    """True if a row does not say which date it is about."""
    return any(not any(isinstance(value, date) for value in row) for row in rows.values)
