"""Who may do what: one role for each function, machine and service of the stack, each with its actions on its things.

The documents are `warehouse.aws_policies`' own, with CloudFormation's names in the place of accounts and buckets.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from mag7cli.deployment.parts import sub
from mag7cli.lake.layout import ANALYTICS, FUNDS, HOLDINGS, LIVE, LOCK, PROCESSED, REFERENCE
from mag7cli.tables.schema import FUND_WEIGHTS, SCHEMA
from mag7cli.warehouse import aws_policies
from mag7cli.warehouse.aws_policies import Policy, allow, objects
from mag7cli.warehouse.glue_catalog import BY_DATE

REPORT: Final = "report/"
"""Where the page of a lake on S3 lies."""

BUCKET: Final = "${Lake}"
STATE: Final = "state/"
"""Where the last validation is remembered."""

_PARTITION: Final = "${AWS::Partition}"
_REGION: Final = "${AWS::Region}"
_ACCOUNT: Final = "${AWS::AccountId}"
_RAW: Final = "raw/"
_READ: Final = ("s3:GetObject",)
_WRITE: Final = ("s3:GetObject", "s3:PutObject")
_OWN: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")


_LIMITS: Final = tuple(
    f"redshift-serverless:{action}"
    for action in ("ListUsageLimits", "CreateUsageLimit", "UpdateUsageLimit", "DeleteUsageLimit")
)
WILDCARDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_LIMITS, "the action knows no resource; only the function behind the custom resource may use it"),
    "cloudwatch:PutMetricData": "the action knows no resource; a condition bounds it to the stack's namespace, or Glue",
}
"""The actions that are allowed on every resource, each with its reason."""


def role(service: str, summary: str, policies: Iterable[str]) -> Mapping[str, Any]:
    """The role of a principal: who may take it on, and its policies by name.

    Args:
        service: The service that takes the role on, such as `lambda.amazonaws.com`.
        summary: What it is for, in a sentence.
        policies: Names of `POLICIES`.
    """
    named = [{"PolicyName": name.replace("_", "-"), "PolicyDocument": document(name)} for name in policies]
    properties = {"Description": summary, "AssumeRolePolicyDocument": _trust(service), "Policies": named}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def document(name: str) -> Any:
    """The policy of that name, in CloudFormation's way of writing."""
    return substituted(POLICIES[name]())


def substituted(value: Any) -> Any:
    """The value with `Fn::Sub` around every text that has a name in it."""
    if isinstance(value, str):
        return sub(value) if "${" in value else value
    if isinstance(value, Mapping):
        return {key: substituted(inner) for key, inner in value.items()}
    return [substituted(inner) for inner in value] if isinstance(value, list | tuple) else value


def _trust(service: str) -> Any:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service.split(",")},
        "Action": "sts:AssumeRole",
    }
    # Without the account, the role could be taken on for somebody else's machine or schedule.
    if service in _SENDS_ACCOUNT:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": _ACCOUNT}}
    return substituted({"Version": "2012-10-17", "Statement": [statement]})


# Source: Step Functions developer guide and EventBridge Scheduler user guide, "Confused deputy prevention".
_SENDS_ACCOUNT: Final = frozenset({"states.amazonaws.com", "scheduler.amazonaws.com"})


def _zones(actions: tuple[str, ...], *zones: str) -> Policy:
    """Objects below some prefixes of the lake."""
    # Without the right to list, a key that is not there would be answered by 403 instead of 404, whatever the prefix.
    return aws_policies.policy(
        allow("Bucket", ["s3:ListBucket", "s3:GetBucketLocation"], f"arn:{_PARTITION}:s3:::{BUCKET}"),
        allow("Objects", list(actions), [objects(BUCKET, zone, _PARTITION) for zone in zones]),
    )


def _lock() -> Policy:
    return aws_policies.policy(
        allow("Bucket", ["s3:ListBucket"], f"arn:{_PARTITION}:s3:::{BUCKET}"),
        allow("Lock", list(_OWN), f"arn:{_PARTITION}:s3:::{BUCKET}/{LOCK}"),
    )


def _catalog() -> Policy:
    """The tables that `load` keeps up to date; the databases are the stack's."""
    glue = f"arn:{_PARTITION}:glue:{_REGION}:{_ACCOUNT}"
    names = [f"{glue}:{kind}/{name}" for name in (SCHEMA, BY_DATE) for kind in ("database", "table")]
    tables = [name if ":database/" in name else f"{name}/*" for name in names]
    return aws_policies.policy(
        allow("Catalog", list(aws_policies.CATALOG_ACTIONS), [f"{glue}:catalog", f"{glue}:database/default", *tables])
    )


def _query() -> Policy:
    return aws_policies.athena_policy(BUCKET, "${Name}", _REGION, _ACCOUNT, partition=_PARTITION)


def _quicksight() -> Policy:
    """What QuickSight asks of Athena: queries, and a look at the catalog."""
    athena = f"arn:{_PARTITION}:athena:{_REGION}:{_ACCOUNT}"
    looking = ["athena:GetDataCatalog", "athena:ListDatabases", "athena:ListTableMetadata", "athena:GetTableMetadata"]
    query = _query()
    return {
        **query,
        "Statement": [
            *(_without_writing(statement) for statement in query["Statement"]),
            allow("Look", [*looking, "athena:GetDatabase"], f"{athena}:datacatalog/AwsDataCatalog"),
        ],
    }


def _without_writing(statement: Policy) -> Policy:
    """The statement for who reads the catalog only."""
    changes = ("glue:Create", "glue:Update", "glue:Delete", "glue:Batch")
    return {**statement, "Action": [action for action in statement["Action"] if not action.startswith(changes)]}


def logs(group_arn: str) -> Policy:
    """What a function writes its logs with, into a group that is there already."""
    return aws_policies.policy(allow("Logs", ["logs:CreateLogStream", "logs:PutLogEvents"], group_arn))


def _invoke() -> Policy:
    functions = [f"${{{name}Function.Arn}}" for name in FUNCTIONS]
    return aws_policies.policy(
        allow("Functions", ["lambda:InvokeFunction"], functions),
        allow("Failures", ["sns:Publish"], "${Topic}"),
    )


def _start() -> Policy:
    return aws_policies.policy(
        allow("Machines", ["states:StartExecution"], ["${HistoryMachine}", "${RecoveryMachine}"])
    )


def _usage_limit() -> Policy:
    return aws_policies.policy(allow("Limits", list(_LIMITS), "*"))


def _measure() -> Policy:
    statement = allow("Metrics", ["cloudwatch:PutMetricData"], "*")
    return aws_policies.policy({**statement, "Condition": {"StringEquals": {"cloudwatch:namespace": "${Name}"}}})


def _spark_logs() -> Policy:
    """Where a job writes its logs and metrics. Source: Glue developer guide, "Create an IAM policy for Glue"."""
    groups = f"arn:{_PARTITION}:logs:{_REGION}:{_ACCOUNT}:log-group:/aws-glue/*"
    statement = allow("Metrics", ["cloudwatch:PutMetricData"], "*")
    return aws_policies.policy(
        allow("Logs", ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], groups),
        {**statement, "Condition": {"StringEquals": {"cloudwatch:namespace": "Glue"}}},
    )


def _one(sid: str, action: str, resource: str) -> Callable[[], Policy]:
    return lambda: aws_policies.policy(allow(sid, [action], resource))


FUNCTIONS: Final = ("Dates", "Hold", "Survey", "Collect", "Transform", "Validate", "Load", "Report", "Notify")

POLICIES: Final[Mapping[str, Callable[[], Policy]]] = {
    "lock": _lock,
    "read_documents": lambda: _zones(_READ, _RAW),
    "write_documents": lambda: _zones(_OWN, _RAW),
    "read_holdings": lambda: _zones(_READ, HOLDINGS, FUNDS),
    "read_beside": lambda: _zones(_READ, LIVE, f"{REFERENCE}bars/"),
    "write_fund_weights": lambda: _zones(_OWN, f"{ANALYTICS}{FUND_WEIGHTS.name}/"),
    "read_tables": lambda: _zones(_READ, ANALYTICS, PROCESSED),
    "write_tables": lambda: _zones(_OWN, ANALYTICS, PROCESSED),
    "list_documents": lambda: _zones(_READ, _RAW),
    "read_state": lambda: _zones(_READ, STATE),
    "measure": _measure,
    "write_state": lambda: _zones(_WRITE, STATE),
    "write_report": lambda: _zones(_WRITE, REPORT),
    "read_key": _one("Key", "secretsmanager:GetSecretValue", "${KeySecret}"),
    "publish": _one("Notifications", "sns:Publish", "${Topic}"),
    "catalog": _catalog,
    "query": _query,
    "quicksight_query": _quicksight,
    "invoke_functions": _invoke,
    "start_machines": _start,
    "copy": lambda: aws_policies.copy_role_policy(BUCKET, partition=_PARTITION),
    "read_code": _one("Code", "s3:GetObject", f"arn:{_PARTITION}:s3:::${{Code}}/glue/*"),
    "spark_logs": _spark_logs,
    "usage_limit": _usage_limit,
    "usage_limit_logs": lambda: logs("${UsageLimitLogs.Arn}"),
}
"""Every policy of the stack's roles, by the name that the parts use."""
