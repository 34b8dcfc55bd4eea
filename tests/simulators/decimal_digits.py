"""The digits of a decimal column, which services say beside its name and DuckDB says in its type."""

import re
from typing import Any

_DIGITS = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


def of(description: Any) -> list[tuple[int, int]]:
    """Precision and scale of each column of a DuckDB cursor; zeros where a column is no decimal."""
    found = [_DIGITS.fullmatch(str(column[1])) for column in description]
    return [(int(match[1]), int(match[2])) if match else (0, 0) for match in found]
