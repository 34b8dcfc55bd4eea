"""Reads a demo lake with every reader of readers.toml, each in an environment of its own, and writes docs/interop.md.

Needs the package registry and Java (for Spark), hence outside CI. `--readers pandas,DuckDB` runs some of them only and
keeps what the others said last time. What was seen is kept in `--work`, so that the page can be written again.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import probe

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
START, END = "2021-09-15", "2022-07-29"
# A day whose share is another when it is cut to two digits than when it is rounded.
DAY = "2022-06-15"
BASELINE = "PyArrow dataset"
LAYOUT_NAMES = {"flat": "flat", "hive": "partitioned"}
Seen = dict[str, Any]


def main() -> None:
    arguments = _arguments()
    work = Path(arguments.work).resolve()
    lake = _demo_lake(work)
    readers = [probe.entry(name) for name in probe.names()]
    for reader in readers:
        path = work / f"{_slug(reader['name'])}.json"
        if not path.exists() or any(reader["name"].startswith(name) for name in arguments.readers):
            print(reader["name"], file=sys.stderr)
            path.write_text(_seen_by(reader, lake, work), encoding="utf-8")
    seen = [json.loads((work / f"{_slug(reader['name'])}.json").read_text(encoding="utf-8")) for reader in readers]
    text = (HERE / "page.md").read_text(encoding="utf-8")
    share = _own_share(lake)
    parts = _tables(readers, seen) | {"warehouse": _warehouse_table(lake, work)} | _figures(share)
    for name, part in parts.items():
        text = text.replace(f"<!-- {name} -->", part)
    (ROOT / "docs" / "interop.md").write_text(text, encoding="utf-8")
    _check(seen, share)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", default=str(ROOT / "interop-out"), help="folder of environments and results")
    parser.add_argument("--readers", type=lambda text: text.split(","), default=[], help="names to run again")
    return parser.parse_args()


def _demo_lake(work: Path) -> Path:
    lake = work / "lake"
    if not (lake / "analytics").is_dir():
        mag7 = ROOT / ".venv" / "bin" / "mag7"
        command = [mag7, "demo", "-q", "--lake", lake, "--start", START, "--end", END]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return lake


def _own_share(lake: Path) -> float:
    """What mag7 itself answers for that day, in percent."""
    command = [ROOT / ".venv" / "bin" / "mag7", "show", DAY, "--lake", lake, "--format", "json"]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["share_pct"])


def _figures(share: float) -> dict[str, str]:
    return {
        "share": f"{share:.9f}",
        "share rounded": f"{share:.2f}",
        "share cut": f"{math.floor(100 * share) / 100:.2f}",
    }


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())


def _seen_by(reader: Seen, lake: Path, work: Path) -> str:
    python = _environment(reader, work)
    command = [python, HERE / "probe.py", reader["name"], lake, DAY]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def _environment(reader: Seen, work: Path) -> Path:
    """The Python of an environment with the reader's packages alone."""
    folder = work / "env" / _slug(" ".join(reader["packages"]))
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *reader["packages"]]
        subprocess.run(command, check=True)
        (folder / "ready").touch()
    return python


# The tables of the page


def _tables(readers: Sequence[Seen], seen: Sequence[Seen]) -> dict[str, str]:
    baseline = next(found for found in seen if found["name"] == BASELINE)
    tables, kinds = list(baseline["tables"]["flat"]), _columns_by_type(baseline)
    share_head = ["reader", "the line for the share of Mag 7, in percent", "flat", "partitioned"]
    return {
        "versions": _markdown(["reader", "releases"], [[found["name"], _releases(found)] for found in seen]),
        "lines": _markdown(["reader", "layout", "the line to use"], _line_rows(readers)),
        "shares": _markdown(share_head, _share_rows(readers, seen)),
        "types": _markdown(["reader", *kinds, "NULL is"], [_type_row(found, kinds) for found in seen]),
        "dates": _markdown(["reader", "by the line to use"], [_date_row(found) for found in seen]),
        "values": _markdown(
            ["reader", "layout", *tables], [row for found in seen for row in _value_rows(found, baseline)]
        ),
        "obvious": _markdown(["reader", "layout", "line", "result"], _obvious_rows(seen)),
    }


def _columns_by_type(baseline: Seen) -> dict[str, list[tuple[str, str]]]:
    """Every column of every table by its type inside the files."""
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, found in baseline["tables"]["flat"].items():
        for column, kind in found["types"].items():
            columns.setdefault(kind, []).append((table, column))
    return columns


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[_cell(cell) for cell in row] for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _releases(found: Seen) -> str:
    return ", ".join(f"{name} {number}" for name, number in found["packages"].items())


def _line_rows(readers: Sequence[Seen]) -> list[list[str]]:
    return [
        [reader["name"], name, f"`{reader[layout]}`"]
        for reader in readers
        if "like" not in reader
        for layout, name in LAYOUT_NAMES.items()
    ]


def _share_rows(readers: Sequence[Seen], seen: Sequence[Seen]) -> list[list[str]]:
    return [
        [found["name"], f"`{reader['share']}`" if "like" not in reader else "the same", *_shares(found)]
        for reader, found in zip(readers, seen, strict=True)
    ]


def _shares(found: Seen) -> list[str]:
    return [share.get("error") or f"{share['share']:.9f}" for share in found["shares"].values()]


def _type_row(found: Seen, kinds: Mapping[str, Sequence[tuple[str, str]]]) -> list[str]:
    """The reader's types of all columns that have the same type inside the files: more than one where it differs."""
    flat = found["tables"]["flat"]
    types = [sorted({flat[table]["types"][column] for table, column in columns}) for columns in kinds.values()]
    nulls = sorted({kind for table in flat.values() for kind in table["nulls"].values()} - {"int"})
    return [found["name"], *(_codes(names) for names in types), _codes(nulls)]


def _date_row(found: Seen) -> list[str]:
    return [
        found["name"],
        _codes(sorted({table["types"]["trading_date"] for table in found["tables"]["hive"].values()})),
    ]


def _codes(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _value_rows(found: Seen, baseline: Seen) -> list[list[str]]:
    return [
        [
            found["name"],
            name,
            *(_verdict(found["tables"][layout][table], right) for table, right in baseline["tables"][layout].items()),
        ]
        for layout, name in LAYOUT_NAMES.items()
    ]


def _verdict(found: Mapping[str, Any], right: Mapping[str, Any]) -> str:
    """Whether rows and values are the baseline's; which columns differ where they are not."""
    if "error" in found:
        return str(found["error"])
    if found["rows"] != right["rows"]:
        return f"{found['rows']:,} rows"
    different = [name for name, digest in right["digests"].items() if name and found["digests"].get(name) != digest]
    return (
        f"{right['rows']:,} rows, last digit differs: {', '.join(different)}"
        if different
        else f"{right['rows']:,} rows"
    )


def _obvious_rows(seen: Sequence[Seen]) -> list[list[str]]:
    return [
        [found["name"], LAYOUT_NAMES[layout], f"`{code}`", f"`{result}`"]
        for found in seen
        for layout, code, result in found["obvious"]
    ]


# The warehouse

# The oldest and the newest that the requirement allows, and what most people have.
DUCKDBS = ("1.5.0", "1.5.6", "2.0.1")
COUNT = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=True)
names = [name for (name,) in con.execute(
    "SELECT table_name FROM information_schema.tables WHERE table_schema = 'market_data' AND table_type = 'BASE TABLE'"
).fetchall()]
print(len(names), sum(con.execute(f"SELECT count(*) FROM market_data.{name}").fetchall()[0][0] for name in names))
"""
LOAD = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
con.execute("CREATE OR REPLACE TABLE market_data.written AS SELECT * FROM market_data.concentration_metrics")
con.execute("DROP TABLE market_data.written")
"""


def _warehouse_table(lake: Path, work: Path) -> str:
    """What each DuckDB sees in the warehouse of the lake, and in a copy that the newest has written to."""
    written = work / "written.duckdb"
    shutil.copyfile(lake / "warehouse.duckdb", written)
    pythons = {version: _environment({"packages": [f"duckdb=={version}"]}, work) for version in DUCKDBS}
    subprocess.run([pythons[DUCKDBS[-1]], "-c", LOAD, written], check=True)
    rows = [
        [f"DuckDB {version}", *(_counted(python, path) for path in (lake / "warehouse.duckdb", written))]
        for version, python in pythons.items()
    ]
    return _markdown(["opened by", "the warehouse", f"after DuckDB {DUCKDBS[-1]} wrote to it"], rows)


def _counted(python: Path, warehouse: Path) -> str:
    done = subprocess.run([python, "-c", COUNT, warehouse], check=True, capture_output=True, text=True)
    tables, rows = done.stdout.split()
    return f"{tables} tables, {int(rows):,} rows"


def _check(seen: Sequence[Seen], right: float) -> None:
    """Exit 1 unless every documented line counts one row on that day and gives the share that mag7 gives, to 1e-9."""
    shares = {(found["name"], layout): found["shares"][layout] for found in seen for layout in probe.LAYOUTS}
    wrong = [
        key
        for key, share in shares.items()
        if "error" in share or share["on_day"] != 1 or abs(share["share"] / right - 1) > 1e-9
    ]
    if wrong:
        sys.exit(f"not the same share: {wrong}")
    print(f"{len(shares)} shares of {right:.9f} %", file=sys.stderr)


if __name__ == "__main__":
    main()
