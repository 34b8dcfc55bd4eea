"""The tables of facts: how they are read, and that each says where it comes from."""

from pathlib import Path

import pytest

from mag7cli.core import packaged_data

DATA = Path(__file__).parents[3] / "data"


def test_a_caller_cannot_change_what_the_next_caller_reads() -> None:
    packaged_data.read("vendor_symbols")[0]["vendor_symbol"] = "changed"

    assert packaged_data.read("vendor_symbols")[0]["vendor_symbol"] != "changed"


def test_comment_lines_are_provenance_and_never_rows() -> None:
    assert not any(value.startswith("#") for row in packaged_data.read("vendor_symbols") for value in row.values())
    assert packaged_data.provenance("vendor_symbols")


def test_every_table_says_where_it_comes_from_and_has_a_value_for_every_column() -> None:
    tables = {path.stem: packaged_data.read(path.stem) for path in DATA.glob("*.csv")}

    assert tables
    assert [name for name, rows in tables.items() if not rows] == []
    assert [
        name
        for name, rows in tables.items()
        if not packaged_data.provenance(name) and not all(row["source"] for row in rows)
    ] == [], "no # line and no source column"
    assert [name for name, rows in tables.items() if any(None in row or None in row.values() for row in rows)] == [], (
        "a row is longer or shorter than the header"
    )


def test_an_unknown_table_is_a_bug_and_says_which() -> None:
    with pytest.raises(FileNotFoundError, match=r"no_such_table\.csv"):
        packaged_data.text("no_such_table")
