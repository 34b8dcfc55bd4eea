"""A range that begins before a plan's history: the sandbox's plans against what is collected and said of each."""

from datetime import date, datetime
from pathlib import Path

import pytest
from tests.simulators.fake_clock import FakeClock
from tests.simulators.sandbox_source import SandboxSource
from tests.simulators.small_index import TICKERS, holdings_file, market_from

from mag7cli.collection.request import CollectRequest, collect, estimate
from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import AuthenticationError
from mag7cli.core.progress import Silence
from mag7cli.lake.layout import Lake
from mag7cli.vendors.sandbox.plan import PLANS

START, END = date(2021, 1, 1), date(2021, 1, 12)


class Ears(Silence):
    """Remembers the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def lake_at(root: Path) -> Lake:
    lake = Lake.at(str(root))
    lake.write_holdings(date(2020, 12, 1), holdings_file(date(2020, 12, 1), TICKERS))
    return lake


# The day on which the plan's history begins with the 2021-01-08: so many years later.
@pytest.mark.parametrize(
    ("name", "now", "written", "unserved"),
    [
        ("basic", datetime(2023, 1, 8, 12, tzinfo=NEW_YORK), 3, 4),
        ("starter", datetime(2026, 1, 8, 12, tzinfo=NEW_YORK), 3, 4),
        ("developer", datetime(2026, 1, 8, 12, tzinfo=NEW_YORK), 7, 0),
        ("advanced", datetime(2026, 1, 8, 12, tzinfo=NEW_YORK), 7, 0),
    ],
)
def test_what_the_plan_serves_is_collected_and_the_rest_is_said(tmp_path, name, now, written, unserved):
    lake, ears = lake_at(tmp_path / "lake"), Ears()
    vendor = SandboxSource(market_from(date(2021, 1, 4)), now=now, plan=PLANS[name])
    request = CollectRequest(start=START, end=END, plan=name, rate="unlimited")

    assert len(estimate(lake, request, FakeClock(now), Silence()).dates) == written
    result = collect(lake, request, clock=FakeClock(now), listener=ears, vendor=vendor)

    assert len(result.written) == len(lake.documents()) == written
    assert (result.unserved.count if result.unserved else 0) == unserved
    assert not result.failed
    assert result.is_clean == (not unserved)
    assert [text.partition(":")[0] for text in ears.warnings] == (
        [f"the {name} plan serves data from 2021-01-08 on"] if unserved else []
    )


def test_without_a_key_it_is_the_key_that_is_missed_and_a_demo_is_offered(tmp_path, monkeypatch):
    for name in ("POLYGON_API_KEY", "MASSIVE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    ears, clock = Ears(), FakeClock(datetime(2026, 11, 27, 12, tzinfo=NEW_YORK))

    with pytest.raises(AuthenticationError) as caught:
        collect(Lake.at(str(tmp_path)), CollectRequest(start=START), clock=clock, listener=ears, vendor=None)

    assert "mag7 demo" in str(caught.value.hint)
    assert ears.warnings == []
