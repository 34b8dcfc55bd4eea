import re
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from mag7cli.collection.bar_files import BarFiles
from mag7cli.core.clock import NEW_YORK
from mag7cli.core.errors import AuthenticationError, PlanError, VendorUnavailableError
from mag7cli.doctor.checks import examine
from mag7cli.lake.layout import Lake
from mag7cli.lake.lock import locked
from mag7cli.market.records import Bar
from mag7cli.vendors.base import VendorStatus
from mag7cli.vendors.subscription import plan

NOW = datetime(2024, 12, 13, 18, tzinfo=NEW_YORK)
BAR = Bar("MSFT", date(2022, 12, 13), 1.0, 1.0, 1.0, 1.0, 1.0, None)


class StoppedClock:
    def now(self):
        return NOW


class Vendor:
    simulated = False

    def __init__(self, server_time="2024-12-13T18:00:02-05:00", bars=(BAR,), error=None, bars_error=None):
        self._time, self._bars, self._error, self._bars_error = server_time, list(bars), error, bars_error
        self.asked = []

    def status(self):
        if self._error:
            raise self._error
        return VendorStatus(self._time)

    def bars(self, symbol, start, end):
        self.asked.append((symbol, start, end))
        if self._bars_error:
            raise self._bars_error
        return self._bars


def _findings(tmp_path, vendor=None, environ=None, clock=None, lake=None):
    def source():
        if isinstance(vendor, Exception):
            raise vendor
        return vendor or Vendor()

    found = examine(
        lake or (lambda: Lake.at(str(tmp_path))), source, plan("basic"), clock or StoppedClock(), environ or {}
    )
    return {finding.check: finding for finding in found}


def _installed_with(folder, *requirements):
    """Another installation of mag7 that needs these, first on the path."""
    (folder / "mag7cli-9.dist-info").mkdir(parents=True)
    needs = [f"Requires-Dist: {requirement}" for requirement in requirements]
    about = "\n".join(["Metadata-Version: 2.4", "Name: mag7cli", "Version: 9", *needs])
    (folder / "mag7cli-9.dist-info" / "METADATA").write_text(about + "\n")


def test_what_an_installation_needs_is_what_its_metadata_says(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    _installed_with(tmp_path / "site", "duckdb<3,>=1.5", "not-a-library>=2", "not-there; extra == 'report'")

    packages = _findings(tmp_path)["packages"]

    assert (packages.state, packages.outcome) == ("failed", "not installed: not-a-library")


def test_the_libraries_are_listed_with_their_versions(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    _installed_with(tmp_path / "site", "duckdb<3,>=1.5", "tenacity")

    assert re.fullmatch(r"duckdb \d[\d.]+, tenacity \d[\d.]+", _findings(tmp_path)["packages"].outcome)


def test_where_mag7_is_not_installed_what_it_needs_is_not_known(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert _findings(tmp_path)["packages"].state == "warning"


def test_where_everything_is_in_order_every_check_says_so(tmp_path):
    findings = _findings(tmp_path)
    assert {finding.state for finding in findings.values()} == {"ok"}
    assert next(iter(findings)) == "python"
    assert {"packages", "calendar", "lake", "disk", "key", "vendor", "clock skew", "rate", "history"} <= set(findings)


def test_nothing_is_left_in_the_lake(tmp_path):
    _findings(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_days_of_the_plan_are_asked_for_with_one_call(tmp_path):
    vendor = Vendor()
    _findings(tmp_path, vendor)
    assert vendor.asked == [("MSFT", date(2022, 12, 14), date(2022, 12, 21))]


@pytest.mark.parametrize(
    ("vendor", "check", "told"),
    [
        (AuthenticationError("no API key", hint="set it"), "key", "no API key"),
        (Vendor(error=AuthenticationError("unknown key")), "vendor", "unknown key"),
        (Vendor(error=VendorUnavailableError("no answer")), "vendor", "no answer"),
        (Vendor(server_time="2024-12-13T18:05:00-05:00"), "clock skew", "5 min 00 s from the vendor's"),
        (Vendor(bars_error=PlanError("too far back")), "history", "too far back"),
        (Vendor(bars=()), "history", "nothing is served for 2022-12-14, as the plan basic promises"),
    ],
)
def test_what_is_not_in_order_is_a_failed_check(tmp_path, vendor, check, told):
    findings = _findings(tmp_path, vendor)
    failed = [finding for finding in findings.values() if finding.state == "failed"]
    assert [(finding.check, finding.outcome) for finding in failed] == [(check, told)]


def test_a_time_that_cannot_be_read_is_worth_a_note(tmp_path):
    for odd in ("soon", "2024-12-13T18:00:00"):
        assert _findings(tmp_path, Vendor(server_time=odd))["clock skew"].state == "warning"


def test_a_simulated_vendor_has_a_day_of_its_own(tmp_path):
    vendor = Vendor()
    vendor.simulated = True
    findings = _findings(tmp_path, vendor)
    assert findings["vendor"].outcome == "takes the key, and is simulated"
    assert "clock skew" not in findings
    assert vendor.asked == []


def test_a_clock_that_stands_still_and_a_calendar_near_its_end_are_worth_a_note(tmp_path):
    class LateClock:
        def now(self):
            return datetime(2028, 12, 1, tzinfo=NEW_YORK)

    findings = _findings(tmp_path, AuthenticationError("none"), {"MAG7_NOW": "2028-12-01"}, LateClock())
    assert findings["clock"].state == "warning"
    assert findings["calendar"].state == "warning"


def test_a_lake_at_work_is_worth_a_note(tmp_path):
    with locked(Lake.at(str(tmp_path)), "collect"):
        assert _findings(tmp_path)["lock"].outcome.startswith("collect (process ")


@pytest.mark.parametrize("kind", ["bars", "details"])
def test_what_the_vendor_answered_is_read_and_belongs_where_it_lies(tmp_path, kind):
    lake = Lake.at(str(tmp_path))
    BarFiles(lake).keep_day(date(2024, 12, 13), {"MSFT": None})
    content = b'{"schema_version": 1, "date": "2024-12-13", "answers": {}}'
    lake.write_reference("details/date=2024-12-13.json", content)
    answers = _findings(tmp_path)["answers"]
    assert (answers.state, answers.outcome.partition(";")[0]) == ("ok", "2 files can be read")

    folder = tmp_path / "raw" / "reference" / kind
    (folder / "date=2024-12-13.json").rename(folder / "date=2024-12-12.json")

    answers = _findings(tmp_path)["answers"]
    assert answers.state == "failed"
    assert f"1 file damaged; the first is raw/reference/{kind}/date=2024-12-12.json: " in answers.outcome
    assert "its content is that of date=2024-12-13.json" in answers.outcome
    assert answers.fix == "mag7 verify names all"


def test_a_lake_that_is_not_there_yet_is_not_made(tmp_path):
    place = tmp_path / "a" / "lake"
    assert _findings(tmp_path, lake=lambda: Lake.at(str(place)))["lake"].state == "ok"
    assert not place.parent.exists()


def test_a_lake_that_cannot_be_written_is_a_failed_check(tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    finding = _findings(tmp_path, lake=lambda: Lake.at(str(file)))["lake"]
    assert finding.state == "failed"
    assert str(Path(file)) in finding.outcome
