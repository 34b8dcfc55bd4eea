"""The least that DuckDB takes over a lake's tables: `load` copies the flat files into a database, `read` reads all.

Run as `plain_duckdb.py load|read LAKE DATABASE`.
"""

import sys
from pathlib import Path

import duckdb


def main(task: str, lake: Path, database: Path) -> None:
    """Do one of the two, table by table."""
    database.unlink(missing_ok=True)
    with duckdb.connect(database) as connection:
        for folder in sorted((lake / "analytics").iterdir()):
            flat = f"read_parquet('{folder}/*.parquet')"
            if task == "load":
                connection.execute(f"CREATE TABLE {folder.name} AS FROM {flat}")
                continue
            # A sum over the hash of whole rows needs every value of them.
            for files in (
                flat,
                f"read_parquet('{lake}/processed/{folder.name}/*/*.parquet', hive_partitioning = true)",
            ):
                connection.execute(f"SELECT SUM(HASH(one_row)) FROM {files} one_row").fetchall()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
