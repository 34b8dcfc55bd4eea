"""What the local warehouse was loaded from, beside it: `state/loaded.json`, for a look without an engine.

It counts only while the warehouse is the file that the load left. The same stands in the warehouse, for a lake without
this record.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import orjson

from mag7cli.core.errors import KeyNotFoundError, StoreError
from mag7cli.lake.layout import WAREHOUSE, Lake

KEY: Final = "state/loaded.json"
# What DuckDB has not yet put into its file; it is there while a process writes, and after one that died.
_UNFINISHED: Final = f"{WAREHOUSE}.wal"


@dataclass(frozen=True, slots=True)
class LoadedFiles:
    """The version of the warehouse after a load, what each table was loaded from, and its rows."""

    warehouse: str
    loads: Mapping[str, str]
    rows: Mapping[str, int]


def read(lake: Lake) -> LoadedFiles | None:
    """What the last load left; None where that is not known, or the warehouse is another file by now."""
    try:
        record = LoadedFiles(**orjson.loads(lake.store.read(KEY)))
        return record if record.warehouse == _version(lake) else None
    except (StoreError, orjson.JSONDecodeError, TypeError):
        return None


def write(lake: Lake, loads: Mapping[str, str], rows: Mapping[str, int]) -> None:
    """Keep what the warehouse was loaded from just now. Raises StoreError."""
    record = LoadedFiles(_version(lake), loads, rows)
    lake.store.write(KEY, orjson.dumps(asdict(record), option=orjson.OPT_APPEND_NEWLINE))


def _version(lake: Lake) -> str:
    if lake.store.exists(_UNFINISHED):
        raise KeyNotFoundError(lake.store.uri(WAREHOUSE))
    return lake.store.info(WAREHOUSE).version
