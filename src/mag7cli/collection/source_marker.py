"""Whose answers a lake holds, the real vendor's or a simulated market's: the two are never mixed.

`raw/reference/source.json` says it, written before the first answer is kept: a run that finds all its answers in the
lake asks nobody, and would not know.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import orjson

from mag7cli.core.errors import DocumentError, StoreError, UsageError
from mag7cli.lake.layout import REFERENCE, Lake

if TYPE_CHECKING:
    from mag7cli.vendors.base import MarketDataSource

_FILE: Final = "source.json"


class SourceMarker:
    """The origin of one lake's answers, held against those of the source that is asked now."""

    def __init__(self, lake: Lake, source: "MarketDataSource") -> None:
        """Raises DocumentError."""
        self._lake = lake
        self._source = source
        self._simulated = marked_simulated(lake)
        if self._simulated is None:
            self._note(_told_by_documents(lake))

    @property
    def simulated(self) -> bool:
        """True if the answers are of a simulated market."""
        return self._source.simulated if self._simulated is None else self._simulated

    def answered(self) -> None:
        """The source has answered: note whose answer it was. Raises UsageError if the lake has the other kind."""
        simulated = self._source.simulated
        if self._simulated is None:
            self._note(simulated)
        elif self._simulated != simulated:
            raise _mixed(self._lake, new_is_simulated=simulated)

    def _note(self, simulated: bool | None) -> None:
        if simulated is not None:
            content = {"vendor": self._source.name, "simulated": simulated}
            self._lake.write_reference(_FILE, orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
            self._simulated = simulated


def check_simulated(lake: Lake) -> None:
    """Raises UsageError if the lake holds answers of the real market, DocumentError if its note cannot be read."""
    marker = marked_simulated(lake)
    if (_told_by_documents(lake) if marker is None else marker) is False:
        raise _mixed(lake, new_is_simulated=True)


def is_simulated(lake: Lake) -> bool | None:
    """Whether a lake's figures are of a simulated market, for whoever shows them; None where nothing says."""
    try:
        marker = marked_simulated(lake)
        return _told_by_documents(lake) if marker is None else marker
    except (DocumentError, StoreError):
        return None


def _mixed(lake: Lake, *, new_is_simulated: bool) -> UsageError:
    present, new = ("a simulated market", "the real one")[:: -1 if new_is_simulated else 1]
    return UsageError(
        f"{lake.store.uri('')} holds answers of {present}, these are of {new}",
        hint="use another --lake: the two cannot be mixed",
    )


def _told_by_documents(lake: Lake) -> bool | None:
    """What the newest document that can be read says, for a lake whose note was lost."""
    for day in reversed(lake.documents()):
        with suppress(DocumentError):
            return bool(lake.read_document(day).get("source", {}).get("simulated"))
    return None


def marked_simulated(lake: Lake) -> bool | None:
    """Whether a lake's note says that its answers are simulated; None without one. Raises DocumentError."""
    data = lake.read_reference(_FILE)
    if data is None:
        return None
    try:
        found = orjson.loads(data)["simulated"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise _damaged(lake, str(error)) from error
    if not isinstance(found, bool):
        raise _damaged(lake, "it does not say whether the market was simulated")
    return found


def _damaged(lake: Lake, reason: str) -> DocumentError:
    where = lake.store.uri(REFERENCE + _FILE)
    return DocumentError(where, f"not a note of the answers' origin ({reason}); delete it to have it written again")
