"""The S3 side of `store.Store`: one PUT per object, conditional where a lock needs it.

Retries, credentials and endpoints are `aws`'s and boto3's business; zones and names are `lake`'s.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mag7cli.core.errors import ConfigError, KeyExistsError, KeyNotFoundError, StoreError, UsageError
from mag7cli.lake import aws
from mag7cli.lake.store import ObjectInfo, check_key

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})
# 409: another conditional write of the same key is under way at this very moment.
_TAKEN: Final = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_CONNECTIONS: Final = 32
_READ_ATTEMPTS: Final = 4


class S3Store:
    """A bucket, or a prefix of one. Safe to share between threads; pickles as its address."""

    def __init__(self, bucket: str, prefix: str, environ: Mapping[str, str] = os.environ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        owner = aws.bucket_owner(environ)
        self._owner = {"ExpectedBucketOwner": owner} if owner else {}
        self._encryption = encryption(environ)
        self._client: Any = aws.client("s3", connections=_CONNECTIONS)

    @classmethod
    def at(cls, address: str) -> "S3Store":
        """The store at `s3://bucket[/prefix]`; nothing is sent. Raises UsageError, ConfigError."""
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        prefix = prefix.strip("/")
        if not address.startswith("s3://") or not aws.is_bucket_name(bucket):
            raise UsageError(
                f"--lake {address}: not an S3 address", hint="it looks like s3://my-bucket/optional/prefix"
            )
        if prefix:
            check_key(prefix)
        return cls(bucket, prefix)

    def __reduce__(self) -> tuple[Any, ...]:
        return S3Store.at, (f"s3://{self._bucket}/{self._prefix}",)

    @property
    def local_root(self) -> Path | None:
        """There is no folder."""
        return None

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    @property
    def prefix(self) -> str:
        """What every key starts with in the bucket, without a slash at its end; empty if it is the whole bucket."""
        return self._prefix.rstrip("/")

    def uri(self, key: str) -> str:
        """`s3://bucket/prefix/key`."""
        return f"s3://{self._bucket}/{self._prefix}{key}"

    def _address(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + check_key(key), **self._owner}

    def read(self, key: str) -> bytes:
        """The object's bytes. A body cut short is asked for again: boto3 retries only what precedes the body."""
        from botocore.exceptions import HTTPClientError, IncompleteReadError, ResponseStreamingError

        with self._errors(key):
            for attempt in range(1, _READ_ATTEMPTS + 1):
                body = self._client.get_object(**self._address(key))["Body"]
                try:
                    data: bytes = body.read()
                except (HTTPClientError, IncompleteReadError, ResponseStreamingError):
                    if attempt == _READ_ATTEMPTS:
                        raise
                else:
                    return data
        raise AssertionError("unreachable: the last attempt returns or raises")

    def write(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """One PUT: a reader sees the old object or the new one. What S3 has accepted is durable."""
        with self._errors(key):
            self._put(key, data)

    def create(self, key: str, data: bytes) -> None:
        """One PUT that S3 refuses if the key is taken."""
        self._put_if(key, data, IfNoneMatch="*")

    def replace(self, key: str, data: bytes, version: str) -> None:
        """One PUT that S3 refuses if the ETag is not `version` any more."""
        self._put_if(key, data, IfMatch=version)

    def _put_if(self, key: str, data: bytes, **condition: str) -> None:
        from botocore.exceptions import ClientError

        with self._errors(key):
            try:
                self._put(key, data, **condition)
            except ClientError as error:
                if aws.code(error) not in _TAKEN:
                    raise
                if not (_was_retried(error) and self._holds(key, data)):
                    raise KeyExistsError(self.uri(key)) from error

    def _put(self, key: str, data: bytes, **condition: str) -> None:
        self._client.put_object(**self._address(key), Body=data, **self._encryption, **condition)

    def _holds(self, key: str, data: bytes) -> bool:
        # An answer lost on its way makes boto3 send the PUT again, and the object that now stands in the way is ours.
        try:
            return self.read(key) == data
        except KeyNotFoundError:
            return False

    def delete(self, key: str) -> None:
        """Remove the object; S3 does not mind if there is none."""
        with self._errors(key):
            self._client.delete_object(**self._address(key))

    def sweep(self, *, deep: bool) -> None:
        """A PUT that was cut off leaves nothing."""

    def exists(self, key: str) -> bool:
        """True if there is an object under this key."""
        try:
            self.info(key)
        except KeyNotFoundError:
            return False
        return True

    def info(self, key: str) -> ObjectInfo:
        """Size and ETag of the object."""
        with self._errors(key):
            head = self._client.head_object(**self._address(key))
        return ObjectInfo(key, head["ContentLength"], head["ETag"])

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects below the prefix, page by page; S3 lists in order of the keys' UTF-8 bytes."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + prefix, **self._owner
        )
        with self._errors(prefix):
            for page in pages:
                for entry in page.get("Contents", ()):
                    key = entry["Key"].removeprefix(self._prefix)
                    # Consoles make folders visible by an empty object whose key ends in a slash.
                    if not key.endswith("/"):
                        yield ObjectInfo(key, entry["Size"], entry["ETag"])

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        from botocore.exceptions import ClientError

        with aws.errors_as(StoreError, self.uri(key)):
            try:
                yield
            except ClientError as error:
                if aws.code(error) in _MISSING:
                    raise KeyNotFoundError(self.uri(key)) from error
                raise


def _was_retried(error: "ClientError") -> bool:
    return bool(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def encryption(environ: Mapping[str, str]) -> dict[str, str]:
    """The PUT arguments that `MAG7_S3_SSE` (AES256 or aws:kms) and `MAG7_S3_KMS_KEY` ask for; none: the bucket decides.

    Raises ConfigError.
    """
    kind, key = environ.get("MAG7_S3_SSE", ""), environ.get("MAG7_S3_KMS_KEY", "")
    if key and kind in ("", "aws:kms"):
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    if key or kind not in ("", "AES256", "aws:kms"):
        raise ConfigError(
            f"MAG7_S3_SSE={kind} cannot be used" + (" with MAG7_S3_KMS_KEY" if key else ""),
            hint="MAG7_S3_SSE is AES256 or aws:kms; MAG7_S3_KMS_KEY goes with aws:kms",
        )
    return {"ServerSideEncryption": kind} if kind else {}
