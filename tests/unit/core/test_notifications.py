"""Telling somebody who is not there, against a server on the loopback and real shells."""

import os

import pytest
from tests.simulators.monitor import monitor

from mag7cli.core.errors import UsageError
from mag7cli.core.notifications import Contacts, address_of

KEY = "MARK-77aa-KEY"


@pytest.fixture
def job():
    with monitor() as notes:
        yield notes


def test_start_success_and_failure_go_to_their_addresses(job):
    contacts = Contacts(ping_url=job.url)
    contacts.started()
    contacts.succeeded("done")
    contacts.failed("no key", 4)
    assert job.heard == [("/ping/uuid/start", ""), ("/ping/uuid", "done"), ("/ping/uuid/fail", "no key")]


def test_a_query_stays_behind_the_path():
    assert address_of("https://h.example/api/push/x/?a=1", "failure") == "https://h.example/api/push/x/fail?a=1"


def test_a_monitor_that_stumbles_is_asked_again(job):
    job.statuses = [503]
    Contacts(ping_url=job.url).succeeded("done")
    assert len(job.heard) == 2


@pytest.mark.parametrize("status", [404, None])
def test_a_monitor_that_does_not_hear_is_a_warning_without_its_path(job, caplog, status):
    job.statuses = [status or 200]
    url = job.url if status else "http://127.0.0.1:9/ping/uuid"
    Contacts(ping_url=url).succeeded("done")
    (record,) = [one for one in caplog.records if one.name.startswith("mag7cli")]
    assert (record.levelname, "127.0.0.1" in record.getMessage()) == ("WARNING", True)
    assert "uuid" not in record.getMessage()


@pytest.mark.parametrize("url", ["hc-ping.com/x", "ftp://h/x", "http://", f"https://h/{KEY}", ""])
def test_an_address_that_cannot_be_pinged_or_has_the_key_in_it_is_refused(url):
    with pytest.raises(UsageError) as refusal:
        Contacts(ping_url=url).check({"POLYGON_API_KEY": KEY})
    assert KEY not in str(refusal.value)


def test_a_command_gets_the_error_and_never_the_key(tmp_path, monkeypatch):
    monkeypatch.setenv("POLYGON_API_KEY", KEY)
    out = tmp_path / "mail"
    command = f'(cat; echo "$MAG7_EXIT_CODE $MAG7_ERROR"; env) > {out}'
    Contacts(on_failure=command).failed("no figure\nmag7 status", 3)
    text = out.read_text()
    assert text.startswith("no figure\nmag7 status\n3 no figure\n")
    assert KEY not in text
    assert os.environ["POLYGON_API_KEY"] == KEY


def test_a_command_that_fails_is_a_warning(caplog):
    Contacts(on_failure="exit 9").failed("no figure", 3)
    assert "ended with exit code 9" in caplog.text
