"""What `mag7 run` says of the sessions before the new one."""

from datetime import date

from mag7cli.cli.output import Line
from mag7cli.cli.run import run_result
from mag7cli.collection.collector import CollectResult
from mag7cli.collection.document_changes import DateChange, LineChange, Recheck, Refusal
from mag7cli.pipeline import RunResult
from mag7cli.tables.transform import TransformResult

NEW, BEFORE = date(2024, 12, 13), date(2024, 12, 12)


def said(recheck: Recheck | None) -> list[str]:
    collected = CollectResult(written=(NEW,), present=10, calls={"grouped": 2}, rechecked=recheck)
    text = run_result(RunResult(collected, TransformResult((NEW,), (), (), ()))).text or ()
    return [block.text for block in text if isinstance(block, Line)]


def test_what_was_corrected_is_said_with_the_share_before_and_after() -> None:
    change = DateChange(BEFORE, 33.1, 33.2, (LineChange("XOM", "close_price", 110.0, 111.0),))
    refusal = Refusal("AAPL", BEFORE, "price", "no correction is so large")

    lines = said(Recheck((BEFORE,), (change,), (refusal,)))

    assert "2024-12-12: the Mag 7 were 33.1000 %, are 33.2000 %." in lines
    assert "Asked again about 1 date: 1 date changed." in lines
    assert "Kept the old price of AAPL on 2024-12-12: no correction is so large" in lines


def test_nothing_is_said_where_nothing_was_asked() -> None:
    assert not [line for line in said(None) if "again" in line]
    assert "Asked again about 1 date: 0 dates changed." in said(Recheck((BEFORE,), (), ()))
