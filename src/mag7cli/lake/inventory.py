"""Which objects in a lake are mag7's own, by the names that it writes; all others are foreign: no reader takes them.

A sync tool leaves conflicted copies, an editor its backups, Spark a `_SUCCESS`, a desktop its `.DS_Store`.
"""

import re
from collections.abc import Collection
from typing import Final

from mag7cli.lake.layout import ANALYTICS, COPY_JOBS, FIGURES, FUNDS, HOLDINGS, LIVE, PROCESSED, RAW, REFERENCE

ZONES: Final = (ANALYTICS, COPY_JOBS, LIVE, PROCESSED, "raw/")
"""The folders that mag7 reads; what lies beside them, such as a report or a configuration, is nobody's business."""

_DAY: Final = r"\d{4}-\d\d-\d\d"
_TABLE: Final = r"(?P<table>\w+)"
_OWN: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{RAW}trading_date={_DAY}/market_data\.json",
        rf"{HOLDINGS}as_of={_DAY}/(IVV_holdings\.csv|accepted\.json)",
        rf"{FUNDS}(addresses\.json|fund=[A-Z0-9.\-]+/as_of={_DAY}/\w[\w.\-]*)",
        rf"{REFERENCE}(batches|collected|refresh|source|splits|written)\.json",
        rf"{REFERENCE}(cover_pages\.csv|runs\.jsonl)",
        rf"{REFERENCE}bars/(date={_DAY}|ticker=[\w.~%\-]+)\.json",
        rf"{REFERENCE}details/(date={_DAY}|month=\d{{4}}-\d\d)\.json",
        rf"{PROCESSED}(_manifest|_parts/\d{{4}})\.json",
        rf"{PROCESSED}{_TABLE}/trading_date={_DAY}/part-0\.parquet",
        rf"{ANALYTICS}{_TABLE}/\d{{4}}\.parquet",
        rf"{FIGURES}\d{{4}}\.json",
        rf"{COPY_JOBS}({_TABLE}/{_DAY}-[0-9a-f]+\.parquet|manifests/\w+\.json)",
        rf"{LIVE}(\.mag7\.lock|trading_date={_DAY}/(points\.jsonl|(points|companies)\.parquet|minutes/[\w\-]+\.json))",
    )
)


def is_own(key: str, tables: Collection[str]) -> bool:
    """True if a key is one that mag7 gives, for a table one of `tables`."""
    matches = (pattern.fullmatch(key) for pattern in _OWN)
    match = next((each for each in matches if each), None)
    return match is not None and match.groupdict().get("table") in (None, *tables)
