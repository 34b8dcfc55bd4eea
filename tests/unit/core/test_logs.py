import json
import logging

import pytest
from tests.simulators.command_line import without_times

from mag7cli.core import logs


@pytest.fixture(autouse=True)
def _loggers_as_before():
    root, own = logging.getLogger(), logging.getLogger("mag7cli")
    handlers, levels = list(root.handlers), (root.level, own.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    own.setLevel(levels[1])


def _say_everything():
    own, library = logging.getLogger("mag7cli.collection.collector"), logging.getLogger("urllib3")
    own.debug("own debug")
    own.info("own info")
    own.log(logs.NOTICE, "own notice")
    own.warning("own warning")
    own.error("own error")
    library.debug("library debug")
    library.info("library info")
    library.warning("library warning")


@pytest.mark.parametrize(
    ("choice", "heard"),
    [
        ({"quiet": True}, ["own error"]),
        ({}, ["own notice", "own warning", "own error", "library warning"]),
        ({"verbosity": 1}, ["own info", "own notice", "own warning", "own error", "library warning"]),
        (
            {"verbosity": 2},
            [
                *("own debug", "own info", "own notice", "own warning", "own error"),
                *("library debug", "library info", "library warning"),
            ],
        ),
    ],
)
def test_quiet_and_verbose_choose_what_is_heard(capsys, choice, heard):
    logs.configure("json", **choice)
    _say_everything()
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == heard


def test_a_json_record_has_its_time_level_logger_message_and_fields(capsys):
    logs.configure("json")
    logging.getLogger("mag7cli.collection.collector").warning(
        "slow: %s", "AAPL", extra={"fields": {"ticker": "AAPL", "wait_s": 12.5}}
    )
    record = json.loads(capsys.readouterr().err)
    assert record.pop("timestamp").endswith("+00:00")
    assert record == {
        "level": "warning",
        "logger": "mag7cli.collection.collector",
        "message": "slow: AAPL",
        "fields": {"ticker": "AAPL", "wait_s": 12.5},
    }


def test_a_json_record_of_an_exception_stays_on_one_line(capsys):
    logs.configure("json")
    try:
        int("two\nlines")
    except ValueError:
        logging.getLogger("mag7cli").exception("went wrong")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exception"]


def test_text_says_what_is_a_warning_and_leaves_a_notice_as_it_is(capsys):
    logs.configure()
    _say_everything()
    assert without_times(capsys.readouterr().err).splitlines() == [
        "own notice",
        "Warning: own warning",
        "Error: own error",
        "Warning: library warning",
    ]


def test_configuring_twice_says_everything_once(capsys):
    logs.configure()
    logs.configure()
    logging.getLogger("mag7cli").warning("once")
    assert without_times(capsys.readouterr().err) == "Warning: once\n"
