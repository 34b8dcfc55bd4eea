"""The IAM policies that mag7 needs, and no more; pure functions from names to policy documents.

`aws_doctor` prints them, docs/aws.md shows them. Source: AWS service authorization reference.
"""

import json
import shlex
from collections.abc import Mapping
from typing import Any, Final

from mag7cli.tables.schema import SCHEMA
from mag7cli.warehouse.glue_catalog import BY_DATE

_VERSION: Final = "2012-10-17"

Policy = Mapping[str, Any]


CATALOG_ACTIONS: Final = (
    "glue:GetDatabase",
    "glue:CreateDatabase",
    "glue:GetTable",
    "glue:GetTables",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:CreateTable",
    "glue:UpdateTable",
    "glue:DeleteTable",
    "glue:BatchCreatePartition",
    "glue:BatchDeletePartition",
)
"""What keeping the catalog up to date asks of Glue."""

_KEPT_VERSIONS_DAYS: Final = 30
_KEPT_RESULTS_DAYS: Final = 7


def lake_policy(bucket: str, prefix: str = "", *, partition: str = "aws") -> Policy:
    """What `mag7 --lake s3://bucket/prefix` does: list, read, write and delete objects below the prefix."""
    return policy(
        allow("Lake", ["s3:ListBucket", "s3:GetBucketLocation"], _bucket(bucket, partition)),
        allow("LakeObjects", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], objects(bucket, prefix, partition)),
    )


def athena_policy(bucket: str, workgroup: str, region: str, account: str, *, partition: str = "aws") -> Policy:
    """What `--engine athena` does beyond the lake: the catalog, the queries, and their results below `athena/`.

    Athena looks at the database `default` whatever database a query is about.
    """
    glue = f"arn:{partition}:glue:{region}:{account}"
    databases = ("default", SCHEMA, BY_DATE)
    catalog = [
        f"{glue}:catalog",
        *(f"{glue}:database/{name}" for name in databases),
        *(f"{glue}:table/{name}/*" for name in databases[1:]),
    ]
    return policy(
        allow(
            "Queries",
            [
                "athena:StartQueryExecution",
                "athena:GetQueryExecution",
                "athena:BatchGetQueryExecution",
                "athena:ListQueryExecutions",
                "athena:GetQueryResults",
                "athena:StopQueryExecution",
                "athena:GetWorkGroup",
            ],
            f"arn:{partition}:athena:{region}:{account}:workgroup/{workgroup}",
        ),
        allow(
            "Catalog",
            list(CATALOG_ACTIONS),
            catalog,
        ),
        allow(
            "Results",
            ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            objects(bucket, "athena", partition),
        ),
        allow(
            "ResultsBucket",
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            _bucket(bucket, partition),
        ),
    )


def redshift_policy(
    region: str,
    account: str,
    *,
    cluster: str | None = None,
    db_user: str | None = None,
    secret_arn: str | None = None,
    partition: str = "aws",
) -> Policy:
    """What `--engine redshift` does beyond the lake: statements, and the log-in behind them.

    Args:
        region: Of the warehouse.
        account: Its twelve digits.
        cluster: A cluster instead of a serverless workgroup.
        db_user: The database user that IAM logs in as; without it the caller's own identity is the user.
        secret_arn: The secret with user and password, instead of IAM.
        partition: `aws`, `aws-cn` or `aws-us-gov`.
    """
    service, kind = ("redshift", f"cluster:{cluster}") if cluster else ("redshift-serverless", "workgroup/*")
    warehouse = f"arn:{partition}:{service}:{region}:{account}:{kind}"
    return policy(
        allow("Statements", ["redshift-data:ExecuteStatement", "redshift-data:BatchExecuteStatement"], warehouse),
        # These three know statements by their id only; everybody sees his own.
        allow(
            "OwnStatements",
            ["redshift-data:DescribeStatement", "redshift-data:GetStatementResult", "redshift-data:CancelStatement"],
            "*",
        ),
        _log_in(f"arn:{partition}:redshift:{region}:{account}", warehouse, cluster, db_user, secret_arn),
    )


def _log_in(redshift: str, workgroup: str, cluster: str | None, db_user: str | None, secret_arn: str | None) -> Policy:
    if secret_arn:
        return allow("LogIn", ["secretsmanager:GetSecretValue"], [secret_arn])
    if cluster and db_user:
        names = [f"{redshift}:dbuser:{cluster}/{db_user}", f"{redshift}:dbname:{cluster}/*"]
        return allow("LogIn", ["redshift:GetClusterCredentials"], names)
    if cluster:
        return allow("LogIn", ["redshift:GetClusterCredentialsWithIAM"], [f"{redshift}:dbname:{cluster}/*"])
    return allow("LogIn", ["redshift-serverless:GetCredentials"], [workgroup])


def copy_role_policy(bucket: str, prefix: str = "", *, partition: str = "aws") -> Policy:
    """What the role of COPY does: read the flat files and those of the COPY JOBs."""
    return policy(
        allow("Bucket", ["s3:ListBucket", "s3:GetBucketLocation"], _bucket(bucket, partition)),
        allow(
            "Files",
            ["s3:GetObject"],
            [
                objects(bucket, _below(prefix, "analytics"), partition),
                objects(bucket, _below(prefix, "copyjobs"), partition),
            ],
        ),
    )


def copy_role_trust() -> Policy:
    """Who may take the role of COPY on: Redshift, provisioned and serverless."""
    return policy(
        {
            "Sid": "Redshift",
            "Effect": "Allow",
            "Principal": {"Service": ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    )


def lifecycle_rules(results_prefix: str = "athena/") -> list[Policy]:
    """The rules of a versioned bucket: old versions, what deletes leave, and results of queries expire."""
    return [
        {
            "ID": "mag7-old-versions",
            "Status": "Enabled",
            "Filter": {},
            "NoncurrentVersionExpiration": {"NoncurrentDays": _KEPT_VERSIONS_DAYS},
            "Expiration": {"ExpiredObjectDeleteMarker": True},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "mag7-query-results",
            "Status": "Enabled",
            "Filter": {"Prefix": results_prefix},
            "Expiration": {"Days": _KEPT_RESULTS_DAYS},
        },
    ]


def one_line(document: Any) -> str:
    """The document as an argument for the AWS command line, whatever quotes are in it."""
    return shlex.quote(json.dumps(document, separators=(",", ":"), default=str))


def policy(*statements: Policy) -> Policy:
    """A policy of these statements."""
    return {"Version": _VERSION, "Statement": list(statements)}


def allow(sid: str, actions: list[str], resource: str | list[str]) -> Policy:
    """A statement that allows these actions on this resource."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def objects(bucket: str, prefix: str, partition: str = "aws") -> str:
    """The ARN of every object below a prefix."""
    return f"{_bucket(bucket, partition)}/{_below(prefix.rstrip('/'), '*')}"


def _bucket(bucket: str, partition: str) -> str:
    return f"arn:{partition}:s3:::{bucket}"


def _below(prefix: str, name: str) -> str:
    return f"{prefix}/{name}" if prefix else name
