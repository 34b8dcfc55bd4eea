"""The table `fund_weights` as files of the flat layout, for engines that read files: Athena and Redshift."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from mag7cli.core.errors import KeyNotFoundError
from mag7cli.lake.layout import ANALYTICS, Lake
from mag7cli.portfolio import kept_funds
from mag7cli.portfolio.fund_weights import arrow_rows
from mag7cli.tables.schema import FUND_WEIGHTS, PARTITION

if TYPE_CHECKING:
    import pyarrow as pa


def publish(lake: Lake) -> list[str]:
    """Make the files of the table what the kept holdings files and the prices say; the caller holds the lake.

    Args:
        lake: A lake on S3, whose tables are up to date.

    Returns:
        The keys of the files that were written or removed; none where nothing changed.

    Raises:
        HoldingsFormatError: A kept file is broken.
        EngineError: The tables cannot be read.
        StoreError: A file cannot be written.
    """
    present = {info.key for info in lake.store.list(f"{ANALYTICS}{FUND_WEIGHTS.name}/")}
    files = dict(_files(lake)) if any(kept_funds.kept_files(lake)) else {}
    changed = [key for key, data in files.items() if key not in present or _content(lake, key) != data]
    for key in changed:
        lake.store.write(key, files[key])
    years = {Lake.flat_key(FUND_WEIGHTS.name, year) for year in range(2000, 2100)}
    removed = sorted((present & years) - files.keys())
    for key in removed:
        lake.store.delete(key)
    return [*changed, *removed]


def _files(lake: Lake) -> Iterator[tuple[str, bytes]]:
    """The bytes of each year, by key."""
    import pyarrow.compute as pc

    from mag7cli.tables import parquet
    from mag7cli.warehouse.engines.duckdb import DuckDbEngine

    with closing(DuckDbEngine.over_lake(lake)) as engine:
        rows: pa.Table = arrow_rows(lake, engine)
    keys = [(name, "ascending") for name in FUND_WEIGHTS.primary_key]
    years = pc.year(rows.column(PARTITION))
    for year in sorted(set(years.to_pylist())):
        of_year = rows.filter(pc.equal(years, year)).sort_by(keys)
        yield Lake.flat_key(FUND_WEIGHTS.name, year), parquet.flat_bytes(FUND_WEIGHTS, of_year)


def _content(lake: Lake, key: str) -> bytes:
    try:
        return lake.store.read(key)
    except KeyNotFoundError:
        return b""
