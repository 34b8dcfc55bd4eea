"""Whose answers a lake holds: known before the first is kept, and never mixed."""

from datetime import date
from pathlib import Path

import orjson
import pytest
from tests.simulators.answering import AnsweringSource
from tests.simulators.small_index import document, keep, market

from mag7cli.collection.source_marker import SourceMarker, check_simulated
from mag7cli.core.errors import DocumentError, UsageError
from mag7cli.lake.layout import Lake

NOTE = "raw/reference/source.json"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.at(str(tmp_path / "lake"))


def source(*, simulated: bool) -> AnsweringSource:
    found = AnsweringSource(market())
    found.simulated = simulated  # type: ignore[misc]
    return found


@pytest.mark.parametrize("simulated", [True, False])
def test_the_first_answer_says_whose_they_are(lake, simulated):
    origin = SourceMarker(lake, source(simulated=simulated))
    origin.answered()

    assert orjson.loads(lake.store.read(NOTE)) == {"vendor": "sandbox", "simulated": simulated}
    # A run that finds all answers in the lake asks nobody, so its source does not know.
    assert SourceMarker(lake, source(simulated=False)).simulated is simulated


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (True, "answers of a simulated market, these are of the real one"),
        (False, "answers of the real one, these are of a simulated market"),
    ],
)
def test_answers_of_the_other_kind_are_refused(lake, kept, told):
    SourceMarker(lake, source(simulated=kept)).answered()

    with pytest.raises(UsageError, match=told) as caught:
        SourceMarker(lake, source(simulated=not kept)).answered()

    assert "--lake" in str(caught.value.hint)


def test_before_any_answer_nothing_is_noted(lake):
    assert not SourceMarker(lake, source(simulated=False)).simulated
    assert not lake.store.exists(NOTE)


@pytest.mark.parametrize("simulated", [True, False])
def test_a_note_that_was_lost_is_told_by_the_documents(lake, simulated):
    keep(lake, {**document(date(2024, 6, 20)), "source": {"simulated": simulated}})
    lake.store.write(lake.document_key(date(2024, 6, 21)), b"damaged")

    assert SourceMarker(lake, source(simulated=not simulated)).simulated is simulated
    assert lake.store.exists(NOTE)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b'{"simulated": "no"}'])
def test_a_damaged_note_is_named(lake, content):
    lake.store.write(NOTE, content)

    with pytest.raises(DocumentError, match=r"source\.json: not a note .+ delete it"):
        SourceMarker(lake, source(simulated=True))


def test_what_is_only_for_a_simulated_market_is_refused_to_a_real_lake(lake):
    check_simulated(lake)
    SourceMarker(lake, source(simulated=False)).answered()

    with pytest.raises(UsageError, match="these are of a simulated market"):
        check_simulated(lake)


def test_a_lake_that_lost_its_note_is_known_by_its_documents(lake):
    keep(lake, document(date(2024, 6, 28)))

    with pytest.raises(UsageError, match="holds answers of the real one"):
        check_simulated(lake)
