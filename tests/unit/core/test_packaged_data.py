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


@pytest.mark.parametrize("path", sorted(DATA.glob("*.csv")), ids=lambda path: path.stem)
def test_every_table_says_where_it_comes_from_and_has_a_value_for_every_column(path: Path) -> None:
    rows = packaged_data.read(path.stem)

    assert rows
    assert packaged_data.provenance(path.stem) or all(row["source"] for row in rows), "no # line and no source column"
    assert all(None not in row and None not in row.values() for row in rows), (
        "a row is longer or shorter than the header"
    )


def test_an_unknown_table_is_a_bug_and_says_which() -> None:
    with pytest.raises(FileNotFoundError, match=r"no_such_table\.csv"):
        packaged_data.text("no_such_table")
