"""What follows a collection, stage by stage or all at once: tables, checks, warehouses."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Literal

from mag7cli.core.clock import Clock, SystemClock
from mag7cli.core.errors import StoreError
from mag7cli.core.progress import Listener, Silence
from mag7cli.lake.layout import Lake

if TYPE_CHECKING:
    from mag7cli import pipeline
    from mag7cli.collection.request import CollectRequest
    from mag7cli.doctor.integrity import Integrity
    from mag7cli.tables.transform import Spread, TransformResult
    from mag7cli.vendors.base import MarketDataSource
    from mag7cli.warehouse.duckdb_load import LoadResult
    from mag7cli.warehouse.engines import SqlEngine
    from mag7cli.warehouse.glue_catalog import CatalogChange
    from mag7cli.warehouse.redshift_load import AutoCopyResult
    from mag7cli.warehouse.redshift_load import LoadResult as RedshiftLoad
    from mag7cli.warehouse.validate import CheckResult


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
    from mag7cli.warehouse.lake_checks import check_lake, record_failures
    from mag7cli.warehouse.validate import run_checks

    if engine is not None:
        return run_checks(engine)
    results = check_lake(lake.require(), full=full)
    # A lake that may only be read can be checked all the same.
    with suppress(StoreError):
        record_failures(lake, results)
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
        _publish(lake)
        return sync(lake, engine)


def _publish(lake: Lake) -> None:
    """Write the tables that are computed, where an engine reads them as files; a local lake is refused by the load."""
    from mag7cli.portfolio.fund_table import publish

    if lake.store.local_root is None:
        publish(lake)


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
        _publish(lake)
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
        _publish(lake)
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
