"""`mag7 verify`."""

from mag7cli.cli.app import TEXT_JSON, command
from mag7cli.cli.options import DEFAULT_LAKE, LakeOption
from mag7cli.cli.output import Column, Grid, Line, Output, Result
from mag7cli.core.errors import InvalidDataError
from mag7cli.core.formatting import counted


@command("mag7 verify", formats=TEXT_JSON)
def verify(output: Output, lake: LakeOption = DEFAULT_LAKE) -> None:
    """Compute the tables again from the raw documents and compare every byte.

    Nothing is written. A difference ends in exit code 6.
    """
    from mag7cli.lake.layout import Lake
    from mag7cli.tables.transform import differences

    found = list(differences(Lake.at(lake)))
    rows = [[one.key, one.reason] for one in found]
    summary = "Every table is, byte for byte, what the raw documents make." if not found else ""
    grid = Grid((Column("file"), Column("difference")), rows)
    output.show(
        Result(
            document={"identical": not found, "differences": grid.records()},
            grid=grid,
            text=[grid, Line(f"{counted(len(found), 'file')} differ.", "bad")] if found else [Line(summary, "good")],
        )
    )
    if found:
        raise InvalidDataError(
            f"{counted(len(found), 'file')} differ from what the raw documents make; the first is {found[0].key}: "
            f"{found[0].reason}",
            hint="mag7 transform --force makes the tables again",
        )
