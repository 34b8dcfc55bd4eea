"""Asking AWS about itself: who the caller is, what is there, what IAM allows; and the commands that give rights."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from mag7cli.core.errors import EngineError
from mag7cli.doctor.checks import Finding, State
from mag7cli.lake import aws
from mag7cli.warehouse import aws_policies

_NOT_FOUND: Final = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchLifecycleConfiguration",
        "NoSuchEntity",
        "EntityNotFoundException",
    }
)


@dataclass(frozen=True, slots=True)
class Account:
    """Who the caller is, by AWS's own account, and in which region."""

    arn: str
    account: str
    region: str

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`: the second field of every ARN."""
        return self.arn.split(":")[1]

    @property
    def principal(self) -> str:
        """The user or role behind the caller: policies are attached to a role, not to a session of it."""
        head, _, rest = self.arn.partition(":assumed-role/")
        return f"{head.replace(':sts:', ':iam:')}:role/{rest.partition('/')[0]}" if rest else self.arn


def account_in_use() -> Account:
    """The caller. Raises ConfigError and EngineError where there are no credentials or no region."""
    client = aws.client("sts")
    with aws.errors_as(EngineError, "AWS STS"):
        who = client.get_caller_identity()
    return Account(who["Arn"], who["Account"], client.meta.region_name)


def look(check: str, ask: Callable[[], Any], judge: Callable[[Any], Finding]) -> Finding:
    """Ask, and judge the answer: None where the thing asked for is not there."""
    try:
        with aws.errors_as(EngineError, "could not be looked at"):
            answer = aws.answer_or_none(ask, _NOT_FOUND)
    except EngineError as error:
        return Finding(check, "warning", str(error), error.hint)
    return judge(answer)


def finding(check: str, good: bool, good_news: str, otherwise: str, fix: str, *, state: State = "failed") -> Finding:
    """What was found if all is well, otherwise what is wrong and the command that mends it."""
    return Finding(check, "ok", good_news) if good else Finding(check, state, otherwise, fix)


def rights(check: str, principal: str, actions: list[str], resource: str, fix: str) -> Finding:
    """What IAM's simulator says of a user or role.

    If it may not be asked, the policy that would do is in the finding all the same; so is it where IAM knows no such
    principal, as for a role with a path, whose ARN a session does not tell, or one of Identity Center.
    """
    verdict = look(
        check,
        lambda: _denied(principal, actions, resource),
        lambda names: _judged(check, principal, actions, names, fix),
    )
    return replace(verdict, fix=fix) if verdict.state == "warning" else verdict


def _denied(principal: str, actions: list[str], resource: str) -> list[str]:
    answer = aws.client("iam").simulate_principal_policy(
        PolicySourceArn=principal, ActionNames=actions, ResourceArns=[resource]
    )
    return [entry["EvalActionName"] for entry in answer["EvaluationResults"] if entry["EvalDecision"] != "allowed"]


def _judged(check: str, principal: str, actions: list[str], denied: list[str] | None, fix: str) -> Finding:
    if denied is None:
        return Finding(check, "warning", f"IAM cannot find {principal}, so whether it may is not known", fix)
    return finding(check, not denied, f"may {', '.join(actions)}", f"{principal} may not {', '.join(denied)}", fix)


def put_policy(principal: str, name: str, policy: aws_policies.Policy) -> str:
    """The command that gives a policy to a user or role."""
    kind, _, path = principal.rpartition(":")[2].partition("/")
    if kind not in ("role", "user"):
        return "sign in as an IAM user or role: the root of an account should not run programs"
    who = f"put-{kind}-policy --{kind}-name {path.rpartition('/')[2]}"
    return f"aws iam {who} --policy-name {name} --policy-document {aws_policies.one_line(policy)}"
