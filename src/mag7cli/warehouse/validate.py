"""Data-quality checks: each a SQL file that returns the offending rows, run unchanged on every engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast

from mag7cli.lake.failed_checks import FailedCheck
from mag7cli.market.calendar import is_session, sessions
from mag7cli.tables.schema import TABLES
from mag7cli.warehouse import sql_files
from mag7cli.warehouse.engines import Rows, SqlEngine

Severity = Literal["error", "warning", "info"]

_FOLDER: Final = "validate"
_MISSING: Final = "sessions without a row"
_EACH_TABLE: Final = "for each table"
_ALL_DATES: Final = "all dates"
_CLOSED: Final = "rows without a session"
_SCHEMA_SQL: Final = "SELECT schema_name FROM information_schema.schemata WHERE schema_name = :schema"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `compare`, if given, says how the dates that the SQL returns are held against the calendar.

    `schema`, if given, is one that the check needs beside market_data: without it there is nothing to check.
    `of_single_dates` is True if what it finds on a date follows from the rows of that date alone.
    """

    name: str
    meaning: str
    severity: Severity
    sql: str
    compare: str | None
    engines: tuple[str, ...]
    schema: str | None = None
    of_single_dates: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The offending rows of a check; those of severity `info` are for the reader, and offend nobody.

    `dates` is how many dates were looked at, if it was not all: the others passed before and have not changed.
    """

    check: Check
    rows: Rows
    dates: int | None = None

    @property
    def passed(self) -> bool:
        """True if there is nothing to mend."""
        return self.check.severity == "info" or not self.rows.values

    @property
    def is_failure(self) -> bool:
        """True if the data cannot be relied on."""
        return self.check.severity == "error" and not self.passed


def failed_checks(results: Iterable[CheckResult]) -> list[FailedCheck]:
    """The checks that failed, as the lake keeps them."""
    return [
        FailedCheck(result.check.name, result.check.meaning, len(result.rows.values), dates_in(result.rows))
        for result in results
        if result.is_failure
    ]


def dates_in(rows: Rows) -> tuple[date, ...]:
    """The dates that rows name, oldest first."""
    return tuple(sorted({value for row in rows.values for value in row if isinstance(value, date)}))


def checks(engine: SqlEngine) -> list[Check]:
    """The checks that run on an engine, errors first."""
    return [check for check in all_checks() if _is_runnable(check, engine)]


def all_checks() -> list[Check]:
    """Every check, errors first."""
    shipped = [_check(sql_files.read(_FOLDER, name)) for name in sql_files.names(_FOLDER)]
    order = ("error", "warning", "info")
    return sorted(shipped, key=lambda check: (order.index(check.severity), check.name))


def run_checks(engine: SqlEngine, chosen: Iterable[Check] | None = None) -> list[CheckResult]:
    """Run the checks, all of them by default. Raises EngineError."""
    return [_run(engine, check) for check in (checks(engine) if chosen is None else chosen)]


def _check(file: sql_files.SqlFile) -> Check:
    fields = file.fields
    return Check(
        name=file.name,
        meaning=file.meaning,
        severity=cast(Severity, fields["severity"]),
        sql=_for_each_table(file.sql) if fields.get("repeat") == _EACH_TABLE else file.sql,
        compare=fields.get("compare"),
        engines=tuple(fields.get("engines", "").replace(",", " ").split()),
        schema=fields.get("schema"),
        of_single_dates=fields.get("scope") != _ALL_DATES,
    )


def _for_each_table(template: str) -> str:
    """One statement of a template's rows for every table, in whose place it has `{table}`."""
    return "\nUNION ALL\n".join(template.replace("{table}", table.name) for table in TABLES) + "\nORDER BY 1, 2"


def _is_runnable(check: Check, engine: SqlEngine) -> bool:
    if check.engines and engine.dialect not in check.engines:
        return False
    return check.schema is None or bool(engine.query(_SCHEMA_SQL, {"schema": check.schema}).values)


def _run(engine: SqlEngine, check: Check) -> CheckResult:
    rows = engine.query(check.sql)
    if check.compare:
        days = [day for (day,) in rows.values if isinstance(day, date)]
        rows = Rows(rows.columns, tuple((day,) for day in _apart(check.compare, days)), rows.note)
    return CheckResult(check, rows)


def _apart(compare: str, days: Sequence[date]) -> list[date]:
    """The dates in which table and calendar differ, in the sense of the check."""
    if compare == _CLOSED:
        return [day for day in days if not is_session(day)]
    assert compare == _MISSING, compare
    there = set(days)
    return [day for day in sessions(min(days), max(days)) if day not in there] if days else []
