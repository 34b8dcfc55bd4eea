"""What Redshift itself has recorded about loading: COPY JOBs, their files, and what COPY failed on.

Source: Redshift developer guide, SYS_COPY_JOB, SYS_COPY_JOB_DETAIL, SYS_COPY_JOB_INFO, SYS_LOAD_ERROR_DETAIL. Redshift
keeps these records for seven days.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mag7cli.tables.schema import TABLES
from mag7cli.warehouse.engines import SqlEngine, Value
from mag7cli.warehouse.engines.redshift import explain

_JOBS: Final = "SELECT TRIM(job_name) AS job_name, is_auto FROM sys_copy_job ORDER BY job_name"
_FILES: Final = """\
SELECT TRIM(job_name) AS job_name, UPPER(LEFT(status, 1)) AS state, COUNT(*) AS files
FROM sys_copy_job_detail
GROUP BY 1, 2"""
_MESSAGES: Final = """\
SELECT CAST(record_time AS VARCHAR(19)) AS logged_at, TRIM(job_name) AS job_name, TRIM(message) AS message
FROM sys_copy_job_info
ORDER BY record_time DESC
LIMIT 20"""
_ERRORS: Final = """\
SELECT CAST(start_time AS VARCHAR(19)) AS logged_at, TRIM(file_name) AS file_name, TRIM(column_name) AS column_name,
    TRIM(error_message) AS message
FROM sys_load_error_detail
ORDER BY start_time DESC
LIMIT 20"""
_STATES: Final[Mapping[str, str]] = {"I": "ingested", "P": "pending", "E": "failed", "U": "unknown"}


@dataclass(frozen=True, slots=True)
class TableStatus:
    """One table as it is: rows, and its first and last trading date in ISO form."""

    name: str
    rows: int
    first_date: str | None
    last_date: str | None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """One COPY JOB: whether Redshift runs it by itself, and its files by state (ingested, pending, failed)."""

    name: str
    automatic: bool
    files: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadProblem:
    """Something COPY stumbled over: `at` in UTC, and `advice` where there is some."""

    at: str
    what: str
    message: str
    advice: str | None


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """The state of the warehouse's tables and jobs, newest problem first."""

    tables: tuple[TableStatus, ...]
    jobs: tuple[JobStatus, ...]
    problems: tuple[LoadProblem, ...]


def load_status(engine: SqlEngine) -> LoadStatus:
    """Read the records. Raises EngineError, also where a table does not exist yet."""
    problems = [
        _problem(row["logged_at"], _file_and_column(row), row["message"]) for row in engine.query(_ERRORS).records()
    ]
    problems += [_problem(at, f"COPY JOB {job}", message) for at, job, message in engine.query(_MESSAGES).values]
    return LoadStatus(
        _tables(engine), _jobs(engine), tuple(sorted(problems, key=lambda problem: problem.at, reverse=True))
    )


def _tables(engine: SqlEngine) -> tuple[TableStatus, ...]:
    sql = "\nUNION ALL\n".join(
        f"SELECT '{table.name}' AS name, COUNT(*) AS row_count, MIN(trading_date) AS first_date, "  # noqa: S608
        f"MAX(trading_date) AS last_date FROM {table.qualified_name}"
        for table in TABLES
    )
    return tuple(
        TableStatus(str(name), int(str(rows)), _text(first), _text(last))
        for name, rows, first, last in engine.query(sql).values
    )


def _jobs(engine: SqlEngine) -> tuple[JobStatus, ...]:
    files: dict[str, dict[str, int]] = {}
    for job, state, count in engine.query(_FILES).values:
        files.setdefault(str(job), {})[_STATES.get(str(state), "unknown")] = int(str(count))
    return tuple(
        JobStatus(str(name), bool(automatic), files.get(str(name), {}))
        for name, automatic in engine.query(_JOBS).values
    )


def _problem(at: Value, what: str, message: Value) -> LoadProblem:
    return LoadProblem(str(at), what, str(message), explain(str(message)))


def _file_and_column(row: Mapping[str, Value]) -> str:
    column = row["column_name"]
    return f"{row['file_name']}, column {column}" if column else str(row["file_name"])


def _text(value: Value) -> str | None:
    return None if value is None else str(value)
