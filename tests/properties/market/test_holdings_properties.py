"""Whatever bytes come, the parser answers with holdings or with one kind of error."""

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from mag7cli.core.errors import HoldingsFormatError
from mag7cli.market import holdings_file

FILES = Path(__file__).parents[2] / "data" / "holdings_files"
BASE = (FILES / "accepted" / "as_published.csv").read_bytes()
PLACES = st.integers(0, len(BASE))


def parses_or_is_refused(data: bytes) -> holdings_file.Holdings | None:
    try:
        return holdings_file.parse(data, "test.csv")
    except HoldingsFormatError:
        return None


@given(st.binary(max_size=300))
@example(b"\xff\xfe\x00")
@example(b"\xff\xfeT")
@example(b'Ticker,Weight (%),Sector\n"')
def test_no_bytes_end_in_another_error(data: bytes) -> None:
    parses_or_is_refused(data)


@given(PLACES, PLACES, st.binary(max_size=8))
def test_no_damage_to_a_file_ends_in_another_error_or_a_ticker_twice(start: int, end: int, inserted: bytes) -> None:
    start, end = sorted((start, end))

    found = parses_or_is_refused(BASE[:start] + inserted + BASE[end:])

    if found:
        assert len(set(found.tickers)) == len(found.tickers)
        assert all(found.tickers)


@given(PLACES)
def test_a_file_cut_anywhere_never_gives_other_numbers_without_a_warning(end: int) -> None:
    whole = {row.ticker: row for row in holdings_file.parse(BASE, "test.csv").equities}

    found = parses_or_is_refused(BASE[:end])

    if found and not found.warnings:
        assert {row.ticker: row for row in found.equities} == whole
