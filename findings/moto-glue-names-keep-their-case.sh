#!/usr/bin/env bash
# moto 5.2.5: Glue table names keep their case, and a table made as MixedCase is not there as mixedcase. Glue folds names to
# lower case when they are stored ("for Hive compatibility", says its API reference), and Athena asks in lower case.
# Expected: mixedcase. A catalog whose names are not all lower case passes on moto and is empty on AWS.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check 'moto[glue]==5.2.5' boto3==1.44.5
cd "$work"
env/bin/python -W ignore - <<'PY'
import boto3, moto, os

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")

with moto.mock_aws():
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "d"})
    glue.create_table(DatabaseName="d", TableInput={"Name": "MixedCase"})
    names = [table["Name"] for table in glue.get_tables(DatabaseName="d")["TableList"]]
    try:
        glue.get_table(DatabaseName="d", Name="mixedcase")
        lower = True
    except glue.exceptions.EntityNotFoundException:
        lower = False
print("moto", moto.__version__, names, lower)
assert names == ["MixedCase"]
assert not lower
PY
