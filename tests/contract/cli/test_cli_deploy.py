"""`mag7 deploy` as people run it."""

import json
import os
import zipfile
from pathlib import Path

import pytest
import yaml
from tests.simulators.cloud import ACCOUNT, REGION, Cloud, own_client
from tests.simulators.command_line import Ended, environment, mag7


def run(home: Path, *words: str, stdin: str = "") -> Ended:
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return mag7("deploy", *words, cwd=home, env=environment(home, aws), stdin=stdin)


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    path = tmp_path / "functions.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mag7cli/deployment/functions.py", "")
    return path


def test_the_template_is_printed_without_an_account(tmp_path: Path) -> None:
    ended = run(tmp_path, "render", "--with", "redshift", "--set", "Plan=developer")

    assert (ended.code, ended.stderr) == (0, "")
    template = yaml.safe_load(ended.stdout)
    assert template["Parameters"]["UseRedshift"]["Default"] == "on"
    assert template["Parameters"]["Plan"]["Default"] == "developer"


def test_a_folder_gets_the_template_the_notebooks_and_the_diagram(tmp_path: Path) -> None:
    ended = run(tmp_path, "render", "--out", "deployment", "--without", "athena")

    assert ended.code == 0
    folder = tmp_path / "deployment"
    assert {path.name for path in folder.iterdir()} == {
        "template.yaml", "architecture.mermaid", "analysis.ipynb", "copy_jobs.ipynb", "table_definitions.ipynb"
    }  # fmt: skip
    notebook = json.loads((folder / "analysis.ipynb").read_text())
    assert notebook["nbformat"] == 4
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    diagram = (folder / "architecture.mermaid").read_text()
    assert diagram.startswith("flowchart LR")
    assert "Machines --> Functions" in diagram
    assert "Athena" not in diagram


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["render", "--with", "redshit"], "no part 'redshit'"),
        (["render", "--set", "Plan"], "write NAME=VALUE"),
        (["render", "--without", "bucket", "--with", "redshift"], "redshift needs bucket"),
        (["logs", "nobody"], "no function 'nobody'"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(tmp_path: Path, words: list[str], said: str) -> None:
    ended = run(tmp_path, *words)

    assert (ended.code, ended.stdout) == (2, "")
    assert said in ended.stderr


def test_a_month_is_priced_with_its_assumptions(tmp_path: Path) -> None:
    cheap = json.loads(run(tmp_path, "cost", "--format", "json").stdout)
    dear = json.loads(
        run(tmp_path, "cost", "--with", "redshift", "--set", "BaseCapacity=128", "--format", "json").stdout
    )

    assert 0.4 < cheap["usd_a_month"] < 1
    # 128 RPU are $0.80 for each of thirty wakings.
    assert dear["usd_a_month"] - cheap["usd_a_month"] == pytest.approx(30 * 0.80, abs=0.05)
    assert all(item["assumption"] for item in cheap["items"])


@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_a_stack_is_looked_at_made_and_taken_away(cloud: Cloud, tmp_path: Path, functions: Path) -> None:
    options = ("--stack", cloud.bucket, "--set", f"Name={cloud.bucket[:20]}", "--without", "athena")
    options += ("--package", str(functions))

    looked = run(tmp_path, "diff", *options)
    refused = run(tmp_path, "apply", *options)
    made = run(tmp_path, "apply", *options, "--yes")
    shown = run(tmp_path, "status", "--stack", cloud.bucket)
    gone = run(tmp_path, "destroy", "--stack", cloud.bucket, "--yes")

    assert looked.code == 0, looked.stderr
    assert "HistoryMachine is made (AWS::StepFunctions::StateMachine)" in looked.stdout
    assert (refused.code, "add --yes" in refused.stderr) == (2, True)
    assert made.code == 0, made.stderr
    assert f"{cloud.bucket}: CREATE_COMPLETE" in shown.stdout
    assert gone.code == 0, gone.stderr
    assert f"Kept: mag7-deploy-{ACCOUNT}-{REGION}" in gone.stdout
    names = [one["Name"] for one in own_client("s3", cloud.endpoint).list_buckets()["Buckets"]]
    assert f"{cloud.bucket[:20]}-lake-{ACCOUNT}-{REGION}" in names


def test_a_stack_that_is_not_there_is_told(cloud: Cloud, tmp_path: Path) -> None:
    ended = run(tmp_path, "secret", "--stack", "nobody", stdin="key\n")

    assert (ended.code, "there is no stack 'nobody'" in ended.stderr) == (2, True)


def test_a_file_that_is_no_package_is_told(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no zip file")

    ended = run(tmp_path, "diff", "--package", "text.zip")

    assert (ended.code, "is no zip file" in ended.stderr) == (2, True)
