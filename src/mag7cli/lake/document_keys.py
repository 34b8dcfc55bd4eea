"""The keys of the raw document, one by one: their types as the code declares them, their meanings from `data/`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints, is_typeddict

from mag7cli.core import packaged_data
from mag7cli.lake.document import Document

_MARK: Final = "<!-- keys: written by make docs -->"
_KINDS: Final[Mapping[Any, str]] = {
    float: "number",
    Decimal: "number",
    int: "integer",
    str: "text",
    bool: "true or false",
    list: "list",
    dict: "object",
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the raw document: `is_original` if the console pipeline's collector had it, `may_be_null` as it says."""

    path: str
    kind: str
    may_be_null: bool
    is_original: bool


def declared() -> list[Key]:
    """Every key that the code declares, in the order of the document, those inside it after what holds them."""
    return list(_keys_of(Document, "", is_original=True))


def _keys_of(type_: Any, prefix: str, *, is_original: bool) -> Iterator[Key]:
    for name, hint in get_type_hints(type_).items():
        types = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        (value, *_) = [each for each in types if each is not NoneType]
        container = get_origin(value) or value
        was_there = is_original and name in type_.__required_keys__
        kind = "object" if is_typeddict(container) else _KINDS.get(container, "text")
        yield Key(prefix + name, kind, NoneType in types, was_there)
        yield from _inside(value, prefix + name, is_original=was_there)


def _inside(value: Any, path: str, *, is_original: bool) -> Iterator[Key]:
    """The keys below a key: of an object, of the entries of a list, of what a ticker stands for."""
    if is_typeddict(value):
        yield from _keys_of(value, f"{path}.", is_original=is_original)
    elif get_origin(value) in (list, dict) and is_typeddict(get_args(value)[-1]):
        step = "[]" if get_origin(value) is list else "{}"
        yield from _keys_of(get_args(value)[-1], f"{path}{step}.", is_original=is_original)


def meanings() -> dict[str, tuple[str, str]]:
    """Unit and meaning of each key, by its path."""
    return {row["key"]: (row["unit"], row["meaning"]) for row in packaged_data.read("document_keys")}


def keys_table() -> str:
    """The keys as a table in Markdown. Raises KeyError for a key without a meaning."""
    known = meanings()
    rows = [
        f"| `{key.path}` | {key.kind}{' or null' if key.may_be_null else ''} | {known[key.path][0]} "
        f"| {'' if key.is_original else 'added'} | {known[key.path][1]} |"
        for key in declared()
    ]
    return "\n".join(["| key | type | unit | | meaning |", "|---|---|---|---|---|", *rows])


def with_keys_table(page: str) -> str:
    """A page with the table in place of what stands below its mark."""
    return f"{page.partition(_MARK)[0]}{_MARK}\n\n{keys_table()}\n"
