"""A file is written as a whole, or left as it was."""

from pathlib import Path

import pytest

from mag7cli.core.errors import StoreError
from mag7cli.core.whole_files import replacing


def test_a_file_has_its_old_bytes_until_the_new_ones_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_bytes(b"old")

    with replacing(path) as stream:
        stream.write(b"new")
        assert path.read_bytes() == b"old"

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_the_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as stream:
            stream.write(b"ne")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        write_half()

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_made_only_where_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.html"

    with pytest.raises(StoreError, match=r"report\.html cannot be written: No such file or directory"), replacing(path):
        pass
    with replacing(path, make_folder=True) as stream:
        stream.write(b"page")

    assert path.read_bytes() == b"page"
