"""`mag7 doctor` through a real process, against the simulated vendor."""

import json
import os

import pytest
from tests.simulators.command_line import environment, mag7

from mag7cli.vendors.sandbox.market import Market
from mag7cli.vendors.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def vendor():
    with SandboxServer(Market()) as server:
        yield server


def _env(tmp_path, vendor, **extra):
    return environment(tmp_path, {"POLYGON_BASE_URL": vendor.url, **extra})


def _checks(ended):
    return {entry["check"]: entry for entry in json.loads(ended.stdout)["checks"]}


def test_everything_in_order_is_exit_0(tmp_path, vendor):
    env = _env(tmp_path, vendor, POLYGON_API_KEY="sandbox")
    ended = mag7("doctor", "--format", "json", cwd=tmp_path, env=env)
    assert (ended.code, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["failed"] == 0
    assert _checks(ended)["vendor"]["found"] == "takes the key, and is simulated"
    assert not (tmp_path / "lake").exists()


def test_without_a_key_it_is_exit_1_and_says_what_helps(tmp_path):
    ended = mag7("doctor", cwd=tmp_path)
    assert ended.code == 1
    assert ended.stderr == "Error: 1 check failed: key\n"
    assert "FAIL  key" in ended.stdout
    assert "fix: set POLYGON_API_KEY" in ended.stdout


def test_a_wrong_key_is_a_failed_check_that_does_not_show_it(tmp_path, vendor):
    env = _env(tmp_path, vendor, POLYGON_API_KEY="wr0ng-s3cr3t-of-somebody")
    ended = mag7("doctor", "--format", "json", "-vv", cwd=tmp_path, env=env)
    assert ended.code == 1
    assert _checks(ended)["vendor"]["state"] == "failed"
    assert "wr0ng" not in ended.stdout + ended.stderr


def test_the_key_may_come_from_a_command_in_the_configuration(tmp_path, vendor):
    (tmp_path / "mag7.toml").write_text('api_key_command = "echo sandbox"\n')
    assert mag7("doctor", cwd=tmp_path, env=_env(tmp_path, vendor)).code == 0
    (tmp_path / "mag7.toml").unlink()
    assert mag7("doctor", cwd=tmp_path, env=_env(tmp_path, vendor, MAG7_API_KEY_COMMAND="echo sandbox")).code == 0


def test_the_command_for_the_key_is_not_taken_from_the_command_line(tmp_path, vendor):
    ended = mag7("doctor", "--api-key-command", "echo sandbox", cwd=tmp_path, env=_env(tmp_path, vendor))
    assert ended.code == 2
    assert "not taken from the command line" in ended.stderr
    assert "api-key-command" not in mag7("doctor", "--help", cwd=tmp_path).stdout


def test_config_show_does_not_tell_the_arguments_of_that_command(tmp_path):
    (tmp_path / "mag7.toml").write_text('api_key_command = "echo AbCdEfGh"\n')
    ended = mag7("config", "show", cwd=tmp_path)
    assert ended.code == 0
    assert "echo …" in ended.stdout
    assert "AbCdEfGh" not in ended.stdout


def _aws_env(tmp_path):
    """The simulated account, and nobody behind the services that it does not simulate."""
    account = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    nobody = dict.fromkeys(("AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_ATHENA"), "http://127.0.0.1:9")
    return environment(tmp_path, {**account, **nobody, "AWS_MAX_ATTEMPTS": "1"})


def test_the_cloud_is_looked_at_on_demand(tmp_path, cloud):
    words = ["doctor", "--aws", "--lake", cloud.lake, "--format", "json"]
    ended = mag7(*words, cwd=tmp_path, env=_aws_env(tmp_path))
    checks = _checks(ended)
    assert checks["AWS credentials"]["state"] == "ok"
    assert "python" not in checks
    assert ended.code == (1 if json.loads(ended.stdout)["failed"] else 0)
    assert all(entry["fix"] for entry in checks.values() if entry["state"] == "failed")


def test_without_credentials_the_cloud_is_one_failed_check(tmp_path):
    env = environment(tmp_path, {"AWS_EC2_METADATA_DISABLED": "true"})
    ended = mag7("doctor", "--aws", "--lake", "s3://bucket", "--format", "json", cwd=tmp_path, env=env)
    assert ended.code == 1
    assert [(entry["check"], entry["state"]) for entry in _checks(ended).values()] == [("AWS credentials", "failed")]


def test_redshift_needs_a_name(tmp_path):
    assert mag7("doctor", "--aws", "--engine", "redshift", cwd=tmp_path).code == 2
