"""What only a file shared by processes can promise: no fact is lost, one decider wins, damage is found, death is survived."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from towpath.errors import Broken, TowpathError, Unavailable, UsageError
from towpath.ledger import verify
from towpath.ledger.sqlite import NETWORK_FILE_SYSTEMS, SqliteLedger, file_system
from towpath.testing.ledgers import fact, numbers

WRITE = """
import sys
from pathlib import Path
from towpath.ledger.sqlite import SqliteLedger
from towpath.testing.ledgers import fact
path, writer, count, expected = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
sys.stdin.readline()  # all begin together
for number in range(count):
    SqliteLedger(path).append([fact(1000 * writer + number)], expected=int(expected) if expected else None)
    print(number, flush=True)
"""


def writer(path, number, count, expected=""):
    command = [sys.executable, "-c", WRITE, str(path), str(number), str(count), str(expected)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "ledger.sqlite"


@pytest.fixture
def ledger(path):
    return SqliteLedger(path)


def test_twenty_processes_that_append_at_once_lose_nothing(path):
    writers = [writer(path, number, 5) for number in range(20)]
    ended = [process.communicate("go\n") for process in writers]
    assert [process.returncode for process in writers] == [0] * 20, [err for _, err in ended if err]
    found = numbers(SqliteLedger(path))
    assert sorted(found) == sorted(1000 * number + k for number in range(20) for k in range(5))
    for number in range(20):
        assert [n % 1000 for n in found if n // 1000 == number] == [0, 1, 2, 3, 4]
    assert verify(SqliteLedger(path).read()).faults == ()


def test_of_controllers_in_processes_exactly_one_wins(path):
    SqliteLedger(path).append([fact(1)])
    controllers = [writer(path, number, 1, expected=1) for number in (2, 3, 4)]
    errors = [process.communicate("go\n")[1] for process in controllers]
    assert sorted(process.returncode for process in controllers) == [0, 1, 1]
    assert sum("Conflict" in error for error in errors) == 2
    assert len(numbers(SqliteLedger(path))) == 2


@pytest.mark.parametrize("after_s", [0.0, 0.013, 0.041])
def test_kill_9_in_the_middle_of_appends_leaves_a_ledger_that_verifies(path, after_s):
    with writer(path, 0, 100_000) as process:
        process.stdin.write("go\n")
        process.stdin.flush()
        process.stdout.readline()
        time.sleep(after_s)
        os.kill(process.pid, signal.SIGKILL)
        acknowledged = 1 + len(process.stdout.readlines())  # `communicate` would pass over what `readline` read ahead
    ledger = SqliteLedger(path)
    found = numbers(ledger)
    assert found == list(range(len(found)))
    assert len(found) in (acknowledged, acknowledged + 1)  # the last may be written and not yet told
    assert verify(ledger.read()).faults == ()
    ledger.append([fact(500)])  # and nobody deleted a lock
    assert verify(ledger.read()).faults == ()


def change(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


DROP_3 = "DELETE FROM ledger WHERE position = 3"
CLOSE_GAP = "UPDATE ledger SET position = position - 1 WHERE position > 3"
SWAP = [
    "UPDATE ledger SET position = 99 WHERE position = 2",
    "UPDATE ledger SET position = 2 WHERE position = 3",
    "UPDATE ledger SET position = 3 WHERE position = 99",
]
TAMPERED = {
    "a changed body": (["UPDATE ledger SET body = CAST(replace(body, 'a test', 'a lie') AS BLOB) WHERE position = 2"], 2, "changed"),
    "a changed hash": (["UPDATE ledger SET hash = replace(hash, substr(hash, 1, 4), 'beef') WHERE position = 2"], 2, "changed"),
    "a dropped record": ([DROP_3], 4, "record 3 dropped"),
    "two dropped records": ([DROP_3, "DELETE FROM ledger WHERE position = 4"], 5, "records 3 to 4 dropped"),
    "a dropped record, gap closed": ([DROP_3, CLOSE_GAP], 3, "changed, replaced or reordered"),
    "two records in each other's place": (SWAP, 2, "reordered"),
    "the first record dropped": (["DELETE FROM ledger WHERE position = 1"], 2, "record 1 dropped"),
}


@pytest.mark.parametrize(("statements", "position", "words"), TAMPERED.values(), ids=TAMPERED.keys())
def test_verify_names_what_was_done(ledger, path, statements, position, words):
    ledger.append([fact(n) for n in range(1, 7)])
    change(path, *statements)
    faults = verify(ledger.read()).faults
    assert any(fault.position == position and words in fault.what for fault in faults), faults


def test_a_cut_off_end_is_found_by_an_anchor(ledger, path):
    anchors = [ledger.append([fact(n)]) for n in range(1, 6)]
    change(path, "DELETE FROM ledger WHERE position > 3")
    assert verify(ledger.read()).faults == ()  # the chain alone cannot know
    (first, second) = verify(ledger.read(), anchors).faults
    assert "record 4 dropped from the end" in first.what
    assert "records 4 to 5 dropped from the end" in second.what


def test_a_rewritten_end_is_found_by_an_anchor(ledger, path):
    ledger.append([fact(1), fact(2)])
    anchor = ledger.append([fact(3)])
    change(path, "DELETE FROM ledger WHERE position = 3")
    ledger.append([fact(4)])
    assert verify(ledger.read()).faults == ()
    (fault,) = verify(ledger.read(), [anchor]).faults
    assert fault.position == 3
    assert "rewritten" in fault.what


def test_a_record_of_a_later_form_is_named(ledger, path):
    ledger.append([fact(1)])
    change(path, "UPDATE ledger SET body = CAST(replace(body, 'TriggerRefused', 'TeaServed') AS BLOB)")
    with pytest.raises(Broken, match="record 1"):
        _ = next(ledger.read()).entry


@pytest.mark.parametrize("damage", ["not a database", "cut short", "no table"])
def test_a_damaged_file_is_an_error_that_names_it(ledger, path, damage):
    ledger.append([fact(n) for n in range(200)])
    change(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    if damage == "no table":
        change(path, "DROP TABLE ledger")
    else:
        data = path.read_bytes()
        path.write_bytes(b"x" * len(data) if damage == "not a database" else data[: len(data) // 2])
    for use in (lambda: list(ledger.read()), lambda: ledger.append([fact(9)]), lambda: list(SqliteLedger(path).read())):
        if damage == "no table" and use.__code__.co_names[0] == "list" and "SqliteLedger" in use.__code__.co_names:
            continue  # opening makes the table anew; anchors tell that records are gone
        with pytest.raises(Broken, match=r"ledger\.sqlite"):
            use()


def test_a_writer_that_cannot_get_in_is_told(path):
    ledger = SqliteLedger(path, wait_s=0.05)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="not free") as caught:
        ledger.append([fact(1)])
    assert "try again" in caught.value.mend
    blocker.execute("ROLLBACK")
    blocker.close()
    assert ledger.append([fact(1)]).position == 1


@pytest.mark.parametrize("kind", sorted(NETWORK_FILE_SYSTEMS))
def test_a_network_file_system_is_refused_with_the_reason(tmp_path, kind):
    mounts = tmp_path / "mounts"
    shared = tmp_path / "a share"
    at = str(shared).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\nserver:/export {at} {kind} rw 0 0\n")
    with pytest.raises(UsageError, match=f"network file system \\({kind}\\)") as caught:
        SqliteLedger(shared / "deep" / "ledger.sqlite", mounts=mounts)
    assert "TOWPATH_HOME" in caught.value.mend


def test_a_local_disk_beside_a_network_mount_is_fine(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/export {tmp_path}/net nfs4 rw 0 0\n/dev/sda1 / ext4 rw 0 0\n")
    SqliteLedger(tmp_path / "net-is-only-a-prefix" / "ledger.sqlite", mounts=mounts)
    assert file_system(tmp_path / "net" / "x", mounts) == "nfs4"
    assert file_system(tmp_path / "network" / "x", mounts) == "ext4"
    assert file_system(tmp_path / "x", tmp_path / "no such file") == ""


def test_a_mount_on_top_of_another_hides_it(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 {tmp_path} ext4 rw 0 0\nserver:/export {tmp_path} nfs4 rw 0 0\n")
    assert file_system(tmp_path / "x", mounts) == "nfs4"


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(TowpathError, match="ledger"):
        SqliteLedger(tmp_path / "ledger.sqlite")
    tmp_path.chmod(0o755)


def test_an_append_is_on_disk_before_it_returns(ledger):
    with ledger._open() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
