#!/usr/bin/env bash
# moto 5.2.5: four limits of S3 that a pipeline meets are not there. DeleteObjects takes 1,001 keys (S3: 1,000, else
# MalformedXML), ListObjectsV2 gives 1,200 keys in one page when asked for 5,000 (S3: at most 1,000), a key may have 1,025 bytes
# (S3: 1,024), and a lifecycle rule may expire after 0 days or go to STANDARD_IA after 10 (S3: more than 0; at least 30).
# Expected: S3's errors. Page and batch by 1,000 in your own code, and test that against a stub that refuses.
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
    keys = [f"k{number:05}" for number in range(1200)]
    for key in keys:
        s3.put_object(Bucket="lake-one", Key=key)
    listed = len(s3.list_objects_v2(Bucket="lake-one", MaxKeys=5000)["Contents"])
    deleted = len(s3.delete_objects(Bucket="lake-one", Delete={"Objects": [{"Key": key} for key in keys[:1001]]})["Deleted"])
    s3.put_object(Bucket="lake-one", Key="k" * 1025)
    rules = [
        {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "a"}, "Expiration": {"Days": 0}},
        {"ID": "b", "Status": "Enabled", "Filter": {"Prefix": "b"}, "Transitions": [{"Days": 10, "StorageClass": "STANDARD_IA"}]},
    ]
    s3.put_bucket_lifecycle_configuration(Bucket="lake-one", LifecycleConfiguration={"Rules": rules})
print("moto", moto.__version__, listed, deleted)
assert (listed, deleted) == (1200, 1001)
PY
