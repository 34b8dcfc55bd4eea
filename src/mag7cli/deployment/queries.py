"""The queries that come with mag7, as Athena's named queries: in the folders of the console walk-through.

A named query has no parameters, so what `mag7 sql` fills in is asked of the tables instead.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mag7cli.tables.schema import SCHEMA
from mag7cli.warehouse import sql_files
from mag7cli.warehouse.engines.sql_text import Statement

_FOLDER: Final = "analysis"
_LATEST: Final = "(SELECT MAX(trading_date) FROM market_data.concentration_metrics)"
_VALUES: Final[Mapping[str, str]] = {
    "as_of": _LATEST,
    "month_before": f"({_LATEST} - INTERVAL '1' MONTH)",
    "three_months_before": f"({_LATEST} - INTERVAL '3' MONTH)",
}


def named_queries() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every query that runs on Athena, as a resource by its name in the template."""
    for name in sql_files.names(_FOLDER):
        file = sql_files.read(_FOLDER, name)
        if "athena" in file.fields.get("engines", "athena"):
            yield f"{_camel(name)}Query", _resource(file)


def _resource(file: sql_files.SqlFile) -> Mapping[str, Any]:
    return {
        "Type": "AWS::Athena::NamedQuery",
        "Properties": {
            "Name": f"{file.fields['folder']}: {file.name}",
            "Description": file.meaning,
            "Database": SCHEMA,
            "WorkGroup": {"Ref": "AthenaWorkgroup"},
            "QueryString": text_of(file),
        },
    }


def text_of(file: sql_files.SqlFile) -> str:
    """The statement with the latest date, and dates before it, in the place of its parameters."""
    statement = Statement.parse(re.sub(r"^--.*\n", "", file.sql, flags=re.MULTILINE))
    return f"-- {file.meaning}\n{statement.render(iter([_VALUES[name] for name in statement.names]))}"


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
