"""What a worker wrote is in the journal once, whoever is killed and when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from towpath.errors import Broken, Unavailable
from towpath.journal import Batch, Journal, Label, News, Scored
from towpath.journal.commit import Committed, commit, segments
from towpath.journal.delta import DeltaJournal
from towpath.journal.memory import MemoryJournal
from towpath.journal.spool import Spool
from towpath.testing.journals import START, scored


def line(row: Scored | Label) -> bytes:
    return msgspec.json.encode(row) + b"\n"


def ids(journal: Journal) -> list[str]:
    return journal.predictions().frame["id"].to_list()


def test_lines_of_an_open_segment_are_committed_and_the_segment_stays(tmp_path: Path) -> None:
    spool, journal = Spool(tmp_path / "predictions"), MemoryJournal()
    spool.append(line(scored(1)))
    assert commit(tmp_path, journal).predictions == 1
    spool.append(line(scored(2)) + line(scored(3)))
    assert commit(tmp_path, journal) == Committed(predictions=2)
    assert commit(tmp_path, journal).predictions == 0
    assert ids(journal) == ["p1", "p2", "p3"]
    assert len(segments(tmp_path / "predictions")) == 1
    spool.close()
    assert commit(tmp_path, journal).removed == 1
    assert segments(tmp_path / "predictions") == []


def test_labels_have_a_spool_of_their_own(tmp_path: Path) -> None:
    spool, journal = Spool(tmp_path / "labels"), MemoryJournal()
    spool.append(line(Label(id="p1", at=START, value=True)))
    spool.close()
    assert commit(tmp_path, journal).labels == 1
    assert journal.labels().frame["id"].to_list() == ["p1"]


def test_a_full_segment_is_closed_and_another_begun(tmp_path: Path) -> None:
    spool, journal = Spool(tmp_path / "predictions", segment_bytes=1000), MemoryJournal()
    for number in range(20):
        spool.append(line(scored(number)))
    assert len(segments(tmp_path / "predictions")) > 5
    commit(tmp_path, journal)
    assert len(segments(tmp_path / "predictions")) == 1
    assert ids(journal) == [f"p{n}" for n in range(20)]


class KilledAfterAppend(MemoryJournal):
    """The process ends right after the journal took the rows, before any segment is removed."""

    def append(self, batches: Sequence[Batch[Scored]]) -> int:
        super().append(batches)
        raise KeyboardInterrupt


def test_a_committer_killed_between_commit_and_removal_doubles_nothing(tmp_path: Path) -> None:
    spool, journal = Spool(tmp_path / "predictions"), KilledAfterAppend()
    spool.append(line(scored(1)) + line(scored(2)))
    spool.close()
    with pytest.raises(KeyboardInterrupt):
        commit(tmp_path, journal)
    journal.append = super(KilledAfterAppend, journal).append  # type: ignore[method-assign]
    assert commit(tmp_path, journal).predictions == 0
    assert ids(journal) == ["p1", "p2"]
    assert segments(tmp_path / "predictions") == []


def test_a_torn_last_line_waits_while_its_writer_lives_and_is_set_aside_when_it_is_gone(tmp_path: Path) -> None:
    spool, journal = Spool(tmp_path / "predictions"), MemoryJournal()
    whole = line(scored(1))
    spool.append(whole + whole[:40])
    assert commit(tmp_path, journal).predictions == 1
    assert len(segments(tmp_path / "predictions")) == 1
    spool.close()
    told = commit(tmp_path, journal)
    assert (told.predictions, told.removed, len(told.torn)) == (0, 1, 1)
    assert Path(told.torn[0]).read_bytes() == whole[:40]
    assert commit(tmp_path, journal).torn == ()


def test_a_line_that_is_no_row_is_named_and_nothing_is_moved(tmp_path: Path) -> None:
    spool, journal = Spool(tmp_path / "predictions"), MemoryJournal()
    spool.append(line(scored(1)) + b'{"id": 3}\n')
    with pytest.raises(Broken, match=spool.writer):
        commit(tmp_path, journal)
    assert journal.predictions().mark == 0


def test_a_full_disk_is_told_and_leaves_no_half_line(tmp_path: Path) -> None:
    code = f"""
import resource, signal, sys
from pathlib import Path
from towpath.errors import Unavailable
from towpath.journal.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(Path({str(tmp_path)!r}))
resource.setrlimit(resource.RLIMIT_FSIZE, (25, 25))
spool.append(b"0123456789" * 2 + b"\\n")
for _ in range(2):
    try: spool.append(b"0123456789\\n")
    except Unavailable as fault: print(fault)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.count("took no line") == 2
    assert segments(tmp_path)[0].read_bytes() == b"0123456789" * 2 + b"\n"


WRITER = """
import sys
from pathlib import Path
import msgspec
from towpath.journal.spool import Spool
from towpath.testing.journals import scored
spool = Spool(Path(sys.argv[1]), segment_bytes=20_000)
for number in range(1_000_000):
    spool.append(msgspec.json.encode(scored(number)) + b"\\n")
    print(number, flush=True)
"""


def test_kill_9_of_a_writer_loses_no_line_it_told_of(tmp_path: Path) -> None:
    journal = DeltaJournal(tmp_path / "journal")
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "predictions")], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(300):
            told = int(writer.stdout.readline())
        commit(tmp_path, journal)
        for _ in range(300):
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        told = max([told, *map(int, writer.stdout.read().split("\n")[:-1])])
    commit(tmp_path, journal)
    there = ids(journal)
    assert there[: told + 1] == [f"p{n}" for n in range(told + 1)]
    assert len(there) == len(set(there)) <= told + 2
    assert segments(tmp_path / "predictions") == []


COMMITTER = """
import sys
from pathlib import Path
from towpath.journal.commit import commit
from towpath.journal.delta import DeltaJournal
for _ in range(10):
    commit(Path(sys.argv[1]), DeltaJournal(Path(sys.argv[2])))
"""


def test_committers_at_the_same_time_take_turns(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "predictions", segment_bytes=2000)
    spool.append(line(scored(0)))
    DeltaJournal(tmp_path / "journal")
    arguments = [sys.executable, "-c", COMMITTER, str(tmp_path), str(tmp_path / "journal")]
    committers = [subprocess.Popen(arguments) for _ in range(3)]
    number = 0
    while any(committer.poll() is None for committer in committers):
        number += 1
        spool.append(line(scored(number)))
        time.sleep(0.002)
    assert [committer.returncode for committer in committers] == [0, 0, 0]
    spool.close()
    journal = DeltaJournal(tmp_path / "journal")
    commit(tmp_path, journal)
    assert sorted(ids(journal)) == sorted(f"p{n}" for n in range(number + 1))


@given(st.lists(st.one_of(st.integers(1, 4), st.sampled_from(["commit", "close"])), max_size=25))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_and_committed_in_whatever_order_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, acts: list[object]
) -> None:
    folder, journal, number = tmp_path_factory.mktemp("spool"), MemoryJournal(), 0
    spool = Spool(folder / "predictions", segment_bytes=900)
    for act in [*acts, "close", "commit"]:
        if act == "commit":
            commit(folder, journal)
        elif act == "close":
            spool.close()
            spool = Spool(folder / "predictions", segment_bytes=900)
        elif isinstance(act, int):
            spool.append(b"".join(line(scored(number + k)) for k in range(act)))
            number += act
    spool.close()
    assert sorted(ids(journal)) == sorted(f"p{n}" for n in range(number))
    news: News = journal.predictions(number)
    assert news.mark == number


def test_appending_to_a_closed_spool_is_told(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.close()
    with pytest.raises(Unavailable):
        spool.append(b"x\n")
