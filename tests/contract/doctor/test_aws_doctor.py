"""The doctor of the cloud: what is missing, and the command that mends it, on an account over real HTTP."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.simulators.athena import AthenaSimulator
from tests.simulators.aws_json import JsonService, ServiceError, serving
from tests.simulators.cloud import Cloud, own_client
from tests.simulators.proxy import Fault, Proxy, proxy_to
from tests.simulators.redshift_data import RedshiftSimulator

from mag7cli.core.errors import UsageError
from mag7cli.doctor.aws import Setup, examine
from mag7cli.doctor.checks import Finding
from mag7cli.lake.layout import Lake
from mag7cli.warehouse import aws_policies, glue_catalog
from mag7cli.warehouse.engines.athena import AthenaEngine
from mag7cli.warehouse.engines.redshift import RedshiftEngine, Warehouse

ROLE = "arn:aws:iam::123456789012:role/mag7-redshift-copy"
OTHER_ROLE = "arn:aws:iam::123456789012:role/somebody-elses"
WORKGROUP = Warehouse(workgroup="market-analysis")


@dataclass
class Namespace:
    """The namespace behind the workgroup, as Redshift Serverless describes it."""

    default: str | None = None
    roles: list[str] = field(default_factory=list)


class ServerlessSimulator(JsonService):
    """Redshift Serverless, as far as its workgroup and namespace."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__({"GetWorkgroup": self.workgroup, "GetNamespace": self.describe_namespace})
        self.namespace = namespace

    def workgroup(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if request["workgroupName"] != "market-analysis":
            raise ServiceError("ResourceNotFoundException", "workgroup not found")
        return {"workgroup": {"workgroupName": "market-analysis", "namespaceName": "market"}}

    def describe_namespace(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        roles = [f"IamRole(applyStatus=in-sync, iamRoleArn={role})" for role in self.namespace.roles]
        return {
            "namespace": {"namespaceName": "market", "iamRoles": roles, "defaultIamRoleArn": self.namespace.default}
        }


@pytest.fixture
def iam(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """IAM, whose policy simulator allows everything; moto has none."""
    with proxy_to(cloud.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", proxy.url)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        proxy.answers["Action=SimulatePrincipalPolicy"] = decisions()
        yield proxy


@pytest.fixture
def namespace(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Namespace]:
    with serving(ServerlessSimulator(Namespace())) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS", service.url)
        yield service.namespace


def decisions(**denied: str) -> str:
    members = "".join(
        f"<member><EvalActionName>{action.replace('_', ':')}</EvalActionName><EvalDecision>{decision}</EvalDecision>"
        "</member>"
        for action, decision in (denied or {"s3_GetObject": "allowed"}).items()
    )
    return (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<SimulatePrincipalPolicyResult><EvaluationResults>{members}</EvaluationResults></SimulatePrincipalPolicyResult>"
        "</SimulatePrincipalPolicyResponse>"
    )


def found(setup: Setup) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(setup)}


def test_an_empty_account_lacks_a_bucket_and_says_how_to_make_it(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    findings = found(Setup("s3://mag7-not-there-yet/lake"))

    assert findings["bucket"].state == "failed"
    assert findings["bucket"].fix == (
        "aws s3api create-bucket --bucket mag7-not-there-yet --region eu-central-1 "
        "--create-bucket-configuration LocationConstraint=eu-central-1"
    )
    assert "bucket versioning" not in findings


def test_a_new_bucket_gets_advice_on_keeping_it_safely(cloud: Cloud, iam: Proxy, athena: AthenaSimulator) -> None:
    findings = found(Setup(cloud.lake, workgroup="mag7"))

    states = {check: finding.state for check, finding in findings.items()}
    assert states == {
        "AWS credentials": "ok",
        "bucket": "ok",
        "bucket region": "ok",
        "lake": "ok",
        "permissions": "ok",
        "bucket versioning": "warning",
        "old versions": "warning",
        "public access": "warning",
        "Glue catalog": "warning",
        "Athena workgroup": "ok",
        "Athena results": "ok",
    }
    assert all(finding.fix for finding in findings.values() if finding.state != "ok")


def test_the_commands_mend_what_they_are_for(cloud: Cloud, iam: Proxy, athena: AthenaSimulator) -> None:
    for check in ("bucket versioning", "public access", "old versions"):
        run_like_the_aws_cli(cloud, str(found(Setup(cloud.lake))[check].fix))

    findings = found(Setup(cloud.lake))

    assert [findings[check].state for check in ("bucket versioning", "public access", "old versions")] == ["ok"] * 3


def test_the_rules_of_a_bucket_are_repeated_in_the_command_that_replaces_them(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator
) -> None:
    rule = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7}}
    cloud.s3.put_bucket_lifecycle_configuration(Bucket=cloud.bucket, LifecycleConfiguration={"Rules": [rule]})

    command = str(found(Setup(cloud.lake))["old versions"].fix)

    wanted = json.loads(shlex.split(command)[-1])["Rules"]
    assert [found["ID"] for found in wanted] == ["logs", "mag7-old-versions", "mag7-query-results"]
    assert wanted[0]["Expiration"] == {"Days": 7}


def test_a_rule_with_an_apostrophe_survives_the_shell(cloud: Cloud, iam: Proxy, athena: AthenaSimulator) -> None:
    rule = {"ID": "Ann's logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7}}
    cloud.s3.put_bucket_lifecycle_configuration(Bucket=cloud.bucket, LifecycleConfiguration={"Rules": [rule]})

    run_like_the_aws_cli(cloud, str(found(Setup(cloud.lake))["old versions"].fix))

    rules = cloud.s3.get_bucket_lifecycle_configuration(Bucket=cloud.bucket)["Rules"]
    assert {entry["ID"] for entry in rules} == {"Ann's logs", "mag7-old-versions", "mag7-query-results"}


def test_a_principal_that_iam_cannot_find_is_not_said_to_be_allowed(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator
) -> None:
    iam.answers.clear()
    iam.faults.append(Fault("POST", "refuse", "NoSuchEntity", 404))

    finding = found(Setup(cloud.lake))["permissions"]

    assert (finding.state, "cannot find" in finding.outcome) == ("warning", True)
    assert "--policy-name mag7-lake" in str(finding.fix)


def test_nothing_is_changed(cloud: Cloud, iam: Proxy, athena: AthenaSimulator, redshift: RedshiftSimulator) -> None:
    iam.requests.clear()

    found(Setup(cloud.lake, warehouse=WORKGROUP))

    assert cloud.keys() == []
    assert "BatchExecuteStatement" not in redshift.log
    sent = [submission.sqls[0] for submission in redshift.submissions.values()]
    assert all(sql.startswith("SELECT") for sql in sent)


def test_the_catalog_is_complete_after_a_sync(cloud: Cloud, iam: Proxy, athena: AthenaSimulator) -> None:
    engine = AthenaEngine(workgroup="mag7", sleep=lambda _: None)

    glue_catalog.sync(Lake.at(cloud.lake), engine)

    assert found(Setup(cloud.lake, workgroup="mag7"))["Glue catalog"].state == "ok"


def test_a_bucket_in_another_region_is_told(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    finding = found(Setup(cloud.lake))["bucket region"]

    assert (finding.state, finding.fix) == ("failed", "export AWS_DEFAULT_REGION=us-east-1")


def test_missing_rights_come_with_the_policy(cloud: Cloud, iam: Proxy, athena: AthenaSimulator) -> None:
    iam.answers["Action=SimulatePrincipalPolicy"] = decisions(s3_GetObject="allowed", s3_PutObject="implicitDeny")

    finding = found(Setup(cloud.lake))["permissions"]

    assert finding.state == "failed"
    assert "may not s3:PutObject" in finding.outcome
    command = shlex.split(str(finding.fix))
    assert command[:5] == ["aws", "iam", "put-user-policy", "--user-name", "moto"]
    assert json.loads(command[-1]) == aws_policies.lake_policy(cloud.bucket, "lake")


def test_who_may_not_ask_iam_gets_the_policy_all_the_same(cloud: Cloud, iam: Proxy, athena: AthenaSimulator) -> None:
    iam.answers.clear()
    iam.faults.append(Fault("POST", "refuse", "AccessDenied", 403))

    finding = found(Setup(cloud.lake))["permissions"]

    assert finding.state == "warning"
    assert "--policy-name mag7-lake" in str(finding.fix)


def test_no_credentials_are_the_only_finding(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    findings = list(examine(Setup(cloud.lake)))

    assert [(finding.check, finding.state) for finding in findings] == [("AWS credentials", "failed")]
    assert "aws configure" in str(findings[0].fix)


def test_a_lake_on_disk_is_a_usage_error(cloud: Cloud) -> None:
    with pytest.raises(UsageError):
        list(examine(Setup("./lake")))


# Athena


def test_an_unknown_workgroup_comes_with_the_command_that_makes_it(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator
) -> None:
    finding = found(Setup(cloud.lake, workgroup="nobody"))["Athena workgroup"]

    assert finding.fix == (
        "aws athena create-work-group --name nobody "
        f"--configuration ResultConfiguration={{OutputLocation=s3://{cloud.bucket}/athena/}}"
    )


def test_results_without_a_place_come_with_the_command_that_gives_one(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator
) -> None:
    finding = found(Setup(cloud.lake))["Athena results"]

    assert finding.state == "failed"
    assert str(finding.fix).endswith(f"ResultConfigurationUpdates={{OutputLocation=s3://{cloud.bucket}/athena/}}")
    assert found(Setup(cloud.lake, output_location="s3://elsewhere/"))["Athena results"].state == "ok"


def test_a_workgroup_that_keeps_its_results_needs_no_place(cloud: Cloud, iam: Proxy, athena: AthenaSimulator) -> None:
    athena.managed.add("primary")

    assert found(Setup(cloud.lake))["Athena results"].state == "ok"


def test_a_place_that_the_workgroup_ignores_is_told(cloud: Cloud, iam: Proxy, athena: AthenaSimulator) -> None:
    athena.enforced.add("mag7")

    finding = found(Setup(cloud.lake, workgroup="mag7", output_location="s3://mine/"))["Athena results"]

    assert finding.outcome == "go to s3://results/, as the workgroup enforces; s3://mine/ is ignored"


# Redshift


def test_a_warehouse_without_a_role_comes_with_the_commands_that_make_one(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator, redshift: RedshiftSimulator, namespace: Namespace
) -> None:
    namespace.roles = [OTHER_ROLE]

    findings = found(Setup(cloud.lake, warehouse=WORKGROUP))

    assert findings["COPY role"].outcome == "market has no default role"
    assert findings["COPY role"].fix == (
        "aws redshift-serverless update-namespace --namespace-name market "
        f"--iam-roles {OTHER_ROLE} {ROLE} --default-iam-role-arn {ROLE}"
    )
    assert str(findings["COPY role trust"].fix).startswith("aws iam create-role --role-name mag7-redshift-copy")


def test_a_warehouse_that_is_ready_has_no_complaints(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator, redshift: RedshiftSimulator, namespace: Namespace
) -> None:
    namespace.default, namespace.roles = ROLE, [ROLE]
    trust = json.dumps(aws_policies.copy_role_trust())
    client = own_client("iam", cloud.endpoint)
    client.create_role(RoleName="mag7-redshift-copy", AssumeRolePolicyDocument=trust)
    try:
        findings = found(Setup(cloud.lake, warehouse=WORKGROUP))
    finally:
        client.delete_role(RoleName="mag7-redshift-copy")

    checks = [check for check in findings if check.startswith(("Redshift", "COPY"))]
    assert checks == [
        "Redshift",
        "Redshift schema",
        "Redshift tables",
        "COPY role",
        "COPY role trust",
        "COPY role rights",
    ]
    assert {findings[check].state for check in checks} == {"ok"}


def test_tables_of_another_shape_are_found(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator, redshift: RedshiftSimulator, namespace: Namespace
) -> None:
    RedshiftEngine(WORKGROUP).execute(
        ["CREATE SCHEMA market_data", "CREATE TABLE market_data.stock_splits (trading_date DATE, ticker VARCHAR(5))"]
    )

    finding = found(Setup(cloud.lake, warehouse=WORKGROUP))["Redshift tables"]

    assert "stock_splits has ticker varchar(5) where ticker varchar(10) belongs" in finding.outcome
    assert "--recreate" in str(finding.fix)


def test_a_privilege_that_comes_as_the_text_false_is_not_granted(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator, redshift: RedshiftSimulator, namespace: Namespace
) -> None:
    redshift.may_create = False

    finding = found(Setup(cloud.lake, warehouse=WORKGROUP))["Redshift schema"]

    assert finding.state == "failed"
    assert "GRANT CREATE ON DATABASE" in str(finding.fix)


def test_a_warehouse_that_refuses_us_comes_with_the_policy(
    cloud: Cloud, iam: Proxy, athena: AthenaSimulator, redshift: RedshiftSimulator
) -> None:
    redshift.refuse("AccessDeniedException")

    finding = found(Setup(cloud.lake, warehouse=WORKGROUP))["Redshift"]

    assert finding.state == "failed"
    assert "redshift-data:ExecuteStatement" in str(finding.fix)


def run_like_the_aws_cli(cloud: Cloud, command: str) -> None:
    """Run an `aws s3api` command of the doctor's through boto3."""
    _, service, operation, *arguments = shlex.split(command)
    assert service == "s3api"
    options = dict(zip(arguments[::2], arguments[1::2], strict=True))
    bucket = options.pop("--bucket")
    ((name, value),) = options.items()
    shape = "".join(part.capitalize() for part in name.removeprefix("--").split("-"))
    getattr(cloud.s3, operation.replace("-", "_"))(Bucket=bucket, **{shape: _argument(value)})


def _argument(text: str) -> Any:
    if text.startswith("{"):
        return json.loads(text)
    pairs = (pair.split("=") for pair in text.split(","))
    return {name: value == "true" if value in ("true", "false") else value for name, value in pairs}
