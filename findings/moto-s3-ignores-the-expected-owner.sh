#!/usr/bin/env bash
# moto 5.2.5: ExpectedBucketOwner, the guard against writing into a bucket that changed hands, is accepted and not looked
# at: every call with another account's number succeeds. S3 answers 403 AccessDenied.
# Expected: 403. A test that the guard is sent must look at the request (a botocore event), not at the answer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check 'moto[s3]==5.2.5' boto3==1.44.5
cd "$work"
env/bin/python -W ignore - <<'PY'
import boto3, moto, os

os.environ.update(AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x", AWS_DEFAULT_REGION="us-east-1")

with moto.mock_aws():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lake-one")
    other = {"Bucket": "lake-one", "ExpectedBucketOwner": "999999999999"}
    seen = [
        s3.put_object(Key="k", **other)["ResponseMetadata"]["HTTPStatusCode"],
        s3.get_object(Key="k", **other)["ResponseMetadata"]["HTTPStatusCode"],
        s3.head_bucket(**other)["ResponseMetadata"]["HTTPStatusCode"],
        s3.list_objects_v2(**other)["ResponseMetadata"]["HTTPStatusCode"],
    ]
print("moto", moto.__version__, seen)
assert seen == [200, 200, 200, 200]
PY
