"""`mag7 verify`, and what every command that reads says of objects that mag7 did not write."""

import json
import shutil

import pytest
from tests.simulators import raw_documents
from typer.main import get_command

from mag7cli.cli import app
from mag7cli.lake import write_record
from mag7cli.lake.layout import Lake
from mag7cli.tables.transform import transform

DAYS = raw_documents.days(2)
DOCUMENT = f"raw/magnificent7/trading_date={DAYS[0]}/market_data.json"
FOREIGN = ("analytics/_SUCCESS", "raw/.DS_Store")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("lakes") / "lake"
    lake = Lake.at(str(root))
    raw_documents.fill(lake, DAYS)
    write_record.complete(lake, {})
    transform(lake)
    return root


@pytest.fixture
def lake(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "lake")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "lake"


@pytest.fixture
def run(lake, capsys):
    """Run a command in this process: exit code, stdout, stderr."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            get_command(app).main(list(words))
        return ended.value.code, *capsys.readouterr()

    return run


def test_a_sound_lake_says_what_was_proven(run):
    code, stdout, _ = run("verify")

    assert code == 0
    assert stdout.splitlines()[1:] == [
        "Damaged: none of the 2 raw files in the record.",
        "Every table is, byte for byte, what the raw documents make.",
    ]


def test_without_a_record_nothing_is_promised_of_raw_files(run, lake):
    (lake / "raw/reference/written.json").unlink()

    code, stdout, _ = run("verify")
    assert code == 0
    assert stdout.splitlines()[1:] == [
        "Every table is, byte for byte, what the raw documents make.",
        "2 raw files without a recorded digest: of these only the form was checked; the next run that collects records "
        "them.",
    ]


def test_a_damaged_document_is_named_with_exit_6(run, lake):
    (lake / DOCUMENT).write_bytes((lake / DOCUMENT).read_bytes()[:500])

    code, stdout, stderr = run("verify")
    assert code == 6
    assert DOCUMENT in stdout
    assert "1 file damaged" in stderr
    assert f"the first is {DOCUMENT}: its bytes are not those that were written" in stderr
    report = json.loads(run("verify", "--format", "json")[1])
    assert (report["identical"], report["raw_files"], report["unrecorded"]) == (False, 2, 0)


def test_a_table_of_other_bytes_is_named_with_exit_6(run, lake):
    (lake / "analytics/daily_summary/2024.parquet").write_bytes(b"PAR1")

    code, _, stderr = run("verify")
    assert code == 6
    assert "1 file differ from what the raw documents make" in stderr


def test_tables_that_are_not_made_yet_are_no_difference(run, lake):
    shutil.rmtree(lake / "analytics")
    shutil.rmtree(lake / "processed")

    code, stdout, _ = run("verify")
    assert code == 0
    assert f"The tables are not up to date: 2 dates, {DAYS[0]} to {DAYS[1]}. mag7 transform makes them." in stdout
    assert json.loads(run("verify", "--format", "json")[1])["unmade"] == [str(day) for day in DAYS]


def test_what_is_collected_and_in_no_table_yet_is_said_so_by_every_command(run, lake):
    shutil.rmtree(lake / "analytics")
    shutil.rmtree(lake / "processed")

    behind = f"The tables are not up to date: 2 dates, {DAYS[0]} to {DAYS[1]}. mag7 transform makes them."
    assert behind in run("status")[1]
    assert json.loads(run("status", "--format", "json")[1])["unmade"] == [str(day) for day in DAYS]
    assert behind in run("validate")[2]
    for words in ([], [str(DAYS[1])], [str(DAYS[0]), str(DAYS[1])]):
        code, _, stderr = run("show", *words)
        assert code != 0
        assert "is collected, and its tables are not made yet" in stderr
        assert "Hint: mag7 transform" in stderr
    assert "is collected, and its tables are not made yet" in run("report")[2]


def test_a_date_that_the_tables_have_is_never_said_not_to_be_made(run, lake):
    assert run("transform")[0] == 0
    path = lake / DOCUMENT.replace(str(DAYS[0]), str(DAYS[1]))
    path.write_bytes(path.read_bytes() + b" ")

    assert f"1 date, {DAYS[1]} to {DAYS[1]}" in run("status")[1]
    assert run("show", str(DAYS[1]))[0] == 0
    assert "2023-12-29 is not in the lake" in run("show", "2023-12-29", str(DAYS[1]))[2]


def test_a_date_whose_document_is_damaged_is_not_called_missing(run, lake):
    (lake / DOCUMENT).write_bytes(b"{")
    assert run("transform")[0] == 3

    code, _, stderr = run("show", str(DAYS[0]))
    assert code == 2
    assert f"the document of {DAYS[0]} cannot be read: not JSON" in stderr
    assert f"Hint: mag7 collect --start {DAYS[0]} --end {DAYS[0]} --force" in stderr


@pytest.mark.parametrize("command", ["verify", "status", "transform", "validate", "load"])
def test_what_is_foreign_is_named_and_fails_nothing(run, lake, command):
    for key in FOREIGN:
        (lake / key).write_bytes(b"")

    code, stdout, stderr = run(command)

    assert code == 0
    told = stdout + stderr
    assert "that mag7 did not write: " in told
    assert "analytics/_SUCCESS" in told


def test_many_foreign_objects_are_counted(run, lake):
    for number in range(7):
        (lake / f"analytics/{number}.tmp").write_bytes(b"")

    assert "Passed over 7 objects that mag7 did not write: analytics/0.tmp" in run("status")[1]
    assert "and 4 more." in run("status")[1]
    assert len(json.loads(run("status", "--format", "json")[1])["foreign"]) == 7
