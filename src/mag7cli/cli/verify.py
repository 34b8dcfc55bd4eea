"""`mag7 verify`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.foreign import foreign_sentence
from mag7cli.cli.options import DEFAULT_LAKE, LakeOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.cli.quality import unmade_sentence
from mag7cli.core.errors import InvalidDataError
from mag7cli.core.formatting import counted
from mag7cli.lake import failed_checks

if TYPE_CHECKING:
    from mag7cli.doctor.integrity import Integrity

_COLLECT_AGAIN: Final = "restore it, or collect its date again: mag7 collect --force --start DATE --end DATE"
_REMEDIES: Final = {failed_checks.KEY: "mag7 validate runs the checks and writes it anew"}


@command("mag7 verify", formats=TEXT_JSON)
def verify(output: Output, lake: LakeOption = DEFAULT_LAKE) -> None:
    """Hold every file of the lake against what was written.

    Raw files by the digests that were recorded and by their form; the tables by computing them again and comparing
    every byte. What was collected since the tables were made is no difference, and is said. Objects that are not mag7's
    are named. Nothing is written. A difference ends in exit code 6.
    """
    from mag7cli import library
    from mag7cli.lake.layout import Lake

    integrity = library.verify(Lake.at(lake))
    output.show(_result(integrity))
    if not integrity.is_sound:
        raise _error(integrity)


def _error(integrity: "Integrity") -> InvalidDataError:
    """Says the first of what is wrong, and what helps."""
    if integrity.damages:
        damage = integrity.damages[0]
        hint = _REMEDIES.get(damage.key, _COLLECT_AGAIN)
        what = f"{counted(len(integrity.damages), 'file')} damaged; the first is {damage.key}: {damage.reason}"
        return InvalidDataError(what, hint=hint)
    difference = integrity.differences[0]
    return InvalidDataError(
        f"{counted(len(integrity.differences), 'file')} differ from what the raw documents make; the first is "
        f"{difference.key}: {difference.reason}",
        hint="mag7 transform --force makes the tables again",
    )


def _result(integrity: "Integrity") -> Result:
    rows = [[damage.key, damage.reason] for damage in integrity.damages]
    rows += [[difference.key, difference.reason] for difference in integrity.differences]
    differences = Grid((Column("file"), Column("difference")), rows)
    document = {
        "identical": integrity.is_sound,
        "differences": differences.records(),
        "unmade": [str(day) for day in integrity.unmade],
        "foreign": list(integrity.foreign),
        "raw_files": integrity.checked,
        "unrecorded": integrity.unrecorded,
    }
    return Result(document, differences, [*([] if integrity.is_sound else [differences]), *_sentences(integrity)])


def _sentences(integrity: "Integrity") -> Iterator[Line]:
    if integrity.damages:
        yield Line(f"{counted(len(integrity.damages), 'file')} damaged.", "bad")
    elif recorded := integrity.checked - integrity.unrecorded:
        yield Line(f"Damaged: none of the {counted(recorded, 'raw file')} in the record.", "good")
    if integrity.unmade:
        yield Line(unmade_sentence(integrity.unmade), "warn")
    if integrity.differences:
        yield Line(f"{counted(len(integrity.differences), 'file')} differ.", "bad")
    else:
        which = "Every other table" if integrity.unmade else "Every table"
        yield Line(f"{which} is, byte for byte, what the raw documents make.", "good")
    if integrity.unrecorded:
        yield Line(
            f"{counted(integrity.unrecorded, 'raw file')} without a recorded digest: of these only the form was "
            "checked; the next run that collects records them.",
            "warn",
        )
    if integrity.foreign:
        yield Line(foreign_sentence(integrity.foreign), "warn")
