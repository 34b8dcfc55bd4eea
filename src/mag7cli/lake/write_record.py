"""What was written, by digest: `raw/reference/written.json`, so that a document is known to be what was collected.

The file has the SHA-256 of every document and every kept holdings file, as hexadecimal text by key. A run takes the
keys that it is about to write out of the record first and puts them back at its end, with whatever a run that died has
left: what lies there under no digest was never promised. The file can be deleted; the next run makes it of what is
there.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from mag7cli.lake.layout import FUNDS, HOLDINGS, RAW, Lake

SCHEMA_VERSION: Final = 1
_FILE: Final = "written.json"
# What was paid for or came from people; caches are told by their form.
_ZONES: Final = (FUNDS, HOLDINGS, RAW)
_RECORDED: Final = re.compile(
    rf"{RAW}trading_date=[\d\-]+/market_data\.json|{HOLDINGS}as_of=[\d\-]+/IVV_holdings\.csv"
    rf"|{FUNDS}fund=[A-Z0-9.\-]+/as_of=[\d\-]+/\w[\w.\-]*"
)


@dataclass(frozen=True, slots=True)
class Damage:
    """A raw file that is not what was written, and how it differs."""

    key: str
    reason: str


def digest(data: bytes) -> str:
    """What a file is known by."""
    return hashlib.sha256(data).hexdigest()


def read(lake: Lake) -> dict[str, str]:
    """The digests by key; none if there is no record, or it cannot be read."""
    try:
        rows: object = orjson.loads(lake.read_reference(_FILE) or b"{}")
        digests = rows["digests"] if isinstance(rows, dict) else {}
        return {str(key): str(value) for key, value in digests.items()}
    except (orjson.JSONDecodeError, KeyError, AttributeError):
        return {}


def forget(lake: Lake, keys: Collection[str]) -> None:
    """Take keys out of the record, before they are written anew."""
    known = read(lake)
    if known.keys() & set(keys):
        _write(lake, {key: value for key, value in known.items() if key not in keys})


def complete(lake: Lake, written: Mapping[str, str]) -> None:
    """Put what was written into the record, and whatever is there and was in none; what is gone leaves it."""
    known = read(lake)
    fresh = {**known, **written}
    digests = {key: fresh[key] if key in fresh else digest(lake.store.read(key)) for key in present_keys(lake)}
    if digests != known:
        _write(lake, digests)


def note(lake: Lake, key: str, data: bytes) -> None:
    """Put one file into the record."""
    _write(lake, read(lake) | {key: digest(data)})


def present_keys(lake: Lake) -> list[str]:
    """The files that are there and that a record has, by key."""
    return [info.key for zone in _ZONES for info in lake.store.list(zone) if _RECORDED.fullmatch(info.key)]


def damages(lake: Lake) -> Iterator[Damage]:
    """The files of the record that are gone or have other bytes than were written."""
    present = set(present_keys(lake))
    for key, value in sorted(read(lake).items()):
        if key not in present:
            yield Damage(key, "it was written, and is gone")
        elif (now := digest(lake.store.read(key))) != value:
            yield Damage(key, f"its bytes are not those that were written (SHA-256 {now[:12]}…, was {value[:12]}…)")


def _write(lake: Lake, digests: Mapping[str, str]) -> None:
    content = {"schema_version": SCHEMA_VERSION, "digests": dict(sorted(digests.items()))}
    lake.write_reference(_FILE, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
