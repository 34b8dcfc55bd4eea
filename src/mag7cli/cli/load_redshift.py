"""What `mag7 load --engine redshift` does, and how it is told."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mag7cli.cli.engines import EngineOptions, opened
from mag7cli.cli.output import Column, Grid, Line, Result
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import count, counted

if TYPE_CHECKING:
    from mag7cli.lake.layout import Lake
    from mag7cli.warehouse.redshift_load import AutoCopyResult, LoadResult
    from mag7cli.warehouse.redshift_status import LoadStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class RedshiftMode:
    """What a load of Redshift is to do besides, or instead of, replacing the rows."""

    auto_copy: bool = False
    end_auto_copy: bool = False
    status: bool = False
    recreate: bool = False

    def __post_init__(self) -> None:
        if [self.auto_copy, self.end_auto_copy, self.status].count(True) > 1:
            raise UsageError("only one of --auto-copy, --end-auto-copy and --status")


def load_redshift(options: EngineOptions, lake: "Lake", role: str, mode: RedshiftMode) -> Result:
    """Load the warehouse, or set up its COPY JOBs or end them, or look at what was loaded."""
    from mag7cli import library
    from mag7cli.warehouse.redshift_load import check_is_s3
    from mag7cli.warehouse.redshift_status import load_status

    check_is_s3(lake.store)
    with opened(options) as engine:
        if mode.status:
            return _status(load_status(engine))
        if mode.auto_copy:
            return _auto_copied(library.auto_copy_redshift(lake, engine=engine, role=role, recreate=mode.recreate))
        return _loaded(
            library.load_redshift(
                lake, engine=engine, role=role, recreate=mode.recreate, end_auto_copy=mode.end_auto_copy
            )
        )


def _loaded(result: "LoadResult") -> Result:
    grid = Grid(
        (
            Column("table"),
            Column("lake_rows", "rows in lake", count, right=True),
            Column("warehouse_rows", "rows loaded", count, right=True),
        ),
        [[table.name, table.lake_rows, table.warehouse_rows] for table in result.tables],
    )
    return Result(document={"tables": grid.records(), "statements": list(result.statements)}, grid=grid)


def _auto_copied(result: "AutoCopyResult") -> Result:
    export = result.export
    grid = Grid((Column("job"),), [[name] for name in result.created])
    text: list[Line | Grid] = [Line(sentence) for sentence in _auto_copy_sentences(result)]
    return Result(
        document={
            "first_load": asdict(result.load) if result.load else None,
            "jobs_created": list(result.created),
            "handed_over": [asdict(file) for file in export.written],
            "waiting": [asdict(file) for file in export.waiting],
            "changed": [asdict(file) for file in export.changed],
        },
        grid=grid,
        text=text,
    )


def _auto_copy_sentences(result: "AutoCopyResult") -> Iterator[str]:
    export = result.export
    if result.load:
        yield f"Loaded {counted(len(result.load.tables), 'table')}, since no job had been there."
    yield f"Created {counted(len(result.created), 'COPY JOB')}: {', '.join(result.created) or 'all were there'}."
    yield f"Handed over {counted(len(export.written), 'file')}; {len(export.waiting)} from before are still waiting."
    if not result.is_integrated:
        yield (
            "Nothing will be loaded yet: the bucket has no established S3 event integration with the warehouse. "
            "aws redshift create-integration makes one; docs/aws.md has the two policies that it needs."
        )
    if export.changed:
        days = sorted({file.trading_date.isoformat() for file in export.changed})
        yield (
            f"{counted(len(days), 'date')} changed after a job had loaded them: {', '.join(days[:5])}. "
            "A job never loads a file again: mag7 load --engine redshift replaces the rows."
        )


def _status(status: "LoadStatus") -> Result:
    tables = Grid(
        (Column("table"), Column("rows", right=True, show=count), Column("first_date"), Column("last_date")),
        [[table.name, table.rows, table.first_date, table.last_date] for table in status.tables],
    )
    jobs = Grid(
        (Column("job"), Column("automatic"), Column("files")),
        [[job.name, job.automatic, ", ".join(f"{k} {n}" for k, n in job.files.items())] for job in status.jobs],
    )
    problems = [
        Line(f"{problem.at} {problem.what}: {problem.message}. {problem.advice or ''}".rstrip(), "warn")
        for problem in status.problems
    ]
    return Result(document=asdict(status), grid=tables, text=[tables, Line(), jobs, Line(), *problems])
