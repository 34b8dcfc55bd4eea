"""The container's recipe, read line by line; whoever has a builder builds it."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "HEALTHCHECK", "CMD"}


def _instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [tuple(line.split(" ", 1)) for line in joined.splitlines() if line]


def _values(name: str) -> list[str]:
    return [value for instruction, value in _instructions() if instruction == name]


def test_it_has_only_instructions_that_every_builder_knows():
    assert {name for name, _ in _instructions()} == INSTRUCTIONS


def test_it_runs_as_somebody_without_rights_and_keeps_the_lake_outside():
    names = [name for name, _ in _instructions()]
    assert _values("USER") == ["10001"]
    assert names.index("USER") < names.index("CMD")
    assert _values("VOLUME") == ["/lake"]
    assert "MAG7_LAKE=/lake" in _values("ENV")[0]


def test_the_images_are_pinned_to_a_version_that_is_supported():
    versions = {
        re.fullmatch(r"docker\.io/library/python:(3\.\d+)-slim-\w+(?: AS build)?", one)[1] for one in _values("FROM")
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {f"Programming Language :: Python :: {version}" for version in versions} <= set(project["classifiers"])


def test_what_is_copied_is_there_and_no_key_is():
    sources = [word for value in _values("COPY") if "--from" not in value for word in value.split()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert "API_KEY" not in " ".join(value for name, value in _instructions() if name in ("ENV", "RUN", "COPY"))


def test_it_is_healthy_if_the_lake_is():
    # podman's default format drops a health check without failing
    assert "podman build --format docker" in (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert '["mag7", "status", "--check", "--quiet"]' in _values("HEALTHCHECK")[0]
