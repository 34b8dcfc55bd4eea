"""One suite over both sides of the Store seam, then what only one of them can get wrong."""

import os
import pickle
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.simulators.cloud import Cloud
from tests.simulators.proxy import Fault, Proxy, proxy_to

from mag7cli.core.errors import ConfigError, KeyExistsError, KeyNotFoundError, Mag7Error, StoreError, UsageError
from mag7cli.lake.open import open_store
from mag7cli.lake.s3 import S3Store
from mag7cli.lake.store import LocalStore, Store


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return LocalStore(tmp_path / "lake")
    cloud: Cloud = request.getfixturevalue("cloud")
    return cloud.store()


def keys(store: Store, prefix: str = "") -> list[str]:
    return [found.key for found in store.list(prefix)]


# Reading and writing


def test_what_was_written_is_read_back(store: Store) -> None:
    store.write("raw/a/b.json", b"\x00\xffdata")

    assert store.read("raw/a/b.json") == b"\x00\xffdata"


def test_an_empty_object_is_an_object(store: Store) -> None:
    store.write("raw/empty", b"")

    assert store.read("raw/empty") == b""
    assert store.info("raw/empty").size == 0


def test_writing_again_replaces(store: Store) -> None:
    store.write("k", b"old and longer")
    store.write("k", b"new")

    assert store.read("k") == b"new"
    assert keys(store) == ["k"]


def test_reading_what_is_not_there_names_its_address(store: Store) -> None:
    with pytest.raises(KeyNotFoundError) as caught:
        store.read("raw/none.json")

    assert store.uri("raw/none.json") in str(caught.value)


def test_a_folder_is_not_an_object(store: Store) -> None:
    store.write("raw/a/b", b"x")

    with pytest.raises(KeyNotFoundError):
        store.read("raw/a")
    assert not store.exists("raw/a")


def test_info_of_what_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(KeyNotFoundError):
        store.info("none")


def test_deleting_removes_and_deleting_again_does_nothing(store: Store) -> None:
    store.write("a/b", b"x")

    store.delete("a/b")
    store.delete("a/b")

    assert not store.exists("a/b")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../../up", "a//b", "./a", "a/.", "a\\b", "nul\0", "a/"])
def test_no_key_leads_out_of_the_store(store: Store, key: str) -> None:
    for attempt in (
        lambda: store.read(key),
        lambda: store.write(key, b"x"),
        lambda: store.create(key, b"x"),
        lambda: store.delete(key),
        lambda: store.exists(key),
        lambda: store.info(key),
    ):
        with pytest.raises(StoreError, match="unsafe"):
            attempt()


# Versions and conditional writes


def test_the_version_changes_with_the_bytes_and_only_then(store: Store) -> None:
    store.write("k", b"one")
    first = store.info("k")

    assert store.info("k").version == first.version
    store.write("k", b"two")
    assert store.info("k").version != first.version


def test_a_listing_and_info_tell_the_same(store: Store) -> None:
    store.write("a/b", b"12345")

    assert list(store.list("a/")) == [store.info("a/b")]


def test_create_refuses_a_key_that_is_taken(store: Store) -> None:
    store.create("lock", b"mine")

    with pytest.raises(KeyExistsError):
        store.create("lock", b"yours")
    assert store.read("lock") == b"mine"


def test_of_many_that_create_at_once_exactly_one_succeeds(store: Store) -> None:
    won: list[int] = []
    start = threading.Barrier(8)

    def contend(number: int) -> None:
        start.wait()
        try:
            store.create("lock", str(number).encode())
        except KeyExistsError:
            return
        won.append(number)

    _run_in_threads(contend, 8)

    assert [str(number).encode() for number in won] == [store.read("lock")]


def test_replace_takes_the_version_that_was_seen(store: Store) -> None:
    store.write("lock", b"one")

    store.replace("lock", b"two", store.info("lock").version)

    assert store.read("lock") == b"two"


def test_replace_refuses_what_has_changed_since(store: Store) -> None:
    store.write("lock", b"one")
    seen = store.info("lock").version
    store.write("lock", b"another's")

    with pytest.raises(KeyExistsError):
        store.replace("lock", b"two", seen)
    assert store.read("lock") == b"another's"


def test_replace_of_what_is_gone_is_refused(store: Store) -> None:
    store.write("lock", b"one")
    seen = store.info("lock").version
    store.delete("lock")

    with pytest.raises(StoreError):
        store.replace("lock", b"two", seen)
    assert not store.exists("lock")


def test_a_reader_never_sees_a_part_of_a_write(store: Store) -> None:
    old, new = b"o" * 300_000, b"n" * 200_000
    store.write("k", old)
    seen: set[bytes] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(store.read("k"))

    reader = threading.Thread(target=read)
    reader.start()
    for value in (new, old) * 10:
        store.write("k", value)
    done.set()
    reader.join()

    assert seen <= {old, new}


def test_writers_of_one_key_leave_one_of_their_values_whole(store: Store) -> None:
    def write(number: int) -> None:
        for _ in range(5):
            store.write("a/k", bytes([number]) * 100_000)

    _run_in_threads(write, 4)

    data = store.read("a/k")
    assert data == data[:1] * 100_000
    assert keys(store) == ["a/k"]


# Listing


def test_a_listing_is_in_order_of_key_and_reaches_below_folders(store: Store) -> None:
    for key in ("b/2", "a/z", "a/b/c", "a-", "a.json", "é/x", "b/10"):
        store.write(key, b"x")

    assert keys(store) == sorted(["b/2", "a/z", "a/b/c", "a-", "a.json", "é/x", "b/10"])


def test_a_prefix_may_end_inside_a_name(store: Store) -> None:
    for key in ("raw/trading_date=2024-01-02/d", "raw/trading_date=2023-12-29/d", "raw/other"):
        store.write(key, b"x")

    assert keys(store, "raw/trading_date=2024") == ["raw/trading_date=2024-01-02/d"]
    assert keys(store, "nothing/here") == []


def test_a_store_that_was_never_written_lists_nothing(store: Store) -> None:
    assert keys(store) == []


def test_objects_deleted_during_a_listing_do_no_harm(store: Store) -> None:
    for number in range(5):
        store.write(f"k/{number}", b"x")

    for found in store.list("k/"):
        store.delete(found.key)

    assert keys(store) == []


def test_a_store_can_be_sent_to_another_process(store: Store) -> None:
    store.write("k", b"x")

    copy: Store = pickle.loads(pickle.dumps(store))

    assert copy.uri("k") == store.uri("k")
    assert copy.read("k") == b"x"


# Only local


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "lake")


def test_open_store_takes_a_folder_or_s3(tmp_path: Path, cloud: Cloud) -> None:
    assert open_store(str(tmp_path)).local_root == tmp_path
    assert open_store(cloud.lake).local_root is None
    with pytest.raises(UsageError, match="gs://bucket"):
        open_store("gs://bucket")


def test_temporary_files_of_a_dead_run_are_not_listed(local: LocalStore, tmp_path: Path) -> None:
    local.write("raw/a", b"x")
    (tmp_path / "lake/raw/.mag7-tmp-999-a").write_bytes(b"half")

    assert keys(local) == ["raw/a"]


def test_a_failed_write_leaves_the_old_bytes_and_no_temporary_file(local: LocalStore, tmp_path: Path) -> None:
    local.write("a/k", b"old")
    (tmp_path / "lake/a/folder/inside").mkdir(parents=True)

    with pytest.raises(StoreError):
        local.write("a/folder", b"new")

    assert local.read("a/k") == b"old"
    assert sorted(entry.name for entry in (tmp_path / "lake/a").iterdir()) == ["folder", "k"]


def test_a_folder_that_vanished_is_made_again(local: LocalStore, tmp_path: Path) -> None:
    local.write("a/b/c", b"x")
    (tmp_path / "lake/a/b/c").unlink()
    (tmp_path / "lake/a/b").rmdir()

    local.write("a/b/c", b"y")

    assert local.read("a/b/c") == b"y"


def test_folders_beside_each_other_are_made_whatever_became_of_those_before(local: LocalStore, tmp_path: Path) -> None:
    for name in ("1", "2", "2", "3"):
        local.write(f"zone/{name}/file", name.encode())
    shutil.rmtree(tmp_path / "lake" / "zone")
    local.write("zone/4/file", b"4")
    (tmp_path / "lake" / "zone" / "5").write_bytes(b"a file where a folder should be")

    with pytest.raises(StoreError):
        local.write("zone/5/file", b"5")

    assert [info.key for info in local.list("zone/")] == ["zone/4/file", "zone/5"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_says_what_to_check(local: LocalStore, tmp_path: Path) -> None:
    local.write("a/k", b"x")
    (tmp_path / "lake/a").chmod(0o500)
    try:
        with pytest.raises(StoreError) as caught:
            local.write("a/other", b"x")
    finally:
        (tmp_path / "lake/a").chmod(0o700)

    assert "permission" in (caught.value.hint or "").lower()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_says_so_and_keeps_what_is_there(local: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    local.write("k", b"old")

    def write_to_a_full_disk(path: Path, data: bytes) -> None:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(data)

    monkeypatch.setattr(LocalStore, "_write_file", staticmethod(write_to_a_full_disk))
    with pytest.raises(StoreError) as caught:
        local.write("k", b"new")

    assert "disk is full" in (caught.value.hint or "")
    assert local.read("k") == b"old"


def test_a_file_where_a_folder_should_be_is_an_error(local: LocalStore) -> None:
    local.write("a", b"x")

    with pytest.raises(StoreError):
        local.write("a/b", b"y")
    with pytest.raises(KeyNotFoundError):
        local.read("a/b")
    local.delete("a/b")


# Only S3


def test_the_prefix_keeps_two_lakes_of_one_bucket_apart(cloud: Cloud) -> None:
    one, other = S3Store.at(f"s3://{cloud.bucket}/one/"), S3Store.at(f"s3://{cloud.bucket}/other")
    one.write("k", b"1")
    other.write("k", b"2")

    assert (one.read("k"), other.read("k")) == (b"1", b"2")
    assert keys(one) == ["k"]
    assert cloud.keys() == ["one/k", "other/k"]


def test_a_listing_longer_than_a_page_is_complete(cloud: Cloud) -> None:
    cloud.put_quickly({f"lake/k/{number:05d}": b"" for number in range(1_003)})

    found = keys(cloud.store(), "k/")

    assert len(found) == 1_003
    assert found == sorted(found)


def test_the_folders_of_the_console_are_not_listed(cloud: Cloud) -> None:
    cloud.s3.put_object(Bucket=cloud.bucket, Key="lake/raw/", Body=b"")
    cloud.store().write("raw/a", b"x")

    assert keys(cloud.store()) == ["raw/a"]


@pytest.mark.parametrize(
    "address", ["s3://", "s3://A", "s3://a..b/x", "s3://ab", "s3://under_score/lake", "s3:///lake"]
)
def test_an_address_that_is_none_is_a_usage_error(address: str) -> None:
    with pytest.raises(UsageError, match="not an S3 address"):
        S3Store.at(address)


def test_a_prefix_cannot_climb(cloud: Cloud) -> None:
    with pytest.raises(StoreError):
        S3Store.at(f"s3://{cloud.bucket}/a/../b")


def test_a_missing_bucket_is_one_line_and_the_command_that_helps(cloud: Cloud) -> None:
    store = S3Store.at("s3://no-such-bucket-anywhere/lake")

    for attempt in (lambda: store.write("k", b"x"), lambda: store.read("k"), lambda: keys(store)):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert_one_clear_line(caught.value, "NoSuchBucket", "doctor --aws")


def test_no_credentials_are_one_line_and_the_command_that_helps(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(StoreError) as caught:
        cloud.store().read("k")

    assert_one_clear_line(caught.value, "credentials", "aws configure")


def test_an_unknown_profile_is_a_configuration_error(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    with pytest.raises(ConfigError) as caught:
        cloud.store()

    assert_one_clear_line(caught.value, "nobody", "AWS_PROFILE")


def test_nobody_listening_is_one_line(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(StoreError) as caught:
        cloud.store().read("k")

    assert_one_clear_line(caught.value, "127.0.0.1:9", "AWS_ENDPOINT_URL")


def test_the_bucket_owner_is_checked_on_request(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAG7_BUCKET_OWNER", "123456789012")
    store = cloud.store()
    store.write("k", b"x")
    assert store.read("k") == b"x"

    monkeypatch.setenv("MAG7_BUCKET_OWNER", "12345")
    with pytest.raises(ConfigError, match="twelve digits"):
        cloud.store()


def test_every_request_names_the_bucket_owner(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    # Looked for in the requests: moto does not look at it, and answers whatever it says.
    monkeypatch.setenv("MAG7_BUCKET_OWNER", "123456789012")
    store, owners = cloud.store(), []
    store._client.meta.events.register(
        "before-send.s3", lambda request, **_: owners.append(request.headers.get("x-amz-expected-bucket-owner"))
    )

    store.write("k", b"x")
    store.create("new", b"x")
    store.replace("k", b"y", store.info("k").version)
    assert (store.read("k"), store.exists("k"), len(list(store.list("")))) == (b"y", True, 2)
    store.delete("k")

    assert owners == [b"123456789012"] * 8


def test_encryption_is_asked_for_with_each_object(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAG7_S3_KMS_KEY", "alias/mag7")
    cloud.store().create("k", b"x")

    head = cloud.s3.head_object(Bucket=cloud.bucket, Key="lake/k")

    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/mag7")


@pytest.mark.parametrize(("kind", "key"), [("rot13", ""), ("AES256", "alias/mag7")])
def test_an_encryption_that_cannot_be_is_a_configuration_error(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, kind: str, key: str
) -> None:
    monkeypatch.setenv("MAG7_S3_SSE", kind)
    monkeypatch.setenv("MAG7_S3_KMS_KEY", key)

    with pytest.raises(ConfigError, match=kind):
        cloud.store()


# Only S3, behind a network that misbehaves


@pytest.fixture
def proxy(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with proxy_to(cloud.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


def test_a_create_whose_answer_was_lost_is_ours_all_the_same(cloud: Cloud, proxy: Proxy) -> None:
    proxy.faults.append(Fault("PUT", "lose_answer"))

    cloud.store().create("lock", b"mine")

    assert cloud.store().read("lock") == b"mine"
    assert len([request for request in proxy.requests if request.startswith("PUT")]) == 2


def test_a_create_that_was_sent_twice_still_sees_another_owner(cloud: Cloud, proxy: Proxy) -> None:
    store = cloud.store()
    store.create("lock", b"yours")
    proxy.faults.append(Fault("PUT", "lose_answer"))

    with pytest.raises(KeyExistsError):
        store.create("lock", b"mine")


def test_a_replace_whose_answer_was_lost_is_ours_all_the_same(cloud: Cloud, proxy: Proxy) -> None:
    store = cloud.store()
    store.write("lock", b"one")
    seen = store.info("lock").version
    proxy.faults.append(Fault("PUT", "lose_answer"))

    store.replace("lock", b"two", seen)

    assert store.read("lock") == b"two"


def test_a_body_cut_short_is_asked_for_again(cloud: Cloud, proxy: Proxy) -> None:
    store = cloud.store()
    store.write("k", b"x" * 10_000)
    proxy.faults.extend([Fault("GET", "cut_body"), Fault("GET", "cut_body")])

    assert store.read("k") == b"x" * 10_000


def test_a_body_that_is_always_cut_short_is_an_error_in_one_line(cloud: Cloud, proxy: Proxy) -> None:
    store = cloud.store()
    store.write("k", b"x" * 10_000)
    proxy.faults.extend([Fault("GET", "cut_body")] * 4)

    with pytest.raises(StoreError) as caught:
        store.read("k")

    assert_one_clear_line(caught.value, "lake/k", "")


def test_a_service_that_is_busy_is_asked_again(cloud: Cloud, proxy: Proxy) -> None:
    proxy.faults.extend([Fault("PUT", "refuse", "SlowDown", 503), Fault("PUT", "refuse", "InternalError", 500)])

    cloud.store().write("k", b"x")

    assert cloud.keys() == ["lake/k"]


@pytest.mark.parametrize(
    ("code", "status", "help_with"),
    [
        ("AccessDenied", 403, "doctor --aws"),
        ("ExpiredToken", 400, "aws sso login"),
        ("InvalidAccessKeyId", 403, "AWS_PROFILE"),
        ("SignatureDoesNotMatch", 403, "aws configure"),
        ("RequestTimeTooSkewed", 403, "clock"),
        ("AuthorizationHeaderMalformed", 400, "AWS_DEFAULT_REGION"),
    ],
)
def test_a_refusal_is_one_line_and_what_helps(
    cloud: Cloud, proxy: Proxy, code: str, status: int, help_with: str
) -> None:
    store = cloud.store()
    # A wrong region makes boto3 ask for the bucket's own before it gives up.
    proxy.faults.extend([Fault("GET", "refuse", code, status)] * 3)

    with pytest.raises(StoreError) as caught:
        store.read("k")

    assert not isinstance(caught.value, KeyNotFoundError)
    assert_one_clear_line(caught.value, code, help_with)


def assert_one_clear_line(error: Mag7Error, what: str, help_with: str) -> None:
    assert what in str(error)
    assert "\n" not in str(error)
    assert help_with in (error.hint or "")


def _run_in_threads(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
