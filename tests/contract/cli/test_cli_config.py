"""Where the value of an option comes from, through a real process."""

import json
import tomllib
from pathlib import Path

import pytest
from tests.simulators.command_line import environment, mag7


def _last_of(tmp_path, *words, env=None):
    return len(mag7("dates", *words, cwd=tmp_path, env=env or environment(tmp_path)).stdout.splitlines())


def _user_file(tmp_path, text):
    file = tmp_path / ".config" / "mag7" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def test_a_flag_goes_before_the_environment_that_before_the_project_that_before_the_user(tmp_path):
    env = environment(tmp_path, {"MAG7_LAST": "3"})
    assert _last_of(tmp_path) == 1007
    _user_file(tmp_path, "[dates]\nlast = 5\n")
    assert _last_of(tmp_path) == 5
    (tmp_path / "mag7.toml").write_text("[dates]\nlast = 4\n")
    assert _last_of(tmp_path) == 4
    assert _last_of(tmp_path, env=env) == 3
    assert _last_of(tmp_path, "--last", "2", env=env) == 2


def test_the_users_file_is_found_where_xdg_says(tmp_path):
    place = tmp_path / "elsewhere"
    (place / "mag7").mkdir(parents=True)
    (place / "mag7" / "config.toml").write_text("last = 7\n")
    assert _last_of(tmp_path, env=environment(tmp_path, {"XDG_CONFIG_HOME": str(place)})) == 7


def test_an_empty_variable_is_as_good_as_none(tmp_path):
    assert _last_of(tmp_path, env=environment(tmp_path, {"MAG7_LAST": ""})) == 1007


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("lats = 3", "mag7.toml: lats: no such option"),
        ("[dates]\nrate = 3", "mag7.toml: dates.rate: no such option"),
        ("[daets]\nlast = 3", "mag7.toml: [daets]: no such command"),
        ('api_key = "s3cr3t"', "mag7.toml: api_key: a key does not belong in a configuration file"),
    ],
)
def test_a_file_with_a_key_that_means_nothing_is_refused(tmp_path, text, error):
    (tmp_path / "mag7.toml").write_text(text)
    ended = mag7("dates", cwd=tmp_path)
    assert (ended.code, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[0] == f"Error: {error}"
    assert "s3cr3t" not in ended.stderr


def test_help_is_given_even_where_the_configuration_is_broken(tmp_path):
    (tmp_path / "mag7.toml").write_text("=")
    assert mag7("dates", cwd=tmp_path).code == 2
    assert mag7("dates", "--help", cwd=tmp_path).code == 0
    assert mag7("--help", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("env", "text", "place"),
    [
        ({"MAG7_START": "soon"}, "", "MAG7_START"),
        ({}, 'start = "soon"', "a configuration file, see mag7 config show"),
    ],
)
def test_a_bad_value_that_was_not_typed_is_reported_with_its_place(tmp_path, env, text, place):
    (tmp_path / "mag7.toml").write_text(text)
    ended = mag7("dates", cwd=tmp_path, env=environment(tmp_path, env))
    assert ended.code == 2
    assert ended.stderr.splitlines()[0].endswith(f"'soon' is not a date like 2024-12-13 (from {place})")


def test_show_tells_every_value_and_its_origin(tmp_path):
    user = _user_file(tmp_path, "verbose = 1\n")
    (tmp_path / "mag7.toml").write_text('[dates]\nlast = 4\nformat = "csv"\n')
    env = environment(tmp_path, {"MAG7_START": "2021-01-04"})
    shown = json.loads(mag7("config", "show", "--format", "json", cwd=tmp_path, env=env).stdout)
    assert shown["files"] == ["mag7.toml", str(user)]
    dates = {entry["option"]: entry for entry in shown["settings"] if "dates" in entry["commands"]}
    assert (dates["last"]["value"], dates["last"]["origin"]) == ("4", "mag7.toml")
    assert (dates["format"]["value"], dates["format"]["origin"]) == ("csv", "mag7.toml")
    assert (dates["start"]["value"], dates["start"]["origin"]) == ("2021-01-04", "MAG7_START")
    assert (dates["verbose"]["value"], dates["verbose"]["origin"]) == ("1", str(user))
    assert (dates["end"]["value"], dates["end"]["origin"]) == (None, "default")


@pytest.mark.parametrize("format_", ["text", "json", "csv", "jsonl"])
def test_a_common_format_breaks_no_command_that_lacks_it(tmp_path, format_):
    (tmp_path / "mag7.toml").write_text(f'format = "{format_}"\n')
    commands = ("dates --last 1", "status", "config template", "explain 2024-12-13", "sql --list", "show", "verify")
    for words in (command.split() for command in commands):
        ended = mag7(*words, cwd=tmp_path)
        # There is no lake: what matters is that the format is not what they complain of.
        assert "--format" not in ended.stderr, (words, ended)
        assert "is not one of" not in ended.stderr, (words, ended)
    assert mag7("status", "--format", "csv", cwd=tmp_path).code == 2
    (tmp_path / "mag7.toml").write_text('[status]\nformat = "csv"\n')
    ended = mag7("status", cwd=tmp_path)
    assert ended.code == 2
    assert "(from a configuration file, see mag7 config show)" in ended.stderr


def test_show_masks_the_key(tmp_path):
    env = environment(tmp_path, {"POLYGON_API_KEY": "AbCdEfGhIjKlMnOp1234", "MASSIVE_API_KEY": "short"})
    for format_ in ("text", "json", "csv"):
        ended = mag7("config", "show", "--format", format_, cwd=tmp_path, env=env)
        assert "set (…1234)" in ended.stdout
        assert "AbCdEf" not in ended.stdout + ended.stderr
        assert "short" not in ended.stdout + ended.stderr


def test_path_tells_where_files_are_looked_for(tmp_path):
    (tmp_path / "mag7.toml").touch()
    shown = json.loads(mag7("config", "path", "--format", "json", cwd=tmp_path).stdout)
    assert [(Path(entry["path"]).name, entry["exists"]) for entry in shown["paths"]] == [
        ("mag7.toml", True),
        ("config.toml", False),
    ]


def test_the_template_is_a_file_that_is_accepted_commented_or_not(tmp_path):
    template = mag7("config", "template", cwd=tmp_path).stdout
    assert tomllib.loads(template) == {}
    (tmp_path / "mag7.toml").write_text(template)
    assert mag7("dates", "--last", "1", cwd=tmp_path).code == 0
    bare = "\n".join(line[2:] for line in template.splitlines() if " = " in line or line.startswith("# ["))
    (tmp_path / "mag7.toml").write_text(bare)
    ended = mag7("config", "path", cwd=tmp_path)
    assert (ended.code, ended.stderr) == (0, "")


def test_the_environment_and_the_files_know_an_option_by_its_long_form(tmp_path):
    (tmp_path / "mag7.toml").write_text("[report]\nopen = true\n")
    env = environment(tmp_path, {"MAG7_AS_OF": "2024-12-06", "MAG7_FROM": "2021-01-04"})
    shown = json.loads(mag7("config", "show", "--format", "json", cwd=tmp_path, env=env).stdout)["settings"]
    origins = {(entry["option"], entry["origin"]): entry["value"] for entry in shown}
    assert origins["as-of", "MAG7_AS_OF"] == "2024-12-06"
    assert origins["from", "MAG7_FROM"] == "2021-01-04"
    assert origins["open", "mag7.toml"] is True
