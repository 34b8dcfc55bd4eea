"""The IAM policies: least, well-formed, and the same in the documentation."""

import json
import re
import shlex
from pathlib import Path

import pytest

from mag7cli.warehouse import aws_policies
from mag7cli.warehouse.aws_policies import Policy

ACCOUNT, REGION = "123456789012", "us-east-1"
POLICIES = {
    "lake": aws_policies.lake_policy("my-bucket"),
    "athena": aws_policies.athena_policy("my-bucket", "primary", REGION, ACCOUNT),
    "trust": aws_policies.copy_role_trust(),
    "copy": aws_policies.copy_role_policy("my-bucket"),
    "redshift": aws_policies.redshift_policy(REGION, ACCOUNT),
}
PAGE = Path(__file__).parents[3] / "docs" / "aws.md"


def statements(policy: Policy) -> list[dict[str, object]]:
    return list(policy["Statement"])


@pytest.mark.parametrize("name", POLICIES)
def test_the_page_shows_the_policy_that_the_doctor_prints(name: str) -> None:
    shown = re.search(rf"<!-- policy: {name} -->\n```json\n(.*?)```", PAGE.read_text(), re.DOTALL)

    assert shown is not None
    assert json.loads(shown[1]) == POLICIES[name]


@pytest.mark.parametrize("name", POLICIES)
def test_no_policy_allows_every_action_and_every_statement_has_a_name(name: str) -> None:
    for statement in statements(POLICIES[name]):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not any(str(action).endswith("*") for action in actions)
        assert re.fullmatch(r"[A-Za-z0-9]+", str(statement["Sid"]))


def test_only_statements_known_by_id_are_not_bound_to_a_resource() -> None:
    unbound = [s["Sid"] for policy in POLICIES.values() for s in statements(policy) if s.get("Resource") == "*"]

    assert unbound == ["OwnStatements"]


def test_a_prefix_bounds_the_objects() -> None:
    resources = [s["Resource"] for s in statements(aws_policies.lake_policy("my-bucket", "team/mag7"))]

    assert resources == ["arn:aws:s3:::my-bucket", "arn:aws:s3:::my-bucket/team/mag7/*"]


def test_copy_may_read_the_flat_files_and_those_of_the_jobs_only() -> None:
    files = statements(aws_policies.copy_role_policy("my-bucket", "lake"))[1]

    assert files["Action"] == ["s3:GetObject"]
    assert files["Resource"] == ["arn:aws:s3:::my-bucket/lake/analytics/*", "arn:aws:s3:::my-bucket/lake/copyjobs/*"]


def test_other_partitions_of_aws_have_their_own_arns() -> None:
    policy = aws_policies.athena_policy("my-bucket", "primary", "cn-north-1", ACCOUNT, partition="aws-cn")

    assert "arn:aws:" not in aws_policies.one_line(policy)


@pytest.mark.parametrize(
    ("log_in", "action"),
    [
        ({}, "redshift-serverless:GetCredentials"),
        ({"cluster": "mag7"}, "redshift:GetClusterCredentialsWithIAM"),
        ({"cluster": "mag7", "db_user": "loader"}, "redshift:GetClusterCredentials"),
        ({"cluster": "mag7", "secret_arn": "arn:aws:secretsmanager:::secret:x"}, "secretsmanager:GetSecretValue"),
    ],
)
def test_each_way_to_log_in_has_its_own_action(log_in: dict[str, str], action: str) -> None:
    assert statements(aws_policies.redshift_policy(REGION, ACCOUNT, **log_in))[-1]["Action"] == [action]


def test_a_policy_with_an_apostrophe_in_it_is_still_one_argument() -> None:
    assert shlex.split(aws_policies.one_line({"Id": "it's"})) == ['{"Id":"it\'s"}']


def test_a_policy_is_one_quoted_argument() -> None:
    line = aws_policies.one_line(POLICIES["lake"])

    assert (line[0], line[-1], line.count("'")) == ("'", "'", 2)
    assert json.loads(line.strip("'")) == POLICIES["lake"]
