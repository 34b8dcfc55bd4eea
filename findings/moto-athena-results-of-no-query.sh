#!/usr/bin/env bash
# moto 5.2.5: Athena's GetQueryResults of an id that nobody ever ran is a success without rows; Athena answers
# InvalidRequestException (QueryExecution … was not found). A client that mixes two ids up reads "no rows", which for a
# data-quality check means passed. Expected: the error. Take the columns' names for the sign that a result is there.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check 'moto[athena]==5.2.5' boto3==1.44.5
cd "$work"
env/bin/python -W ignore - <<'PY'
import boto3, moto, os

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")

with moto.mock_aws():
    answer = boto3.client("athena").get_query_results(QueryExecutionId="00000000-0000-0000-0000-000000000000")["ResultSet"]
print("moto", moto.__version__, answer)
assert answer["Rows"] == [] and answer["ResultSetMetadata"]["ColumnInfo"] == []
PY
