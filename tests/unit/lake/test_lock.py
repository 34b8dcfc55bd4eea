"""The lease on a lake: who gets it, who is refused, and when a holder counts as dead."""

import os
import socket
import threading
import time
from pathlib import Path

import orjson
import pytest

from mag7cli.core.errors import KeyExistsError, LockedError
from mag7cli.lake.layout import LOCK, Lake
from mag7cli.lake.lock import Holder, holder_of, joined, locked, release, take
from mag7cli.lake.store import LocalStore

HERE = f"{socket.gethostname()}/{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
NOBODY = 4_194_299  # beyond the highest process number


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake.at(str(tmp_path / "lake"))


def leave_lease(lake: Lake, *, host: str = HERE, pid: int = NOBODY, born: str = "1", renewed: float = 0.0) -> None:
    """The lease of another run."""
    lease = {"host": host, "pid": pid, "born": born, "token": "theirs", "what": "mag7 run", "since": 1_700_000_000.0,
             "renewed": renewed}  # fmt: skip
    lake.store.write(LOCK, orjson.dumps(lease))


def born(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def test_a_lake_is_held_for_as_long_as_the_block_runs(lake):
    with locked(lake, "mag7 collect"):
        holder = holder_of(lake)
        assert isinstance(holder, Holder)
        assert (holder.what, holder.pid, holder.host) == ("mag7 collect", os.getpid(), HERE)

    assert holder_of(lake) is None
    assert not lake.store.exists(LOCK)


def test_a_lake_is_given_back_after_an_error(lake):
    with pytest.raises(ZeroDivisionError), locked(lake, "mag7 collect"):
        _ = 1 / 0

    assert not lake.store.exists(LOCK)


def test_the_second_is_told_who_was_first(lake):
    with (
        locked(lake, "mag7 transform"),
        pytest.raises(
            LockedError, match=rf"'mag7 transform' \(process {os.getpid()} on {socket.gethostname()}, since 20"
        ) as caught,
        locked(lake, "mag7 collect"),
    ):
        pass

    assert caught.value.exit_code == 7
    assert caught.value.hint


def test_a_dead_process_s_lease_is_taken_over_at_once(lake):
    leave_lease(lake, renewed=time.time())

    with locked(lake, "mag7 collect"):
        assert holder_of(lake).pid == os.getpid()


def test_a_later_process_with_the_same_number_is_not_the_holder(lake):
    leave_lease(lake, pid=os.getpid(), born="1", renewed=time.time())

    with locked(lake, "mag7 collect"):
        assert holder_of(lake).token != "theirs"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to tell when a process began")
def test_a_live_process_holds_the_lake_however_old_its_lease(lake):
    leave_lease(lake, pid=os.getppid(), born=born(os.getppid()), renewed=0.0)

    with pytest.raises(LockedError), locked(lake, "mag7 collect"):
        pass


@pytest.mark.parametrize(("age", "is_held"), [(0.0, True), (299.0, True), (301.0, False), (-299.0, True)])
def test_another_machine_s_lease_holds_for_five_minutes_after_it_was_renewed(lake, age, is_held):
    leave_lease(lake, host="elsewhere", renewed=1000.0)

    if is_held:
        with pytest.raises(LockedError, match="on elsewhere"), locked(lake, "mag7 collect", now=lambda: 1000.0 + age):
            pass
    else:
        with locked(lake, "mag7 collect", now=lambda: 1000.0 + age):
            assert holder_of(lake).host == HERE


def test_a_lease_from_a_clock_that_was_years_ahead_does_not_hold_for_years(lake):
    leave_lease(lake, host="elsewhere", renewed=time.time() + 10**8)

    with locked(lake, "mag7 collect"):
        pass


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[]", b'"x"', b"{}", b"\x00" * 100, b'{"host": 1}',
                orjson.dumps({"host": HERE, "pid": "x", "born": "", "token": "t", "what": "w", "since": "y",
                              "renewed": []})],
)  # fmt: skip
def test_a_lease_that_cannot_be_read_is_nobody_s(lake, content):
    lake.store.write(LOCK, content)

    with locked(lake, "mag7 collect"):
        assert holder_of(lake).pid == os.getpid()
    assert not lake.store.exists(LOCK)


def test_of_many_that_find_a_dead_run_s_lease_one_gets_it(lake):
    for _ in range(20):
        leave_lease(lake, renewed=time.time())
        got: list[int] = []
        refused: list[int] = []
        barrier, over = threading.Barrier(6), threading.Event()

        def contend(number: int, barrier=barrier, over=over, got=got, refused=refused) -> None:
            barrier.wait()
            try:
                with locked(lake, f"mag7 collect {number}"):
                    got.append(number)
                    over.wait(10)
            except LockedError:
                refused.append(number)
            if len(refused) == 5:
                over.set()

        threads = [threading.Thread(target=contend, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

        assert (len(got), len(refused)) == (1, 5)


def test_between_the_look_and_the_write_of_a_taker_no_other_one_writes(lake, monkeypatch):
    leave_lease(lake)
    write, seen = LocalStore.write, lake.store.info(LOCK).version
    outcomes: list[str] = []

    def slow_write(store: LocalStore, key: str, data: bytes, *, durable: bool = False) -> None:
        time.sleep(0.05)
        write(store, key, data, durable=durable)

    def take(name: bytes) -> None:
        try:
            lake.store.replace(LOCK, name, seen)
            outcomes.append("took")
        except KeyExistsError:
            outcomes.append("refused")

    monkeypatch.setattr(LocalStore, "write", slow_write)
    threads = [threading.Thread(target=take, args=(name,)) for name in (b"one", b"other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(outcomes) == ["refused", "took"]


def test_what_was_taken_over_meanwhile_is_not_given_back(lake):
    with locked(lake, "mag7 collect"):
        leave_lease(lake, host="elsewhere", renewed=time.time())

    assert holder_of(lake).host == "elsewhere"


def test_a_dead_run_s_temporary_files_go_with_its_lease(lake, tmp_path):
    leave_lease(lake)
    abandoned = tmp_path / "lake/raw/x/.mag7-tmp-4194299-1-market_data.json"
    ours = tmp_path / f"lake/raw/x/.mag7-tmp-{os.getpid()}-1-market_data.json"
    stranger_s = tmp_path / "lake/raw/x/.mag7-tmp-notes"
    abandoned.parent.mkdir(parents=True)
    for path in (abandoned, ours, stranger_s):
        path.write_bytes(b"half")

    with locked(lake, "mag7 collect"):
        assert not abandoned.exists()
        assert ours.exists()
        assert stranger_s.exists()


def test_the_same_host_name_after_another_boot_is_another_machine(lake: Lake) -> None:
    leave_lease(lake, host=f"{socket.gethostname()}/another-boot", renewed=time.time())

    with pytest.raises(LockedError), locked(lake, "mag7 collect"):
        pass


def test_two_environments_of_functions_are_two_machines(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/27/[$LATEST]one")
    leave_lease(lake, host=f"{HERE}/2026/11/27/[$LATEST]two", pid=1, renewed=time.time())

    with pytest.raises(LockedError), locked(lake, "mag7 collect"):
        pass


# An execution


def test_an_execution_holds_the_lake_between_its_processes(lake: Lake) -> None:
    take(lake, "history", "token-1")

    with pytest.raises(LockedError, match="an execution of functions"), locked(lake, "mag7 run"):
        pass
    with joined(lake, "token-1"):
        assert holder_of(lake).what == "history"
    assert release(lake, "token-1")
    with locked(lake, "mag7 run"):
        pass


def test_taking_the_lake_again_with_the_same_token_is_no_conflict(lake: Lake) -> None:
    take(lake, "history", "token-1", now=lambda: 1_000.0)
    take(lake, "history", "token-1", now=lambda: 2_000.0)

    assert holder_of(lake).renewed == 2_000.0


def test_another_execution_is_refused_until_the_lease_has_run_out(lake: Lake) -> None:
    take(lake, "history", "token-1", now=lambda: 1_000.0)

    with pytest.raises(LockedError):
        take(lake, "recovery", "token-2", now=lambda: 4_599.0)
    take(lake, "recovery", "token-2", now=lambda: 4_601.0)
    with pytest.raises(LockedError, match="not held by this execution"), joined(lake, "token-1"):
        pass


def test_letting_go_twice_or_of_somebody_elses_lake_does_nothing(lake: Lake) -> None:
    take(lake, "history", "token-1")

    assert not release(lake, "token-2")
    assert release(lake, "token-1")
    assert not release(lake, "token-1")
