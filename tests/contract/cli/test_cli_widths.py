"""Every command in terminals of four widths, over a lake of the simulated market: nothing is cut or broken."""

import functools
import shlex
from pathlib import Path

import pytest
from tests.simulators.terminal import in_pipe, on_terminal
from typer.main import get_command

from mag7cli.cli import app
from mag7cli.cli.app import Group, commands_of
from mag7cli.cli.origin import OF_A_MARKET
from mag7cli.reporting import library

WIDTHS = (40, 60, 80, 200)
DAY = "2024-12-13"
LATE_THAT_EVENING = "2024-12-13T22:00:00-05:00"

RESULTS = (
    "tickers --changes",
    "dates --last 3",
    "collect --last 3 --dry-run",
    "transform",
    "validate",
    "load",
    "run --last 3 --max-calls 0",
    "show",
    "show 2024-12-11 2024-12-13",
    "show --last 3",
    "live --review 2024-12-13",
    "exposure --fund SIMIX=10000 --stock NVDA=2500",
    "exposure --stock NVDA=2500 --group top10",
    "funds add SIMIX=missing.csv",
    "funds list",
    "funds refresh",
    "status",
    "status --runs",
    "status --check",
    "explain 2024-12-13",
    "explain 2024-12-13 NVDA",
    "verify",
    "sql --list",
    "sql --name latest_ranking",
    "sql 'SELECT * FROM market_data.daily_summary'",
    "doctor",
    "config show",
    "config path",
    "service print launchd --out units",
    "deploy cost",
)
# The same, where a look takes long.
SLOW_RESULTS = ("report --out report.html", "deploy render --out deployment")
# What goes into a file or another program: the terminal must get it as it is.
FILES = (
    *("export", "tickers", "report --out -", "show --format csv", "status --format json"),
    *("config template", "service print systemd", "service print cron", "deploy render"),
)
# What needs a registry, an account in the cloud, or somebody who ends it.
ELSEWHERE = {
    *("deploy package", "deploy diff", "deploy apply", "deploy secret", "deploy start", "deploy status"),
    *("deploy logs", "deploy destroy", "sandbox serve"),
}


@functools.cache
def commands() -> list[str]:
    program = get_command(app)
    assert isinstance(program, Group)
    return [words for words, _ in commands_of(program)]


def command_of(call: str) -> str:
    return next(words for words in commands() if f"{call} ".startswith(f"{words} "))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("widths")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MAG7_NOW", LATE_THAT_EVENING)
        patch.setattr(library, "script", lambda renderer: "")
        assert in_pipe(["demo", "--quiet", "--start", "2024-12-11", "--end", DAY, "--lake", "lake"]).code == 0
    return folder


@pytest.fixture(autouse=True)
def _here(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Friday evening in the folder of the lake, without a key, a network or a configuration."""
    monkeypatch.chdir(lake)
    monkeypatch.setattr(library, "script", lambda renderer: "")  # what draws the charts takes seconds to put together
    for name, value in (("HOME", str(lake)), ("MAG7_NOW", LATE_THAT_EVENING), ("TERM", "xterm"), ("NO_COLOR", "1")):
        monkeypatch.setenv(name, value)
    for name in ("POLYGON_API_KEY", "MASSIVE_API_KEY", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def too_long(text: str, columns: int) -> list[str]:
    """The lines that a terminal would break, but for those that have no place to be broken at, or are to be pasted."""
    return [
        line
        for line in map(str.rstrip, text.splitlines())
        if len(line) > columns and len(line.split()) > 1 and not line.strip().startswith("mag7 ")
    ]


def test_every_command_is_looked_at() -> None:
    looked_at = {command_of(call) for call in (*RESULTS, *SLOW_RESULTS, *FILES)}
    assert looked_at | ELSEWHERE | {"demo"} == set(commands())


@pytest.mark.parametrize(("call", "widths"), [(call, WIDTHS) for call in RESULTS] + [(c, (40,)) for c in SLOW_RESULTS])
def test_no_line_is_too_long_and_no_word_figure_or_date_is_cut(
    call: str, widths: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(call)
    piped = in_pipe(words)
    for columns in widths:
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = on_terminal(words, columns)
        assert shown.code == piped.code
        assert too_long(shown.text, columns) == []
        assert set(shown.text.split()) - set(piped.text.split()) == set(), shown.text
        assert "Traceback" not in shown.text
        if f"mag7 {command_of(call)}" in OF_A_MARKET and shown.code in (0, 3, 6, 8):
            assert "SIMULATED" in shown.text


@pytest.mark.parametrize("call", FILES)
def test_what_goes_into_a_file_is_the_same_on_a_terminal(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    written = in_pipe([*shlex.split(call), "--quiet"]).text
    assert on_terminal([*shlex.split(call), "--quiet"], 40).text == written


def test_a_whole_pipeline_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = on_terminal(["demo", "--start", DAY, "--end", DAY, "--lake", "narrow"], 40)
    assert shown.code == 0
    frames = shown.text.replace("\r", "\n")
    assert too_long(frames, 40) == []
    assert "SIMULATED" in frames


@pytest.mark.parametrize("words", ["", *commands()])
def test_help_fits(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call = [*words.split(), "--help"]
    monkeypatch.setenv("COLUMNS", "200")
    whole = set("".join(in_pipe(call).text.split()).split("|"))
    for columns in WIDTHS:
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = on_terminal(call, columns)
        assert shown.code == 0
        assert too_long(shown.text, columns) == []
        assert set("".join(shown.text.split()).split("|")) == whole
