from pathlib import Path

import pytest

from mag7cli.core import config
from mag7cli.core.errors import ConfigError


def _named(*options):
    return {option: option for option in options}


SCHEMA = {
    "dates": _named("start", "last", "format"),
    "collect": _named("start", "rate", "max_calls", "format", "api_key_command") | {"from": "from_"},
    "sandbox serve": _named("port"),
}


@pytest.fixture
def places(tmp_path):
    return tmp_path / "mag7.toml", tmp_path / "config.toml"


def _load(places):
    return config.load(places, SCHEMA)


def test_without_files_nothing_is_set(places):
    assert _load(places).defaults(SCHEMA) == {"dates": {}, "collect": {}, "sandbox": {"serve": {}}}


def test_a_common_value_is_for_every_command_that_has_the_option(places):
    places[0].write_text('rate = "5/min"\nformat = "json"\n')
    assert _load(places).defaults(SCHEMA) == {
        "dates": {"format": "json"},
        "collect": {"format": "json", "rate": "5/min"},
        "sandbox": {"serve": {}},
    }


CHOICES = {"dates": {"format": ("text", "json", "csv")}, "collect": {"format": ("text", "json")}}


def test_a_common_value_is_for_the_commands_that_take_it(places):
    places[0].write_text('format = "csv"\n')
    places[1].write_text('format = "json"\n')
    chosen = config.load(places, SCHEMA, CHOICES)
    assert chosen.find("dates", "format") == ("csv", places[0])
    assert chosen.find("collect", "format") == ("json", places[1])


def test_a_value_in_a_command_s_own_table_is_for_the_command_to_refuse(places):
    places[0].write_text('[collect]\nformat = "csv"\n')
    assert config.load(places, SCHEMA, CHOICES).find("collect", "format") == ("csv", places[0])


def test_a_common_value_that_no_command_takes_is_refused(places):
    places[0].write_text('format = "jsn"\n')
    with pytest.raises(ConfigError, match="format: 'jsn' is no value of it") as caught:
        config.load(places, SCHEMA, CHOICES)
    assert caught.value.hint == "did you mean json?"


def test_a_table_is_for_its_command_and_goes_before_a_common_value(places):
    places[0].write_text('format = "json"\n[dates]\nformat = "csv"\nlast = 3\n[sandbox.serve]\nport = 8000\n')
    defaults = _load(places).defaults(SCHEMA)
    assert defaults["dates"] == {"format": "csv", "last": "3"}
    assert defaults["collect"] == {"format": "json"}
    assert defaults["sandbox"]["serve"] == {"port": "8000"}


def test_the_project_goes_before_the_user_even_against_a_table(places):
    places[0].write_text('format = "json"\n')
    places[1].write_text('[dates]\nformat = "csv"\nlast = 3\n')
    found = _load(places)
    assert found.find("dates", "format") == ("json", places[0])
    assert found.find("dates", "last") == ("3", places[1])
    assert found.find("collect", "rate") is None


def test_words_of_a_name_may_be_joined_by_dashes_or_underscores(places):
    places[0].write_text("[collect]\nmax-calls = 5\n")
    places[1].write_text("max_calls = 6\n")
    assert [file.value("collect", "max_calls") for file in _load(places).files] == ["5", "6"]


def test_a_value_goes_to_the_parameter_that_its_option_sets(places):
    places[0].write_text('from = "2021-01-04"\n')
    assert _load(places).defaults(SCHEMA)["collect"] == {"from_": "2021-01-04"}


def test_dates_and_lists_of_toml_become_what_an_option_reads(places):
    places[0].write_text("[dates]\nstart = 2021-01-04\nlast = [1, 2]\n")
    assert _load(places).defaults(SCHEMA)["dates"] == {"start": "2021-01-04", "last": ["1", "2"]}


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("strat = 1", "strat: no such option", "did you mean start?"),
        ("[dates]\nrate = 5", "dates.rate: no such option", "mag7 config template lists what there is"),
        ("[colect]\nrate = 5", "[colect]: no such command", "did you mean collect?"),
        ("[sandbox.server]\nport = 5", "[sandbox.server]: no such command", "did you mean serve?"),
        ("[sandbox]\nport = 5", "sandbox.port: no such option", "mag7 config template lists what there is"),
        ("[collect.deep]\nrate = 5", "[collect.deep]: no such command", "mag7 config template lists what there is"),
        ("collect = 5", "collect: no such option", "mag7 config template lists what there is"),
    ],
)
def test_a_key_that_means_nothing_is_an_error_with_the_file_and_the_key(places, text, where, hint):
    places[0].write_text(text)
    with pytest.raises(ConfigError) as caught:
        _load(places)
    assert str(caught.value) == f"{places[0]}: {where}"
    assert caught.value.hint == hint


@pytest.mark.parametrize("text", ['api_key = "s3cret"', 'POLYGON_API_KEY = "s3cret"', '[collect]\napi-key = "s3cret"'])
def test_a_key_in_a_file_is_refused_without_repeating_it(places, text):
    places[0].write_text(text)
    with pytest.raises(ConfigError, match="does not belong") as caught:
        _load(places)
    assert "s3cret" not in f"{caught.value}{caught.value.hint}"
    assert "api_key_command" in caught.value.hint


@pytest.mark.parametrize("value", ["{ a = 1 }", "[[1]]", "[{ a = 1 }]"])
def test_a_value_that_no_option_takes_is_refused(places, value):
    places[0].write_text(f"[dates]\nlast = {value}\n")
    with pytest.raises(ConfigError):
        _load(places)


def test_a_file_that_is_not_toml_is_refused_with_the_line(places):
    places[0].write_text("format = \n")
    with pytest.raises(ConfigError, match=r"is not TOML: .*line 1"):
        _load(places)


def test_a_file_that_is_not_text_is_refused(places):
    places[0].write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not TOML"):
        _load(places)


def test_a_command_that_prints_the_key_is_not_run_from_a_file_that_everybody_may_write(places):
    places[0].write_text('api_key_command = "pass show polygon"\n')
    places[0].chmod(0o644)
    assert _load(places).find("collect", "api_key_command") == ("pass show polygon", places[0])
    places[0].chmod(0o666)
    with pytest.raises(ConfigError, match="everybody may write"):
        _load(places)


@pytest.mark.parametrize(
    ("environ", "user_file"),
    [
        ({"HOME": "/home/ann"}, Path("/home/ann/.config/mag7/config.toml")),
        ({"HOME": "/home/ann", "XDG_CONFIG_HOME": "/etc/ann"}, Path("/etc/ann/mag7/config.toml")),
        ({"HOME": "/home/ann", "XDG_CONFIG_HOME": "relative"}, Path("/home/ann/.config/mag7/config.toml")),
    ],
)
def test_the_users_file_is_where_the_xdg_specification_says(environ, user_file):
    assert config.paths(environ) == (Path("mag7.toml"), user_file)


def test_without_a_home_there_is_only_the_project_file():
    assert config.paths({}) == (Path("mag7.toml"),)
