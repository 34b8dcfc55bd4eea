"""Whether a lake is what was written: raw files by their digests and their form, tables by being computed again.

Reads everything; writes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

from mag7cli.collection import bar_files, details_cache
from mag7cli.collection.security_facts import known_cover_pages
from mag7cli.collection.source_marker import marked_simulated
from mag7cli.collection.split_cache import read_splits
from mag7cli.core.errors import DocumentError, KeyNotFoundError, Mag7Error
from mag7cli.lake import failed_checks, write_record
from mag7cli.lake.holdings import acceptance, read_kept
from mag7cli.lake.layout import Lake
from mag7cli.lake.write_record import Damage
from mag7cli.portfolio import kept_funds
from mag7cli.tables.table_files import foreign_objects
from mag7cli.tables.transform import Difference, as_counted, differences, heirs, unmade_dates


@dataclass(frozen=True, slots=True)
class Integrity:
    """What is wrong with a lake, and what in it is not its own.

    `unmade` are the collected dates whose tables are still to be made, of splits alone their days. `unrecorded` are raw
    files without a digest, of which only the form is known to be right.
    """

    damages: tuple[Damage, ...]
    differences: tuple[Difference, ...]
    unmade: tuple[date, ...]
    foreign: tuple[str, ...]
    checked: int
    unrecorded: int

    @property
    def is_sound(self) -> bool:
        """True if every file is what was written, and every table that is made what the raw files make."""
        return not self.damages and not self.differences


def check(lake: Lake) -> Integrity:
    """Look at every file of a lake. Raises StoreError."""
    present = write_record.present_keys(lake)
    by_digest = list(write_record.damages(lake))
    known = {damage.key for damage in by_digest}
    by_form = [damage for damage in _malformed(lake) if damage.key not in known]
    unmade, different = _tables(lake)
    return Integrity(
        damages=tuple(sorted([*by_digest, *by_form], key=lambda damage: damage.key)),
        differences=different,
        unmade=unmade,
        foreign=tuple(info.key for info in foreign_objects(lake)),
        checked=len(present),
        unrecorded=len(set(present) - write_record.read(lake).keys()),
    )


def _tables(lake: Lake) -> tuple[tuple[date, ...], tuple[Difference, ...]]:
    """The dates whose tables are to be made, and where the others differ."""
    try:
        unmade = unmade_dates(lake)
        unmade |= heirs(lake, unmade)
        return as_counted(lake, unmade), tuple(differences(lake, unmade))
    except DocumentError:  # splits that cannot be read are a damage already, and without them no table can be computed
        return (), ()


def _malformed(lake: Lake) -> Iterator[Damage]:
    """Raw files, and the record of the checks, that cannot be what they should be, whatever their digests say."""
    for day in lake.documents():
        yield from _of(lake.document_key(day), partial(_check_document, lake, day))
    for day in lake.holdings_dates():
        yield from _of(lake.holdings_key(day), partial(read_kept, lake, day))
        yield from _of(lake.holdings_key(day), partial(acceptance, lake, day))
    for file in kept_funds.kept_files(lake):
        if file.symbol != kept_funds.INDEX_FUND:
            yield from _of(file.key, partial(kept_funds.read, lake, file))
    yield from broken_answers(lake)
    yield from _of(failed_checks.KEY, partial(failed_checks.read_record, lake))


def broken_answers(lake: Lake) -> Iterator[Damage]:
    """What is kept of the vendor's answers and cannot be read, or is that of another line or day. Raises StoreError."""
    for error in (*bar_files.broken_files(lake), *details_cache.broken_files(lake)):
        yield _damage(lake, error)
    for read in (read_splits, marked_simulated, _cover_pages):
        try:
            read(lake)
        except DocumentError as error:
            yield _damage(lake, error)


def _of(key: str, read: Callable[[], object]) -> Iterator[Damage]:
    try:
        read()
    except KeyNotFoundError:
        return
    except Mag7Error as error:
        yield Damage(key, error.reason if isinstance(error, DocumentError) else str(error))


def _check_document(lake: Lake, day: date) -> None:
    document = lake.read_document(day)
    if document["trading_date"] != day.isoformat():
        raise DocumentError(lake.store.uri(lake.document_key(day)), f"its trading_date is {document['trading_date']}")


def _cover_pages(lake: Lake) -> object:
    return known_cover_pages(lake, simulated=False)


def _damage(lake: Lake, error: DocumentError) -> Damage:
    return Damage(error.where.removeprefix(lake.store.uri("")).lstrip("/"), error.reason)
