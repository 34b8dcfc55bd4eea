"""Redshift COPY JOBs: each new trading date is loaded by Redshift itself, minutes after its file arrives.

A COPY JOB loads every new file name once and never loads a changed file again, so the jobs watch a zone of their own,
`copyjobs/<table>/`, in which a name never gets other bytes: one file for each date and version of that date. A date
is handed over once. A date that changes later is not: a job would add its rows to the old ones, and only
`redshift_load.load` can replace them.

Source: Redshift developer guide, "COPY JOB", SYS_COPY_JOB, SYS_COPY_JOB_DETAIL, SVV_COPY_JOB_INTEGRATIONS.
These views show a regular user his own jobs only, so it is what lies in the zone that says if a job may still load it.
"""

import hashlib
import io
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

from mag7cli.core.errors import KeyExistsError, StoppedEarlyError, UsageError
from mag7cli.lake import aws
from mag7cli.lake.layout import COPY_JOBS, Lake
from mag7cli.lake.store import ObjectInfo, Store
from mag7cli.tables.schema import PARTITION, TABLES, Table, arrow_schema
from mag7cli.tables.table_files import TableFiles
from mag7cli.warehouse.engines import SqlEngine
from mag7cli.warehouse.engines.sql_text import quoted

ZONE: Final = COPY_JOBS

_JOBS_SQL: Final = "SELECT TRIM(job_name) AS job_name FROM sys_copy_job"
# The page spells one column with a blank, so all are asked for.
_INTEGRATIONS_SQL: Final = "SELECT * FROM svv_copy_job_integrations"
_ESTABLISHED: Final = "established"
_DONE_SQL: Final = (
    "SELECT TRIM(file_name) AS file_name FROM sys_copy_job_detail WHERE UPPER(LEFT(status, 1)) IN ('I', 'E')"
)


@dataclass(frozen=True, slots=True)
class HandOver:
    """One date of one table on its way through a COPY JOB."""

    table: str
    trading_date: date


@dataclass(frozen=True, slots=True)
class Export:
    """What was handed to the jobs now, what they still owe from before, and what changed after it was handed over."""

    written: tuple[HandOver, ...]
    waiting: tuple[HandOver, ...]
    changed: tuple[HandOver, ...]


def job_name(table: Table) -> str:
    """The name of a table's job: the console pipeline's `concentration_metrics_load` and so on."""
    return f"{table.name}_load"


def create_sql(table: Table, store: Store, role: str) -> str:
    """The statement that creates a table's job. Jobs refuse the default role. Raises UsageError."""
    if not aws.is_role_arn(role):
        raise UsageError(
            f"--iam-role {role}: a COPY JOB needs the ARN of a role, `default` is not enough for it",
            hint="it looks like arn:aws:iam::123456789012:role/mag7-redshift-copy",
        )
    return (
        f"COPY {table.qualified_name}\nFROM {quoted(store.uri(f'{ZONE}{table.name}/'))}\nIAM_ROLE {quoted(role)}\n"
        f"FORMAT AS PARQUET\nJOB CREATE {job_name(table)}\nAUTO ON"
    )


def statements(store: Store, role: str) -> list[str]:
    """The statements that create every job; each must run outside of a transaction. Raises UsageError."""
    return [create_sql(table, store, role) for table in TABLES]


def existing(engine: SqlEngine) -> set[str]:
    """The names of our jobs that the warehouse has."""
    ours = {job_name(table) for table in TABLES}
    return {str(name) for (name,) in engine.query(_JOBS_SQL).values} & ours


def create_missing(store: Store, engine: SqlEngine, role: str) -> list[str]:
    """Create the jobs that are not there; each is a transaction of its own, as Redshift demands."""
    statement_of = dict(zip(map(job_name, TABLES), statements(store, role), strict=True))
    there = existing(engine)
    if not there:
        # A job never loads what lay there before it.
        forget_loaded_files(store)
    missing = [name for name in statement_of if name not in there]
    for name in missing:
        engine.execute([statement_of[name]])
    return missing


def export(lake: Lake, engine: SqlEngine) -> Export:
    """Hand every date to the jobs that neither the warehouse nor an earlier file holds. The tables must exist."""
    done = _finished_files(engine)
    written: list[HandOver] = []
    waiting: list[HandOver] = []
    changed: list[HandOver] = []
    files, zone = TableFiles.of(lake), _handed_over(lake.store)
    for table in TABLES:
        loaded, handed_over = _loaded_dates(engine, table), zone[table.name]
        for day, partition in files.partitions(table.name).items():
            name = f"{ZONE}{table.name}/{day.isoformat()}-{_version(partition)}.parquet"
            if day not in handed_over and day not in loaded:
                _hand_over(lake.store, table, day, partition.key, name)
                written.append(HandOver(table.name, day))
            elif day in handed_over and handed_over[day] != name:
                changed.append(HandOver(table.name, day))
        waiting.extend(_waiting(lake.store, table, handed_over, loaded, done))
    return Export(tuple(written), tuple(waiting), tuple(changed))


def refuse_while_waiting(store: Store, engine: SqlEngine) -> None:
    """Raise StoppedEarlyError if a job may still load a file: its rows would come on top of a full load.

    Whoever created the job, its files lie in the zone.
    """
    zone = _handed_over(store)
    if not any(zone.values()):
        return
    done = _finished_files(engine)
    waiting = [
        file
        for table in TABLES
        if (files := zone[table.name])
        for file in _waiting(store, table, files, _loaded_dates(engine, table), done)
    ]
    if waiting:
        raise StoppedEarlyError(
            f"COPY JOBs still have {len(waiting)} files to load, the first is {waiting[0].table} of "
            f"{waiting[0].trading_date}{_why(engine)}",
            hint="run again in some minutes; `mag7 load --engine redshift --status` tells what a job failed on, "
            "`--end-auto-copy` drops the jobs and their files and loads everything",
        )


def _why(engine: SqlEngine) -> str:
    """Why they may wait for ever, as far as the warehouse tells us."""
    if not existing(engine):
        return "; the jobs are another user's, or gone"
    return "" if is_integrated(engine) else "; the bucket has no established S3 event integration with the warehouse"


def is_integrated(engine: SqlEngine) -> bool:
    """True if the warehouse hears of new files: without an S3 event integration a job never loads any."""
    states = [row.get("channel_state", row.get("channel state")) for row in engine.query(_INTEGRATIONS_SQL).records()]
    return any(str(state).strip().lower() == _ESTABLISHED for state in states)


def end(store: Store, engine: SqlEngine) -> list[str]:
    """Drop the jobs that are ours to drop, and the files of all: a full load may follow at once.

    A job of another user's finds no file any more. Returns the jobs that were dropped.
    """
    dropped = sorted(existing(engine))
    for name in dropped:
        engine.execute([f"COPY JOB DROP {name}"])
    forget_loaded_files(store)
    return dropped


def forget_loaded_files(store: Store) -> None:
    """Remove the files that the jobs have done with; the jobs keep their own record of names."""
    for info in list(store.list(ZONE)):
        store.delete(info.key)


def _waiting(
    store: Store, table: Table, handed_over: Mapping[date, str], loaded: Collection[date], done: Collection[str]
) -> Iterator[HandOver]:
    """The files that are neither visible in the table nor, by the job's own record, finished."""
    for day, key in handed_over.items():
        in_bucket = store.uri(key).removeprefix("s3://").partition("/")[2]
        if day not in loaded and in_bucket not in done:
            yield HandOver(table.name, day)


def _finished_files(engine: SqlEngine) -> set[str]:
    return {str(name) for (name,) in engine.query(_DONE_SQL).values}


def _loaded_dates(engine: SqlEngine, table: Table) -> set[date]:
    rows = engine.query(f"SELECT DISTINCT {PARTITION} FROM {table.qualified_name}")  # noqa: S608 -- names of our own
    return {day for (day,) in rows.values if isinstance(day, date)}


def _handed_over(store: Store) -> dict[str, dict[date, str]]:
    """The key of the file of each date in the zone, by table; one listing serves them all."""
    zone: dict[str, dict[date, str]] = {table.name: {} for table in TABLES}
    for item in store.list(ZONE):
        table, _, name = item.key.removeprefix(ZONE).partition("/")
        with suppress(ValueError):
            zone.get(table, {})[date.fromisoformat(name[:10])] = item.key
    return zone


def _version(partition: ObjectInfo) -> str:
    return hashlib.sha256(partition.version.encode()).hexdigest()[:12]


def _hand_over(store: Store, table: Table, day: date, partition_key: str, key: str) -> None:
    """Write the date's rows with every column in table order, as COPY wants them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pq.ParquetFile(io.BytesIO(store.read(partition_key))).read(use_threads=False)
    columns = [
        pa.array([day] * rows.num_rows, pa.date32()) if column.name == PARTITION else rows.column(column.name)
        for column in table.columns
    ]
    sink = io.BytesIO()
    schema = arrow_schema(table, partitioned=False)
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), sink, compression="snappy")
    try:
        store.create(key, sink.getvalue())
    except KeyExistsError:
        return
