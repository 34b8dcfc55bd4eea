"""Where the lake's bytes live: the `Store` protocol and its local side; zones and names are `lake`'s business.

The S3 side is `lake.s3.S3Store`; `lake.open` chooses.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mag7cli.core.errors import KeyExistsError, KeyNotFoundError, StoreError

_TEMPORARY = ".mag7-tmp-"
_FULL = "the disk is full: free some space and run again, nothing collected is lost"


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object: `version` changes whenever its bytes may have (size, inode and mtime locally, the ETag on S3)."""

    key: str
    size: int
    version: str


class Store(Protocol):
    """Bytes under keys. Keys are relative, `/`-separated, and never leave the store's root.

    Every method may raise StoreError; the messages name the object's address.
    """

    def read(self, key: str) -> bytes:
        """The object's bytes. Raises KeyNotFoundError."""
        ...

    def write(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """Create or replace the object, all or nothing; if `durable`, also in a power cut that comes right after."""
        ...

    def create(self, key: str, data: bytes) -> None:
        """Create the object, all or nothing. Raises KeyExistsError if the key is taken, whoever took it."""
        ...

    def replace(self, key: str, data: bytes, version: str) -> None:
        """Replace the object if its version is still `version`. Raises KeyExistsError if it is another now."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens if there is none."""
        ...

    def exists(self, key: str) -> bool:
        """True if there is an object under this key."""
        ...

    def info(self, key: str) -> ObjectInfo:
        """The object's size and version. Raises KeyNotFoundError."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object whose key starts with `prefix`, in order of key."""
        ...

    def sweep(self, *, deep: bool) -> None:
        """Remove what writers that died have left behind: from the top folder, or if `deep` from everywhere."""
        ...

    def uri(self, key: str) -> str:
        """The address of the object as a person or an engine would write it."""
        ...

    @property
    def local_root(self) -> Path | None:
        """The folder behind the store, None where there is none."""
        ...


def check_key(key: str) -> str:
    """The key itself, if it cannot lead out of the store. Raises StoreError."""
    # A part that is empty or begins with a dot is rare, and thousands of keys are looked at.
    if ("//" in f"/{key}/" or "/." in f"/{key}") and any(part in ("", ".", "..") for part in key.split("/")):
        raise StoreError(f"unsafe object key {key!r}")
    if "\\" in key or "\0" in key:
        raise StoreError(f"unsafe object key {key!r}")
    return key


class LocalStore:
    """A folder on this machine. Writes go to a temporary file beside the target and are renamed into place."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made_in = ""
        self._root_text = str(root)

    @property
    def local_root(self) -> Path | None:
        """The folder itself."""
        return self._root

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    # A transform writes thousands of small files, and pathlib takes as long over each as the kernel does.
    def _path_text(self, key: str) -> str:
        return f"{self._root_text}/{check_key(key)}"

    def uri(self, key: str) -> str:
        """The file's path."""
        return str(self._root / key)

    def read(self, key: str) -> bytes:
        """The file's bytes."""
        try:
            with open(self._path_text(key), "rb", buffering=0) as file:  # noqa: PTH123
                return file.readall()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise KeyNotFoundError(self.uri(key)) from error
        except OSError as error:
            raise _store_error(self.uri(key), "cannot be read", error) from error

    def write(self, key: str, data: bytes, *, durable: bool = False) -> None:
        """Write beside the target, then rename: a reader sees the old bytes or the new, never a part."""
        path = self._path_text(key)
        temporary = self._write_temporary(path, data)
        try:
            if durable:
                _flush(temporary)  # a rename may reach the disk before the bytes do
            os.replace(temporary, path)  # noqa: PTH105
        except OSError as error:
            _forget(temporary)
            raise _store_error(path, "cannot be written", error) from error
        except BaseException:  # an interrupt, which may come at any moment
            _forget(temporary)
            raise

    def create(self, key: str, data: bytes) -> None:
        """Write beside the target, then hard-link: the kernel refuses if the name is taken."""
        path = self._path_text(key)
        temporary = self._write_temporary(path, data)
        try:
            os.link(temporary, path)
        except FileExistsError as error:
            raise KeyExistsError(path) from error
        except OSError as error:
            raise _store_error(path, "cannot be written", error) from error
        finally:
            _forget(temporary)

    def replace(self, key: str, data: bytes, version: str) -> None:
        """Compare, then rename, alone in the folder among those who replace."""
        path = self._path_text(key)
        with _alone_in(path.rpartition("/")[0]):
            if self.info(key).version != version:
                raise KeyExistsError(path)
            self.write(key, data)

    def _write_temporary(self, path: str, data: bytes) -> str:
        folder, _, name = path.rpartition("/")
        temporary = f"{folder}/{_TEMPORARY}{os.getpid()}-{threading.get_native_id()}-{name}"
        try:
            self._write_in_folder(folder, temporary, data)
        except OSError as error:
            _forget(temporary)
            raise _store_error(path, "cannot be written", error) from error
        except BaseException:
            _forget(temporary)
            raise
        return temporary

    def _write_in_folder(self, folder: str, path: str, data: bytes) -> None:
        """Write a file in a folder, which is made if need be: first, where the last one that was made is beside it."""
        parent = folder.rpartition("/")[0]
        if parent == self._made_in:
            with suppress(FileExistsError, FileNotFoundError):
                os.mkdir(folder)  # noqa: PTH102
        try:
            self._write_file(path, data)
        except FileNotFoundError:
            _make_folder(folder)
            self._made_in = parent
            self._write_file(path, data)

    @staticmethod
    def _write_file(path: str, data: bytes) -> None:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file, view) :]
        finally:
            os.close(file)

    def delete(self, key: str) -> None:
        """Remove the file."""
        try:
            self._path(key).unlink(missing_ok=True)
        except NotADirectoryError:
            return
        except OSError as error:
            raise _store_error(self.uri(key), "cannot be deleted", error) from error

    def exists(self, key: str) -> bool:
        """True if the file is there."""
        return os.path.isfile(self._path_text(key))  # noqa: PTH113

    def info(self, key: str) -> ObjectInfo:
        """Size and modification time of the file."""
        try:
            return _info(key, os.stat(self._path_text(key)))  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError) as error:
            raise KeyNotFoundError(self.uri(key)) from error
        except OSError as error:
            raise _store_error(self.uri(key), "cannot be read", error) from error

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The files below the prefix; temporary files of a run that died are not listed."""
        folder, _, _ = prefix.rpartition("/")
        start = str(self._root / folder)
        try:
            yield from sorted(
                (info for info in _walk(start, folder) if info.key.startswith(prefix)), key=lambda info: info.key
            )
        except OSError as error:
            raise _store_error(start, "cannot be listed", error) from error

    def sweep(self, *, deep: bool) -> None:
        """Remove temporary files whose process is gone; one of another machine that looks gone here is written anew."""
        try:
            for name in _names(str(self._root), deep=deep):
                if _is_abandoned(name.rpartition("/")[2]):
                    _forget(name)
        except OSError as error:
            raise _store_error(str(self._root), "cannot be listed", error) from error


def _forget(path: str) -> None:
    with suppress(OSError):
        Path(path).unlink()


def _flush(path: str) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _alone_in(folder: str) -> Iterator[None]:
    """Hold the folder against others who do the same; the kernel lets go for a process that dies.

    Where the file system has no such locks, two who replace within the same microseconds may both succeed.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield  # there is nothing to replace, or no leave to: the caller finds out
        return
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _names(folder: str, *, deep: bool) -> Iterator[str]:
    """The paths of the files in a folder, or below it."""
    for where, folders, files in os.walk(folder):
        yield from (f"{where}/{name}" for name in files)
        if not deep:
            folders.clear()


def _is_abandoned(name: str) -> bool:
    """True for the name of a temporary file whose process is gone."""
    process = name.removeprefix(_TEMPORARY).partition("-")[0]
    if not name.startswith(_TEMPORARY) or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def _make_folder(folder: str) -> None:
    try:
        os.mkdir(folder)  # noqa: PTH102 -- a partition's, in a table's that is there
    except OSError:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103


def _walk(folder: str, prefix: str) -> Iterator[ObjectInfo]:
    try:
        entries = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    with entries:
        for entry in entries:
            key = f"{prefix}/{entry.name}" if prefix else entry.name
            if entry.is_dir():
                yield from _walk(entry.path, key)
            elif not entry.name.startswith(_TEMPORARY):
                yield _info(key, entry.stat())


def _info(key: str, stat: os.stat_result) -> ObjectInfo:
    # Every write makes a new inode; the clock behind mtime ticks every few milliseconds only.
    return ObjectInfo(key, stat.st_size, f"{stat.st_size}-{stat.st_ino}-{stat.st_mtime_ns}")


def _store_error(where: str, what: str, error: OSError) -> StoreError:
    hint = {
        errno.ENOSPC: _FULL,
        errno.EDQUOT: _FULL,
        errno.EFBIG: _FULL,
        errno.EACCES: "check the folder's owner and permissions",
        errno.EROFS: "the file system is read-only: choose another --lake",
    }.get(error.errno or 0)
    return StoreError(f"{where} {what}: {error.strerror or error}", hint=hint)
