"""The lake in other people's readers: pandas, PyArrow and DuckDB, by the very lines that `docs/interop.md` gives.

The other readers of that page are run by `make interop`.
"""

import importlib.util
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.simulators import filled_lake, raw_documents

from mag7cli.lake.layout import Lake
from mag7cli.lake.store import LocalStore
from mag7cli.tables.schema import TABLE, arrow_schema, sql_type
from mag7cli.tables.transform import transform

ROOT = Path(__file__).parents[3]
READERS = ("pandas (pyarrow)", "PyArrow dataset", "DuckDB 2")
DAY = date(2024, 1, 2)
PANDAS_TYPES = {"date": "object", "varchar": "str", "decimal": "object", "double": "float64", "bigint": "int64"}


def _module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "interop" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


probe = _module("probe")


def _filled(root: Path) -> None:
    filled_lake.fill(LocalStore(root))


def _transformed(root: Path) -> None:
    lake = Lake.at(str(root))
    raw_documents.fill(lake, [date(2023, 12, 28), date(2023, 12, 29), DAY])
    transform(lake)


@pytest.fixture(scope="module", params=[_filled, _transformed], ids=["every table", "written by transform"])
def readings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each reader made of a lake: types, digests of columns and rows, and the results of its own lines."""
    root = tmp_path_factory.mktemp("lake")
    fill: Callable[[Path], None] = request.param
    fill(root)
    return {name: probe.probe(probe.entry(name), str(root), DAY) for name in READERS}


def test_every_reader_reads_the_same_rows_in_both_layouts(readings: dict[str, Any]) -> None:
    digests = [
        {table: found["digests"] for table, found in readings[name]["tables"][layout].items()}
        for name in READERS
        for layout in probe.LAYOUTS
    ]

    assert digests[0]
    assert digests == [digests[0]] * len(digests)


def test_the_share_and_the_day_are_the_same_by_every_documented_line(readings: dict[str, Any]) -> None:
    answers = [readings[name]["shares"][layout] for name in READERS for layout in probe.LAYOUTS]

    assert [answer["on_day"] for answer in answers] == [1] * len(answers)
    assert [answer["share"] for answer in answers] == pytest.approx([answers[0]["share"]] * len(answers), rel=1e-12)


def test_types_in_the_readers_are_those_of_the_schema(readings: dict[str, Any]) -> None:
    for name, found in readings["PyArrow dataset"]["tables"]["flat"].items():
        schema = arrow_schema(TABLE[name], partitioned=False)
        assert found["types"] == {field.name: str(field.type) for field in schema}, name
    for name, found in readings["PyArrow dataset"]["tables"]["hive"].items():
        schema = arrow_schema(TABLE[name], partitioned=True)
        assert found["types"] == {field.name: str(field.type) for field in schema} | {"trading_date": "date32[day]"}
    for name, found in readings["DuckDB 2"]["tables"]["flat"].items():
        columns = TABLE[name].columns
        assert found["types"] == {c.name: re.sub(r"VARCHAR.*", "VARCHAR", sql_type(c, "duckdb")) for c in columns}, name


def test_pandas_has_the_date_as_a_date_in_both_layouts(readings: dict[str, Any]) -> None:
    for layout in probe.LAYOUTS:
        for name, found in readings["pandas (pyarrow)"]["tables"][layout].items():
            typed = {
                c.name: PANDAS_TYPES[c.type] for c in TABLE[name].columns if c.type in ("date", "decimal", "double")
            }
            assert {column: found["types"][column] for column in typed} == typed, name


def test_every_table_is_read_with_its_nulls(tmp_path: Path) -> None:
    _filled(tmp_path)
    found = probe.probe(probe.entry("PyArrow dataset"), str(tmp_path), DAY)["tables"]["flat"]

    for table in TABLE.values():
        rows = [row for day in filled_lake.DAYS for row in filled_lake.rows_of(table, day)]
        names = [column.name for column in table.columns]
        assert found[table.name]["digests"] == probe.digests(names, [tuple(row.values()) for row in rows]), table.name
