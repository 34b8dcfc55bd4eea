"""Which store is behind a lake's address; the S3 side is imported only when an address asks for it."""

from pathlib import Path

from mag7cli.core.errors import UsageError
from mag7cli.lake.store import LocalStore, Store


def open_store(address: str) -> Store:
    """The store behind a lake's address: a folder, or `s3://bucket[/prefix]`. Raises UsageError."""
    if address.startswith("s3://"):
        from mag7cli.lake.s3 import S3Store

        return S3Store.at(address)
    if not address.strip():
        raise UsageError("--lake is empty", hint="name a folder or s3://bucket[/prefix], or leave the option away")
    if "://" in address:
        raise UsageError(f"--lake {address}: only a folder or s3://bucket[/prefix] can hold a lake")
    return LocalStore(Path(address).expanduser())
