"""Imports go down only: a module imports what stands in its own row or above here, and never in a circle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "mag7cli"

# From the bottom up, a row a string. The name of a package stands for all of its modules.
ROWS = (
    "errors",
    "facts clock progress logs config spelling figures processes parallel",
    # what the words of the domain mean: no input or output, but for the issuer's site
    "vendor rate plans trading_calendar tickers tables market_data column_check split_units share_readings shares guard"
    " fiscal sampled_line sampling analysis"
    " holdings holdings_cells holdings_download membership portfolio documents constituents small_parquet parquet rows"
    " sql_files texts",
    # the three seams, and the simulated vendor
    "aws aws_policies store stores polygon sandbox asking",
    "lake lock collected ranges reference prices ledger manifest batches engines",
    "collect absences counting planning worklist transform transform_plan year_files catalog copy_jobs redshift_load"
    " redshift_status aws_doctor explain origin status doctor show report exposure funds validate warehouse pipeline",
    "progress_display output",
    "cli",
    "__main__",
)
ROW_OF = {name: row for row, names in enumerate(ROWS) for name in names.split()}

# A factory and what it makes know each other.
TOGETHER = {"stores": "store", "report": "show"}

# What is slow to import, or has traps, has one owner.
OWNERS = {
    "boto3": {"aws"},
    "botocore": {"aws", "engines", "stores"},
    "polygon": {"polygon"},
    "pandas_market_calendars": {"trading_calendar"},
    "duckdb": {"engines"},
    "rich": {"output", "progress_display"},
    "typer": {"cli"},
    "vl_convert": {"report"},
    "tenacity": {"polygon", "holdings_download"},
}


def _unit(path: Path) -> str:
    """The module, or the package that it is in."""
    relative = path.relative_to(SOURCE).with_suffix("")
    return relative.parts[0]


def _imported(tree: ast.AST) -> Iterator[str]:
    """Every module that a file imports, wherever in it, by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "mag7cli":
            yield from (f"mag7cli.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


IMPORTS = {path: set(_imported(ast.parse(path.read_text(encoding="utf-8")))) for path in sorted(SOURCE.rglob("*.py"))}


def _own(path: Path) -> set[str]:
    """The units of mag7 that a file imports, without its own."""
    units = {name.split(".")[1] for name in IMPORTS[path] if name.startswith("mag7cli.")}
    return units - {_unit(path), "__version__"}


def test_every_module_has_its_row():
    assert {_unit(path) for path in IMPORTS} - set(ROW_OF) - {"__init__"} == set()


@pytest.mark.parametrize(
    "path", [path for path in IMPORTS if _unit(path) in ROW_OF], ids=lambda path: str(path.relative_to(SOURCE))
)
def test_imports_go_down_only(path):
    assert {name for name in _own(path) if ROW_OF[name] > ROW_OF[_unit(path)]} == set()


def test_no_module_imports_itself_by_way_of_others():
    edges: dict[str, set[str]] = {}
    for path in IMPORTS:
        unit = TOGETHER.get(_unit(path), _unit(path))
        edges.setdefault(unit, set()).update({TOGETHER.get(name, name) for name in _own(path)} - {unit})
    while edges:
        leaves = {unit for unit, below in edges.items() if not below & edges.keys()}
        assert leaves, f"a circle among {sorted(edges)}"
        edges = {unit: below for unit, below in edges.items() if unit not in leaves}


def test_only_the_command_line_imports_the_sandbox():
    users = {_unit(path) for path in IMPORTS if "sandbox" in _own(path)}
    assert users <= {"cli"}


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_imported_by_its_owner_only(library):
    users = {_unit(path) for path, names in IMPORTS.items() if any(name.split(".")[0] == library for name in names)}
    assert users <= OWNERS[library]
