"""Clients of AWS services, and their errors in one line. The one importer of boto3.

Profile, region, endpoint and credentials are boto3's own business (`AWS_PROFILE`, `AWS_DEFAULT_REGION`,
`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_S3`, …). Knows nothing of the lake, of SQL or of tables.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mag7cli.core.errors import ConfigError, Mag7Error

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

Answer = TypeVar("Answer")

_ATTEMPTS: Final = 8
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ACCOUNT: Final = re.compile(r"\d{12}")
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}")

_CREDENTIALS_HINT: Final = "run `aws configure`, set AWS_PROFILE, or use AWS CloudShell, which brings its own"
_HINTS: Final[dict[str, str]] = {
    "AccessDenied": "your identity lacks a permission: `mag7 doctor --aws` prints the policy it needs",
    "ExpiredToken": "the session's credentials have run out: sign in again (`aws sso login`) and run again",
    "InvalidAccessKeyId": "AWS does not know this access key: check AWS_PROFILE and AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key: run `aws configure` again",
    "NoSuchBucket": "create the bucket first: `mag7 doctor --aws` prints the command",
    "PermanentRedirect": "the bucket is in another region: set AWS_DEFAULT_REGION to the bucket's",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it, then run again",
    "Throttling": "AWS asks to slow down: run again in a minute",
    "KmsDisabled": "the KMS key of the bucket cannot be used: check MAG7_S3_KMS_KEY and its key policy",
}
# The services spell the same complaint in several ways.
_SAME_AS: Final[dict[str, str]] = {
    "403": "AccessDenied",
    "AccessDeniedException": "AccessDenied",
    "AllAccessDisabled": "AccessDenied",
    "UnauthorizedAccess": "AccessDenied",
    "ExpiredTokenException": "ExpiredToken",
    "RequestExpired": "ExpiredToken",
    "InvalidClientTokenId": "InvalidAccessKeyId",
    "UnrecognizedClientException": "InvalidAccessKeyId",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "301": "PermanentRedirect",
    "AuthorizationHeaderMalformed": "PermanentRedirect",
    "SlowDown": "Throttling",
    "ThrottlingException": "Throttling",
    "TooManyRequestsException": "Throttling",
    "ActiveStatementsExceededException": "Throttling",
    "KMS.DisabledException": "KmsDisabled",
    "KMS.NotFoundException": "KmsDisabled",
}
# botocore's own complaints, raised before anything was sent or when nothing came back.
_NOT_AWS_HINT: Final = (
    "a proxy or a sign-in page answers in its place: check the network, HTTPS_PROXY and AWS_ENDPOINT_URL"
)
_LOCAL_HINTS: Final[dict[str, str]] = {
    "NoCredentialsError": _CREDENTIALS_HINT,
    "PartialCredentialsError": _CREDENTIALS_HINT,
    "CredentialRetrievalError": _CREDENTIALS_HINT,
    "ProfileNotFound": "check AWS_PROFILE; `aws configure list-profiles` shows the profiles there are",
    "NoRegionError": "set AWS_DEFAULT_REGION, for example AWS_DEFAULT_REGION=us-east-1",
    "SSOTokenLoadError": "sign in again: `aws sso login`",
    "UnauthorizedSSOTokenError": "sign in again: `aws sso login`",
    "TokenRetrievalError": "sign in again: `aws sso login`",
    "EndpointConnectionError": "check the network, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL",
    "ConnectTimeoutError": "check the network, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL",
    "ReadTimeoutError": "the network is slow or gone: run again, nothing collected is lost",
}


def client(service: str, *, connections: int = 10) -> Any:
    """A client that retries throttling and server errors at the pace the service allows. Safe to share by threads.

    Raises ConfigError if the environment names a profile or region that cannot be used.
    """
    import boto3
    from botocore.config import Config

    config = Config(retries=_retries(os.environ), max_pool_connections=connections, connect_timeout=10, read_timeout=60)
    with errors_as(ConfigError, f"AWS {service}"):
        session = boto3.session.Session(botocore_session=_session())
        # boto3 reads AWS_DEFAULT_REGION only; the AWS CLI, Lambda and CloudShell set AWS_REGION too.
        region = session.region_name or os.environ.get("AWS_REGION")
        service_client = session.client(service, config=config, region_name=region)
    service_client.meta.events.register("after-call", _refuse_pages)
    return service_client


def _refuse_pages(http_response: Any, model: Any, **_: Any) -> None:
    """Refuse the page of a proxy: botocore takes it for an answer without fields where a service speaks JSON."""
    from botocore.parsers import ResponseParserError

    speaks_json = "json" in model.service_model.metadata.get("protocol", "")
    if speaks_json and not model.has_streaming_output and http_response.content.lstrip().startswith(b"<"):
        raise ResponseParserError("a page instead of an answer")


def _session() -> Any:
    """A session of its own, so that it reads the environment of now; only the models of the services are shared."""
    from botocore.session import get_session

    session = get_session()
    session.register_component("data_loader", _models())
    return session


@cache
def _models() -> Any:
    # Reading the model of one service takes five times as long as everything else that makes a client (130 ms of 155).
    from botocore.loaders import create_loader

    return create_loader()


def _retries(environ: Mapping[str, str]) -> dict[str, Any]:
    # What the client is told wins over boto3's environment, so it is told only what the environment leaves open.
    chosen = {
        "AWS_RETRY_MODE": ("mode", "adaptive"),
        "AWS_MAX_ATTEMPTS": ("total_max_attempts", _ATTEMPTS),
    }
    return dict(setting for name, setting in chosen.items() if name not in environ)


@contextmanager
def errors_as(kind: type[Mag7Error], doing: str) -> Iterator[None]:
    """Raise whatever boto3 raises inside as `kind`: what was being done, what AWS said, what helps."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ResponseParserError as error:
        raise kind(f"{doing}: the answer is not AWS's", hint=_NOT_AWS_HINT) from error
    except ClientError as error:
        raise kind(f"{doing}: {said(error)}", hint=hint_for(code(error))) from error
    except BotoCoreError as error:
        reason = " ".join(str(error).split())
        raise kind(f"{doing}: {reason}", hint=_LOCAL_HINTS.get(type(error).__name__)) from error


def answer_or_none(ask: Callable[[], Answer], missing: Collection[str]) -> Answer | None:
    """What the service answers; None if it says with one of these codes that the thing asked for is not there."""
    from botocore.exceptions import ClientError

    try:
        return ask()
    except ClientError as error:
        if code(error) not in missing:
            raise
        return None


def code(error: "ClientError") -> str:
    """The service's error code, such as `NoSuchKey`; HEAD requests answer with the bare HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def said(error: "ClientError") -> str:
    """What the service said, on one line, with its code."""
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())
    return f"{message} ({code(error)})" if message else code(error)


def hint_for(error_code: str) -> str | None:
    """The command or setting that helps against an error code, None if there is no better advice than the message."""
    return _HINTS.get(_SAME_AS.get(error_code, error_code))


def bucket_owner(environ: Mapping[str, str]) -> str | None:
    """The account that must own the bucket (`MAG7_BUCKET_OWNER`), None if any may. Raises ConfigError."""
    owner = environ.get("MAG7_BUCKET_OWNER")
    if owner and not _ACCOUNT.fullmatch(owner):
        raise ConfigError(f"MAG7_BUCKET_OWNER={owner}: an AWS account id has twelve digits")
    return owner or None


def is_bucket_name(name: str) -> bool:
    """True if S3 allows the name. Source: Amazon S3 user guide, "General purpose bucket naming rules"."""
    return bool(_BUCKET.fullmatch(name)) and ".." not in name


def is_role_arn(text: str) -> bool:
    """True for the ARN of an IAM role, with nothing in it that could leave a quoted SQL literal."""
    return bool(_ROLE.fullmatch(text))
