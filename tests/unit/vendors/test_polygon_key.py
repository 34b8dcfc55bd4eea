"""Where the key comes from, and the source that is built with it."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from mag7cli.core.errors import AuthenticationError, ConfigError, UsageError
from mag7cli.vendors.polygon import ApiKey, api_key_from, open_source
from mag7cli.vendors.rate_limit import Rate

KEY = "sEcReTkEy0123456789abcdefXYZ"


def python(code: str) -> str:
    """A command line that runs Python code."""
    return shlex.join([sys.executable, "-c", code])


def sent(key: ApiKey) -> str:
    return str.__str__(key.authorization())


def test_the_vendors_old_name_is_asked_before_its_new_one_and_both_before_the_command() -> None:
    both = {"POLYGON_API_KEY": "old", "MASSIVE_API_KEY": "new"}

    assert sent(api_key_from(both, python("print('command')"))) == "Bearer old"
    assert sent(api_key_from({"POLYGON_API_KEY": " ", "MASSIVE_API_KEY": "new"})) == "Bearer new"
    assert sent(api_key_from({}, python("print('command')"))) == "Bearer command"


def test_the_command_gives_its_first_line() -> None:
    assert sent(api_key_from({}, python("print(' first '); print('second')"))) == "Bearer first"


def test_the_command_is_not_a_shells(tmp_path: Path) -> None:
    trap = tmp_path / "made-by-a-shell"

    assert sent(api_key_from({}, f"{python('import sys; print(len(sys.argv))')} ; touch {trap}")) == "Bearer 4"
    assert not trap.exists()


def test_what_the_command_says_on_stderr_is_shown_to_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    failing = python(f"import sys; print('{KEY}', file=sys.stderr); print('{KEY}'); sys.exit(3)")

    with pytest.raises(ConfigError, match="ended with status 3") as refused:
        api_key_from({}, failing)

    assert KEY not in f"{refused.value} {refused.value.hint} {capfd.readouterr()}"


@pytest.mark.parametrize("command", ["no-such-program-here --secret s3cr3t", "'unclosed s3cr3t"])
def test_a_command_that_cannot_be_run_is_named_without_its_arguments(command: str) -> None:
    with pytest.raises(ConfigError, match="api_key_command") as refused:
        api_key_from({}, command)

    assert "s3cr3t" not in str(refused.value)


def test_a_command_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mag7cli.vendors.polygon.key._COMMAND_TIMEOUT_S", 0.1)

    with pytest.raises(ConfigError, match="took longer"):
        api_key_from({}, python("import time; time.sleep(60)"))


def test_without_a_key_the_demo_is_named() -> None:
    with pytest.raises(AuthenticationError) as refused:
        api_key_from({})

    assert refused.value.exit_code == 4
    assert "mag7 demo" in str(refused.value.hint)


@pytest.mark.parametrize("value", ["two words", "line\r\nX-Injected: 1", "ключ", "tab\there", "\x00"])
def test_a_key_that_would_break_out_of_its_header_is_refused_unseen(value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        ApiKey(value)

    assert value not in str(refused.value)


def test_only_a_long_key_shows_its_last_four_characters() -> None:
    assert ApiKey(KEY).masked() == "…fXYZ"
    assert ApiKey("short").masked() == "…"


def test_a_source_takes_its_key_address_and_pace_from_what_it_is_given() -> None:
    environ = {"POLYGON_API_KEY": KEY, "POLYGON_BASE_URL": "https://api.massive.com/"}

    assert open_source(environ)._limiter.rate == Rate(5, 60.0)
    assert open_source(environ, plan="starter")._limiter.rate == Rate(100, 1.0)
    assert open_source(environ, plan="starter", rate=Rate.parse("3/min"))._limiter.rate == Rate(3, 60.0)
    assert open_source(environ)._base_url == "https://api.massive.com"


def test_a_source_that_cannot_work_is_not_made() -> None:
    with pytest.raises(AuthenticationError):
        open_source({})
    with pytest.raises(UsageError, match="gold"):
        open_source({"POLYGON_API_KEY": KEY}, plan="gold")
    with pytest.raises(ConfigError, match="unencrypted"):
        open_source({"POLYGON_API_KEY": KEY, "POLYGON_BASE_URL": "http://api.polygon.io"})


def test_a_source_that_asks_nothing_imports_nothing_heavy() -> None:
    """The vendor's client costs half a second, which an evening without news should not pay."""
    code = (
        "import sys; from mag7cli.vendors.polygon import open_source; "
        f"source = open_source({{'POLYGON_API_KEY': '{KEY}'}}); "
        "print([name for name in ('polygon', 'urllib3', 'tenacity', 'certifi', 'pandas') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
