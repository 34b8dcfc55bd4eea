"""The IAM policies that mag7 needs, and no more; pure functions from names to policy documents.

`aws_doctor` prints them, docs/aws.md shows them. Source: AWS service authorization reference.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from mag7cli.tables.schema import SCHEMA

_VERSION: Final = "2012-10-17"

Policy = Mapping[str, Any]


def lake_policy(bucket: str, prefix: str = "", *, partition: str = "aws") -> Policy:
    """What `mag7 --lake s3://bucket/prefix` does: list, read, write and delete objects below the prefix."""
    return _policy(
        _allow("Lake", ["s3:ListBucket", "s3:GetBucketLocation"], _bucket(bucket, partition)),
        _allow("LakeObjects", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], _objects(bucket, prefix, partition)),
    )


def athena_policy(bucket: str, workgroup: str, region: str, account: str, *, partition: str = "aws") -> Policy:
    """What `--engine athena` does beyond the lake: the catalog, the queries, and their results below `athena/`.

    Athena looks at the database `default` whatever database a query is about.
    """
    glue = f"arn:{partition}:glue:{region}:{account}"
    catalog = [f"{glue}:catalog", f"{glue}:database/default", f"{glue}:database/{SCHEMA}", f"{glue}:table/{SCHEMA}/*"]
    return _policy(
        _allow(
            "Queries",
            [
                "athena:StartQueryExecution",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:StopQueryExecution",
                "athena:GetWorkGroup",
            ],
            f"arn:{partition}:athena:{region}:{account}:workgroup/{workgroup}",
        ),
        _allow(
            "Catalog",
            [
                "glue:GetDatabase",
                "glue:CreateDatabase",
                "glue:GetTable",
                "glue:GetTables",
                "glue:GetPartitions",
                "glue:CreateTable",
                "glue:UpdateTable",
            ],
            catalog,
        ),
        _allow(
            "Results",
            ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            _objects(bucket, "athena", partition),
        ),
        _allow(
            "ResultsBucket",
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            _bucket(bucket, partition),
        ),
    )


def redshift_policy(region: str, account: str, *, cluster: str | None = None, partition: str = "aws") -> Policy:
    """What `--engine redshift` does beyond the lake: statements, as the database user that IAM makes of the caller."""
    service, kind = ("redshift", f"cluster:{cluster}") if cluster else ("redshift-serverless", "workgroup/*")
    log_in = "redshift:GetClusterCredentialsWithIAM" if cluster else "redshift-serverless:GetCredentials"
    database = f"arn:{partition}:redshift:{region}:{account}:dbname:{cluster}/*"
    warehouse = f"arn:{partition}:{service}:{region}:{account}:{kind}"
    return _policy(
        _allow(
            "Statements",
            ["redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"],
            warehouse,
        ),
        # These three know statements by their id only; everybody sees his own.
        _allow(
            "OwnStatements",
            ["redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:CancelStatement"],
            "*",
        ),
        _allow("LogIn", [log_in], [database] if cluster else [warehouse]),
    )


def copy_role_policy(bucket: str, prefix: str = "", *, partition: str = "aws") -> Policy:
    """What the role of COPY does: read the flat files and those of the COPY JOBs."""
    return _policy(
        _allow("Bucket", ["s3:ListBucket", "s3:GetBucketLocation"], _bucket(bucket, partition)),
        _allow(
            "Files",
            ["s3:GetObject"],
            [
                _objects(bucket, _below(prefix, "analytics"), partition),
                _objects(bucket, _below(prefix, "copyjobs"), partition),
            ],
        ),
    )


def copy_role_trust() -> Policy:
    """Who may take the role of COPY on: Redshift, provisioned and serverless."""
    return _policy(
        {
            "Sid": "Redshift",
            "Effect": "Allow",
            "Principal": {"Service": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    )


def one_line(policy: Policy) -> str:
    """The policy as an argument for the AWS command line."""
    return f"'{json.dumps(policy, separators=(',', ':'))}'"


def pretty(policy: Policy) -> str:
    """The policy as people read it."""
    return json.dumps(policy, indent=2)


def _policy(*statements: Policy) -> Policy:
    return {"Version": _VERSION, "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _bucket(bucket: str, partition: str) -> str:
    return f"arn:{partition}:s3:::{bucket}"


def _objects(bucket: str, prefix: str, partition: str) -> str:
    return f"{_bucket(bucket, partition)}/{_below(prefix, '*')}"


def _below(prefix: str, name: str) -> str:
    return f"{prefix}/{name}" if prefix else name
