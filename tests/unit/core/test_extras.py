import tomllib
from pathlib import Path

import pytest

from mag7cli.core.extras import install_command, packages_of

EXTRAS = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_packages_of_an_extra_are_those_that_the_project_declares(extra):
    names = {package.split(">")[0].split("<")[0].lower() for package in packages_of(extra)}
    assert names == {package.split(">")[0].lower() for package in EXTRAS[extra]}


def test_a_hint_needs_no_index_that_knows_mag7():
    assert "mag7cli" not in install_command("report")
    assert install_command("no-such-extra") == "pip install 'mag7cli[no-such-extra]'"
