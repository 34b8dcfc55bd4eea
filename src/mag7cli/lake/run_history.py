"""What the runs of a lake did: a line a run, the newest last, so that one can see tomorrow how tonight went."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import orjson

from mag7cli.core.errors import KeyNotFoundError, StoreError
from mag7cli.lake.layout import REFERENCE, Lake

KEY: Final = f"{REFERENCE}runs.jsonl"
# Two years of evenings.
_REMEMBERED: Final = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run of `mag7 run`. Times are ISO 8601 with offset; `error` is the line that it ended with, if it did so."""

    started_at: str
    ended_at: str
    exit_code: int
    dates: int = 0
    last_date: str | None = None
    calls: int = 0
    partial: int = 0
    failed_lines: int = 0
    failed_checks: tuple[str, ...] = ()
    error: str | None = None


_NAMES: Final = frozenset(field.name for field in fields(RunRecord))


def read(lake: Lake) -> list[RunRecord]:
    """The runs that are remembered, oldest first; what cannot be read is left out."""
    return [record for line in _read_rows(lake) if (record := _record(line))]


def remember(lake: Lake, record: RunRecord) -> None:
    """Add a run, and forget those of long ago. The caller holds the lake.

    A history that cannot be written (a full disk) is a warning: the run's own error matters more.
    """
    rows = [*_read_rows(lake), orjson.dumps(asdict(record))][-_REMEMBERED:]
    try:
        lake.store.write(KEY, b"".join(row + b"\n" for row in rows))
    except StoreError as error:
        _log.warning("the history of runs was not written: %s", error)


def _read_rows(lake: Lake) -> Sequence[bytes]:
    try:
        return [row for row in lake.store.read(KEY).split(b"\n") if row]
    except KeyNotFoundError:
        return []


def _record(row: bytes) -> RunRecord | None:
    try:
        values: dict[str, Any] = {name: value for name, value in orjson.loads(row).items() if name in _NAMES}
        return RunRecord(**values | {"failed_checks": tuple(values.get("failed_checks", ()))})
    except (orjson.JSONDecodeError, AttributeError, TypeError):
        return None
