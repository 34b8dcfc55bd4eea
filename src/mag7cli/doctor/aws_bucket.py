"""The checks of the lake's bucket: there, in the right region, usable, and kept safely."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mag7cli.core.errors import StoreError
from mag7cli.doctor.aws_access import Account, finding, look, put_policy, rights
from mag7cli.doctor.checks import Finding
from mag7cli.lake import aws
from mag7cli.lake.s3 import S3Store
from mag7cli.warehouse import aws_policies

_PUBLIC_ACCESS_BLOCKS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def findings(store: S3Store, account: Account) -> Iterator[Finding]:
    """What there is to say; of a bucket that is not there, only that."""
    client, name = aws.client("s3"), store.bucket
    there = look("bucket", lambda: client.head_bucket(Bucket=name), lambda answer: _existence(answer, name, account))
    yield there
    if there.state == "failed":
        return
    policy = aws_policies.lake_policy(name, store.prefix, partition=account.partition)
    fix = put_policy(account.principal, "mag7-lake", policy)
    yield look(
        "bucket region", lambda: client.get_bucket_location(Bucket=name), lambda answer: _region(answer, account)
    )
    yield _listing(store, fix)
    yield rights(
        "permissions",
        account.principal,
        ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        f"arn:{account.partition}:s3:::{store.uri('*').removeprefix('s3://')}",
        fix,
    )
    yield look(
        "bucket versioning",
        lambda: client.get_bucket_versioning(Bucket=name),
        lambda answer: _versioning(answer, name),
    )
    yield look(
        "old versions",
        lambda: client.get_bucket_lifecycle_configuration(Bucket=name),
        lambda answer: _old_versions(answer, name),
    )
    yield look(
        "public access",
        lambda: client.get_public_access_block(Bucket=name),
        lambda answer: _public_access(answer, name),
    )


def _existence(answer: Any, name: str, account: Account) -> Finding:
    place = f" --create-bucket-configuration LocationConstraint={account.region}"
    create = f"aws s3api create-bucket --bucket {name} --region {account.region}"
    return finding(
        "bucket",
        answer is not None,
        f"s3://{name}",
        f"s3://{name} does not exist",
        # us-east-1 is the one region that must not be named as a place.
        create if account.region == "us-east-1" else create + place,
    )


def _region(answer: Any, account: Account) -> Finding:
    region = (answer or {}).get("LocationConstraint") or "us-east-1"
    otherwise = f"{region}, but you work in {account.region}: Redshift cannot copy between regions"
    fix = f"export AWS_DEFAULT_REGION={region}"
    return finding("bucket region", region == account.region, region, otherwise, fix)


def _listing(store: S3Store, fix: str) -> Finding:
    try:
        first = next(iter(store.list("")), None)
    except StoreError as error:
        return Finding("lake", "failed", str(error), fix)
    return Finding("lake", "ok", f"{store.uri('')} {'is empty' if first is None else 'has objects'}")


def _versioning(answer: Any, name: str) -> Finding:
    return finding(
        "bucket versioning",
        (answer or {}).get("Status") == "Enabled",
        "on: overwritten objects can be brought back",
        "off: what is overwritten is gone",
        f"aws s3api put-bucket-versioning --bucket {name} --versioning-configuration Status=Enabled",
        state="warning",
    )


def _old_versions(answer: Any, name: str) -> Finding:
    rules = (answer or {}).get("Rules", [])
    missing = [rule for rule in aws_policies.lifecycle_rules() if not _has(rules, rule)]
    # The command replaces every rule of the bucket, so it must repeat those of others.
    ours = {rule["ID"] for rule in aws_policies.lifecycle_rules()}
    others = [rule for rule in rules if rule.get("ID") not in ours]
    document = aws_policies.one_line({"Rules": [*others, *aws_policies.lifecycle_rules()]})
    return finding(
        "old versions",
        not missing,
        "expire, as do results of queries and what deletes leave",
        f"{' and '.join(_KEPT_FOR_EVER[rule['ID']] for rule in missing)}, and versions are paid for",
        f"aws s3api put-bucket-lifecycle-configuration --bucket {name} --lifecycle-configuration {document}",
        state="warning",
    )


_KEPT_FOR_EVER: Final = {
    "mag7-old-versions": "old versions and delete markers are kept for ever",
    "mag7-query-results": "results of queries are kept for ever",
}


def _has(rules: Sequence[Mapping[str, Any]], ours: Mapping[str, Any]) -> bool:
    """True if one of the bucket's rules does what ours would, whatever it is called and however long it waits."""
    needed = {name for name in ("NoncurrentVersionExpiration", "Expiration") if name in ours}
    prefix = ours["Filter"].get("Prefix", "")
    return any(
        rule["Status"] == "Enabled" and needed <= rule.keys() and prefix.startswith(_prefix_of(rule)) for rule in rules
    )


def _prefix_of(rule: Mapping[str, Any]) -> str:
    return str(rule.get("Filter", {}).get("Prefix", rule.get("Prefix", "")))


def _public_access(answer: Any, name: str) -> Finding:
    settings = (answer or {}).get("PublicAccessBlockConfiguration", {})
    blocks = ",".join(f"{block}=true" for block in _PUBLIC_ACCESS_BLOCKS)
    return finding(
        "public access",
        all(settings.get(block) for block in _PUBLIC_ACCESS_BLOCKS),
        "blocked",
        "is not blocked",
        f"aws s3api put-public-access-block --bucket {name} --public-access-block-configuration {blocks}",
        state="warning",
    )
