"""The house has the rooms that `docs/architecture.md` lists, and imports go down only.

The page's table is what is tested: a room is a row, the rows stand in order from the bottom up.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "mag7cli"
PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
_ROW = re.compile(r"^\| `(?P<room>\w+)/?` \|.*\| (?P<doors>[^|]*)\|$")
_DOOR = re.compile(r"(?P<library>\w+) by `(?P<module>[\w/]+)`")


@cache
def _table() -> tuple[re.Match[str], ...]:
    """The rows of the page's table of rooms, from the bottom up."""
    _, _, section = PAGE.read_text(encoding="utf-8").partition("## The rooms")
    rows = map(_ROW.match, section.partition("\n## ")[0].splitlines())
    return tuple(row for row in rows if row)


def _rooms() -> list[str]:
    return [row["room"] for row in _table()]


def _doors() -> dict[str, str]:
    """Every library that is slow to import, or has traps, and the module or folder that may import it."""
    return {
        door["library"]: ".".join(part for part in (row["room"], *door["module"].split("/")) if part != "any")
        for row in _table()
        for door in _DOOR.finditer(row["doors"])
    }


def _name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def _modules() -> dict[str, ast.AST]:
    return {_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))}


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node of a file, without what only a type checker reads."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not _is_for_types(child):
            yield from _nodes(child)


def _imports(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Every module that the nodes import, by its full name."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _own() -> dict[str, set[str]]:
    """What each module imports of mag7, as modules."""
    modules = _modules()
    own: dict[str, set[str]] = {}
    for name, tree in modules.items():
        targets = (
            target.removeprefix("mag7cli.") for target in _imports(ast.walk(tree)) if target.startswith("mag7cli.")
        )
        own[name] = {target if target in modules else target.rpartition(".")[0] for target in targets} - {name, ""}
    return own


def _room(module: str) -> str:
    return module.partition(".")[0]


def test_every_module_stands_in_a_room_of_the_page():
    assert {_room(name) for name in _modules() if name} == set(_rooms())


def test_imports_between_rooms_go_down_only():
    rank = {room: row for row, room in enumerate(_rooms())}
    upward = [
        f"{name} -> {target}"
        for name, targets in _own().items()
        if name
        for target in targets
        if rank[_room(target)] > rank[_room(name)]
    ]
    assert upward == []


def test_no_module_imports_itself_by_way_of_others():
    edges = {name: set(targets) for name, targets in _own().items() if name}
    while edges:
        leaves = {name for name, targets in edges.items() if not targets & edges.keys()}
        assert leaves, f"a circle among {sorted(edges)}"
        edges = {name: targets for name, targets in edges.items() if name not in leaves}


def test_only_the_command_line_imports_the_simulated_market():
    users = {_room(name) for name, targets in _own().items() for target in targets if "vendors.sandbox" in target}
    assert users <= {"vendors", "cli"}


def test_a_heavy_library_has_one_door():
    doors = _doors()
    strays = [
        f"{name} imports {library}"
        for name, tree in _modules().items()
        for library in {target.partition(".")[0] for target in _imports(_nodes(tree))} & doors.keys()
        if name != doors[library] and not name.startswith(f"{doors[library]}.")
    ]
    assert strays == []
    assert doors.keys() == {
        "boto3",
        "duckdb",
        "massive",
        "pandas_market_calendars",
        "polygon",
        "pyspark",
        "python_calamine",
        "rich",
        "requests",
        "tenacity",
        "typer",
        "vl_convert",
        "websockets",
        "xlsxwriter",
        "yaml",
    }


_NAME = re.compile(r"`(?P<name>[A-Za-z_][\w/]*(?:\.[A-Za-z_]\w*)*)`")


def _defined() -> set[str]:
    """Every name that the page may use: of modules, rooms, classes, functions, columns of code and test files."""
    root = SOURCE.parents[1]
    names = {part for path in [*SOURCE.rglob("*.py"), *(root / "tests").rglob("*.py")] for part in path.parts}
    for tree in [*_modules().values(), ast.parse((root / "tests/simulators/sandbox_source.py").read_text("utf-8"))]:
        names |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    return names | {name.removesuffix(".py") for name in names}


def test_the_page_names_only_what_is_there():
    page = PAGE.read_text(encoding="utf-8").partition("## What a run survives")[0].partition("## Three seams")[2]
    defined = _defined()
    unknown = [
        name
        for name in _NAME.findall(page)
        if not name.startswith(("raw/", "docs/"))
        and not name.endswith(".json")
        and any(part not in defined for part in re.split(r"[./]", name) if part not in {"", "py"})
    ]
    assert unknown == []
