"""The checks of Redshift: who we are there, what fits, and the role that COPY reads the bucket with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mag7cli.core.errors import EngineError
from mag7cli.doctor.aws_access import Account, finding, look, put_policy, rights
from mag7cli.doctor.checks import Finding
from mag7cli.lake import aws
from mag7cli.lake.s3 import S3Store
from mag7cli.warehouse import aws_policies
from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse
from mag7cli.warehouse.redshift_load import DEFAULT_ROLE, differences

_RIGHTS_SQL: Final = """\
SELECT CURRENT_USER AS user_name, CURRENT_DATABASE() AS database_name,
    HAS_DATABASE_PRIVILEGE(CURRENT_USER, CURRENT_DATABASE(), 'CREATE') AS may_create"""
_ROLE_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[^\s,)]+")
_ROLE_NAME: Final = "mag7-redshift-copy"


@dataclass(frozen=True, slots=True)
class _Roles:
    """The roles attached to a warehouse: `holder` is its namespace or cluster, as commands name it."""

    holder: str
    default: str | None
    attached: tuple[str, ...]


def findings(warehouse: Warehouse, role: str, store: S3Store, account: Account) -> Iterator[Finding]:
    """What there is to say; of a warehouse that cannot be reached, only that."""
    engine = RedshiftEngine(warehouse)
    try:
        allowed = engine.query(_RIGHTS_SQL).records()[0]
        different = differences(engine)
    except EngineError as error:
        policy = aws_policies.redshift_policy(
            account.region,
            account.account,
            cluster=warehouse.cluster,
            db_user=warehouse.db_user,
            secret_arn=warehouse.secret_arn,
            partition=account.partition,
        )
        yield Finding("Redshift", "failed", str(error), put_policy(account.principal, "mag7-redshift", policy))
        return
    finally:
        engine.close()
    yield Finding("Redshift", "ok", f"{warehouse.workgroup or warehouse.cluster}, as {allowed['user_name']}")
    yield finding(
        "Redshift schema",
        _is_true(allowed["may_create"]),
        "may be created",
        "may not be created by this user",
        f'run as an administrator: GRANT CREATE ON DATABASE {allowed["database_name"]} TO "{allowed["user_name"]}"',
    )
    yield finding(
        "Redshift tables",
        not different,
        "fit the lake's files",
        "; ".join(different.values()),
        "mag7 load --engine redshift --recreate",
    )
    yield from _copy_role(warehouse, role, store, account)


def _is_true(answer: object) -> bool:
    """The Data API may send the answer of a privilege function as a text, and every text is true."""
    return answer is True or str(answer).lower() in ("true", "t", "1")


def _copy_role(warehouse: Warehouse, role: str, store: S3Store, account: Account) -> Iterator[Finding]:
    """Is the role attached to the warehouse, may Redshift take it on, and may it read the files?"""
    try:
        with aws.errors_as(EngineError, "could not be looked at"):
            roles = _roles(warehouse)
    except EngineError as error:
        yield Finding("COPY role", "warning", str(error), error.hint)
        return
    arn = roles.default if role == DEFAULT_ROLE else role
    expected = arn or f"arn:{account.partition}:iam::{account.account}:role/{_ROLE_NAME}"
    yield finding(
        "COPY role",
        arn in roles.attached,
        expected,
        f"{arn} is not attached to {roles.holder}" if arn else f"{roles.holder} has no default role",
        _attach_command(warehouse, roles, expected),
    )
    yield look(
        "COPY role trust",
        lambda: aws.client("iam").get_role(RoleName=expected.rpartition("/")[2]),
        lambda answer: _trust(answer, expected.rpartition("/")[2]),
    )
    policy = aws_policies.copy_role_policy(store.bucket, store.prefix, partition=account.partition)
    files = f"arn:{account.partition}:s3:::{store.uri('analytics/*').removeprefix('s3://')}"
    yield rights("COPY role rights", expected, ["s3:GetObject"], files, put_policy(expected, "mag7-copy", policy))


def _roles(warehouse: Warehouse) -> _Roles:
    if warehouse.cluster:
        cluster = aws.client("redshift").describe_clusters(ClusterIdentifier=warehouse.cluster)["Clusters"][0]
        attached = tuple(role["IamRoleArn"] for role in cluster.get("IamRoles", []))
        return _Roles(warehouse.cluster, cluster.get("DefaultIamRoleArn"), attached)
    client = aws.client("redshift-serverless")
    name = client.get_workgroup(workgroupName=warehouse.workgroup)["workgroup"]["namespaceName"]
    namespace = client.get_namespace(namespaceName=name)["namespace"]
    # Each entry is a text with the ARN in it, such as `IamRole(applyStatus=in-sync, iamRoleArn=arn:…)`.
    attached = tuple(_ROLE_ARN.findall(" ".join(namespace.get("iamRoles", []))))
    return _Roles(name, namespace.get("defaultIamRoleArn"), attached)


def _attach_command(warehouse: Warehouse, roles: _Roles, arn: str) -> str:
    if warehouse.cluster:
        return (
            f"aws redshift modify-cluster-iam-roles --cluster-identifier {roles.holder} "
            f"--add-iam-roles {arn} --default-iam-role-arn {arn}"
        )
    # The command replaces the list, so it must repeat the roles that are there.
    every = " ".join(dict.fromkeys([*roles.attached, arn]))
    return (
        f"aws redshift-serverless update-namespace --namespace-name {roles.holder} "
        f"--iam-roles {every} --default-iam-role-arn {arn}"
    )


def _trust(answer: Any, name: str) -> Finding:
    document = aws_policies.one_line(aws_policies.copy_role_trust())
    create = f"aws iam create-role --role-name {name} --assume-role-policy-document {document}"
    update = f"aws iam update-assume-role-policy --role-name {name} --policy-document {document}"
    return finding(
        "COPY role trust",
        "redshift" in str((answer or {}).get("Role", {}).get("AssumeRolePolicyDocument", "")),
        f"Redshift may be {name}",
        f"{name} does not trust Redshift" if answer else f"{name} does not exist",
        update if answer else create,
    )
