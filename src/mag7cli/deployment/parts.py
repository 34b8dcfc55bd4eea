"""The parts of the template as they lie in `parts/`: YAML in CloudFormation's own short form.

The one importer of PyYAML. Knows how the files are written, not what they mean.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from mag7cli.core.errors import ExtraMissingError

_FOLDER: Final = Path(__file__).parent / "parts"
_SHORT_NAMES: Final = frozenset({"Ref", "Condition"})
LAKE: Final[Mapping[str, Any]] = {
    "Fn::If": ["NamedBucket", {"Ref": "BucketName"}, {"Fn::Sub": "${Name}-lake-${AWS::AccountId}-${AWS::Region}"}]
}
"""The name of the lake's bucket, wherever a text says `${Lake}`."""
CODE: Final[Mapping[str, Any]] = {
    "Fn::If": ["NamedCodeBucket", {"Ref": "CodeBucket"}, {"Fn::Sub": "mag7-deploy-${AWS::AccountId}-${AWS::Region}"}]
}
"""The name of the code's bucket, wherever a text says `${Code}`."""


@cache
def read(name: str) -> Mapping[str, Any]:
    """One part. Raises ExtraMissingError without PyYAML."""
    content = _load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert isinstance(content, Mapping), name
    return content


@cache
def read_states(name: str) -> Mapping[str, Any]:
    """The states of a machine: its own, and those that the machines share. Raises ExtraMissingError."""
    # One text, so that what is anchored in the first file can be named in the others.
    files = ("shared", name, "collecting", "publishing")
    text = "\n".join((_FOLDER / "machines" / f"{file}.yaml").read_text(encoding="utf-8") for file in files)
    return {state: body for state, body in _load(text).items() if not state.startswith("x-")}


def sub(text: str) -> Mapping[str, Any]:
    """A text with names in it, in CloudFormation's way of writing."""
    names = {name: value for name, value in (("Lake", LAKE), ("Code", CODE)) if f"${{{name}}}" in text}
    return {"Fn::Sub": [text, names]} if names else {"Fn::Sub": text}


def dump(content: Mapping[str, Any]) -> str:
    """The template as YAML that a person reviews. Raises ExtraMissingError."""
    yaml = _yaml()

    class Plain(yaml.SafeDumper):  # type: ignore[misc, name-defined]
        def ignore_aliases(self, data: object) -> bool:
            return True

    text: str = yaml.dump(content, Dumper=Plain, sort_keys=False, width=120, allow_unicode=True)
    return text


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ExtraMissingError("the deployment", "deploy") from error
    return yaml


def _load(text: str) -> Any:
    return _yaml().load(text, Loader=_loader())


@cache
def _loader() -> Any:
    yaml = _yaml()

    class Loader(yaml.SafeLoader):  # type: ignore[misc, name-defined]
        """Reads `!Ref x` as `{Ref: x}`, and so on; dates and `on` stay texts."""

    def construct(loader: Any, tag: str, node: Any) -> Any:
        return _long_form(tag, _value(loader, node))

    Loader.add_multi_constructor("!", construct)
    return Loader


def _value(loader: Any, node: Any) -> Any:
    kind = type(node).__name__
    if kind == "ScalarNode":
        return loader.construct_scalar(node)
    return (
        loader.construct_sequence(node, deep=True) if kind == "SequenceNode" else loader.construct_mapping(node, True)
    )


def _long_form(tag: str, value: Any) -> Any:
    if tag in _SHORT_NAMES:
        return {tag: value}
    if tag == "Sub":
        return sub(value)
    if tag == "GetAtt":
        return {"Fn::GetAtt": value.split(".", 1)}
    return {f"Fn::{tag}": value}
