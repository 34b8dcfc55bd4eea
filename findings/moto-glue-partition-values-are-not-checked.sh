#!/usr/bin/env bash
# moto 5.2.5: a Glue partition may have more values than the table has keys, and a value that is no date under a date key;
# and then every later question with an expression fails, for all partitions: "not a date is not a date".
# Glue refuses the first at creation (InvalidInputException: the number of partition keys do not match the number of values).
# Expected: the refusal at creation. Check counts and types of partition values before the call.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check 'moto[glue]==5.2.5' boto3==1.44.5
cd "$work"
env/bin/python -W ignore - <<'PY'
import boto3, moto, os

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")

from botocore.exceptions import ClientError

with moto.mock_aws():
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "d"})
    storage = {"Columns": [{"Name": "cap", "Type": "decimal(20,2)"}], "Location": "s3://lake/t/"}
    keys = [{"Name": "trading_date", "Type": "date"}]
    glue.create_table(DatabaseName="d", TableInput={"Name": "t", "StorageDescriptor": storage, "PartitionKeys": keys})

    def add(*values):
        entry = {"Values": list(values), "StorageDescriptor": storage}
        return glue.create_partition(DatabaseName="d", TableName="t", PartitionInput=entry)["ResponseMetadata"]["HTTPStatusCode"]

    def days():
        try:
            return [p["Values"] for p in glue.get_partitions(DatabaseName="d", TableName="t", Expression="trading_date = '2024-01-04'")["Partitions"]]
        except ClientError as error:
            return error.response["Error"]["Message"]

    seen = [add("2024-01-04"), days(), add("2024-01-05", "one too many"), add("not a date"), days()]
print("moto", moto.__version__, seen)
assert seen == [200, [["2024-01-04"]], 200, 200, "not a date is not a date."]
PY
