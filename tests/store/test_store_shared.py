"""What a team executed travels through the bucket: nothing is lost, nothing is trusted for being there, and nobody waits for it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from tests.store.remotes import HandClock, Watched, bucket_at, noise

from towpath.digest import of_bytes
from towpath.errors import Unavailable, UsageError
from towpath.store import Execution, trees
from towpath.store.local import LocalStore
from towpath.store.remote import Remote
from towpath.store.remote.executions import KEPT, Executions
from towpath.store.remote.memory import MemoryBucket
from towpath.store.shared import Shared, parts
from towpath.testing import ExecutionsContract
from towpath.testing.executions import batch, execution

NOW = datetime(2027, 4, 1, tzinfo=UTC)


class TestOverEveryBucket(ExecutionsContract):
    @pytest.fixture
    def open_again(self, tmp_path, every_bucket):
        count = iter(range(1000))
        return lambda: Executions(every_bucket, tmp_path / f"client {next(count)}")


@pytest.fixture
def bucket():
    return MemoryBucket(HandClock())


class Member:
    """One machine of a team, and what its runs said."""

    def __init__(self, folder, bucket, client="ann"):
        self.store, self.remote, self.client, self.said = LocalStore(folder / "store"), Remote(bucket, folder / "remote"), client, []
        self._unsent = folder / "remote/unsent"
        self.begin()

    def begin(self):
        """A new run."""
        self.shared = Shared(self.store, self.remote, self._unsent, self.said.append)

    def execute(self, name, output, codec="bytes"):
        """What a step made; it is to be sent."""
        made = output if codec == "files" else self.store.put(output)
        ran = Execution(fingerprint=of_bytes(name.encode()), step=name, output=made, content=made, seconds=1.0, codec=codec)
        self.store.remember(ran)
        self.shared.note(ran.fingerprint)
        return ran

    def send(self, sign=lambda data: ""):
        self.shared.send(self.client, "host", NOW, sign)

    def waits(self):
        """How many executions are to be sent."""
        return len(list(self._unsent.iterdir())) if self._unsent.is_dir() else 0


@pytest.fixture
def members(tmp_path, bucket):
    return [Member(tmp_path / name, bucket, name) for name in ("ann", "ben")]


def test_what_one_made_the_other_need_not_make(members):
    ann, ben = members
    ran, causes = ann.execute("rows", noise(3 << 20)), ann.store.put(b"rows")
    assert causes == ran.fingerprint, "what a fingerprint is made of lies under it"
    ann.send(lambda data: f"{len(data)} bytes")
    (told,) = ben.shared.of(ran.fingerprint)
    assert (told.execution, told.client, told.host, told.at) == (ran, "ann", "host", NOW)
    assert told.signature == f"{len(told.data)} bytes"
    ben.remote.fetch([ran.output, causes], ben.store)
    assert ben.store.get(ran.output) == noise(3 << 20)
    assert (ann.waits(), ann.said, ben.said) == (0, [], [])


def test_of_files_all_are_sent(members, tmp_path):
    ann, ben = members
    files = [trees.FileEntry(f"{n}.txt", ann.store.put(b"%d" % n), 1) for n in range(300)]
    ran = ann.execute("files", trees.write(ann.store, files), codec="files")
    ann.send()
    ben.remote.fetch(list(parts(ann.store, "files", ran.output)), ben.store)
    found = {file.path: ben.store.get(file.digest) for file in trees.files(ben.store, ran.output)}
    assert found == {f"{n}.txt": b"%d" % n for n in range(300)}


def test_what_is_told_has_nothing_of_what_is_in_it(members, bucket):
    ann, _ = members
    ann.execute("rows", b"a secret")
    ann.send()
    told = b"".join(data for key, (data, _) in bucket.files.items() if key.startswith("executions"))
    assert b"rows" in told
    assert b"secret" not in told


def test_nothing_is_sent_twice_and_a_look_is_one_listing(members, bucket, tmp_path):
    ann, _ = members
    for n in range(5):
        ann.execute(f"{n}", b"%d" % n)
    ann.send()
    before = dict(bucket.files)
    ann.send()
    assert bucket.files == before
    calls = []
    reader = Executions(Watched(bucket, lambda *call: calls.append(call[1:])), tmp_path / "cache")
    reader.look()
    reader.look()
    again = Executions(reader.bucket, tmp_path / "cache")
    again.look()
    assert [verb for verb, _ in calls] == ["list", "get", "list", "list"]
    assert again.of(of_bytes(b"3"))


class Down:
    """A bucket that does not answer while ``is_down``."""

    def __init__(self, bucket, verbs=("put", "get", "list", "size")):
        self.is_down, self._verbs, self.calls = False, verbs, 0
        self.bucket = Watched(bucket, self._before)

    def _before(self, number, verb, key):
        if self.is_down and verb in self._verbs:
            self.calls += 1
            raise Unavailable("the bucket did not answer", mend="wait")


def test_a_remote_that_is_down_is_told_once_and_what_was_read_before_is_used(members, bucket, tmp_path):
    ann, _ = members
    old, line = ann.execute("old", b"old"), Down(bucket)
    ann.send()
    ben = Member(tmp_path / "ben, far away", line.bucket)
    assert ben.shared.of(old.fingerprint)
    ben.remote.fetch([old.output], ben.store)
    line.is_down = True
    ben.begin()
    assert ben.shared.of(old.fingerprint)[0].execution == old, "its output is here already"
    ran = ben.execute("new", b"new")
    asked = line.calls
    assert ben.shared.of(ran.fingerprint) == []
    ben.send()
    assert (line.calls, ben.waits()) == (asked, 1), "nobody waits for it again"
    assert len(ben.said) == 1
    assert "did not answer" in ben.said[0]
    line.is_down = False
    ben.begin()
    ben.send()
    ann.begin()
    assert ann.shared.of(ran.fingerprint)[0].execution == ran


def test_what_others_made_and_cannot_be_had_is_not_taken(members, bucket, tmp_path):
    ann, ben = members
    ran = ann.execute("rows", b"rows")
    ann.send()
    for key in [key for key in bucket.files if key.startswith("packs")]:
        del bucket.files[key]
    line = Down(bucket, verbs=("list",))
    far = Member(tmp_path / "far", line.bucket)
    far.remote.executions.look()
    line.is_down = True
    assert far.shared.of(ran.fingerprint) == []
    ben.remote.executions.add(batch(execution("nothing there"), at=NOW))
    assert ben.shared.of(of_bytes(b"nothing there")) == []


def test_what_cannot_be_signed_waits(members):
    ann, ben = members
    ran = ann.execute("rows", b"rows")

    def no(data):
        raise UsageError("no such key", mend="name another")

    ann.send(no)
    assert ann.waits() == 1
    assert "no such key" in ann.said[0]
    assert ben.shared.of(ran.fingerprint) == []
    ann.begin()
    ann.send()
    ben.begin()
    assert ben.shared.of(ran.fingerprint)


def test_what_was_made_and_is_gone_is_not_sent(members, bucket):
    ann, _ = members
    gone, files = ann.execute("gone", b"gone"), [trees.FileEntry("a", ann.store.put(b"a"), 1)]
    tree = ann.execute("files", trees.write(ann.store, files), codec="files")
    ann.store.collect([tree.output])
    ann.send()
    assert (ann.waits(), list(bucket.list("executions"))) == (0, [])
    assert not ann.store.has(gone.output)


@pytest.mark.parametrize("data", [b"torn", b"", b"\x93\xc0\xc0\xc0"])
def test_what_somebody_else_wrote_there_is_passed_over(members, bucket, data):
    ann, ben = members
    ran = ann.execute("rows", b"rows")
    ann.send()
    (key,) = [key for key in bucket.files if key.startswith("executions")]
    right = bucket.get(key)
    bucket.put("executions/.DS_Store", b"x")
    bucket.put(f"executions/{of_bytes(data)}", data)
    bucket.put(key.replace(key[-1], "0" if key[-1] != "0" else "1"), right)  # under another name it is not what was written
    assert len(ben.shared.of(ran.fingerprint)) == 1
    assert ben.said == []
    bucket.put(key, data)
    late = Executions(bucket)
    late.look()
    assert late.of(ran.fingerprint) == []


def test_a_form_of_a_later_version_is_passed_over(bucket):
    later = batch(execution("a"), at=NOW)
    later = later._replace(data=later.data.replace(b'"form":1', b'"form":2'))
    Executions(bucket).add(later)
    reader = Executions(bucket)
    reader.look()
    assert reader.of(of_bytes(b"a")) == []


def test_outputs_stay_as_long_as_their_executions_and_then_go(members, bucket):
    ann, ben = members
    ran = ann.execute("rows", noise(1 << 20))
    ann.send()
    (stored,) = bucket.list("packs")
    young, old = (ann.remote.forget(now=NOW + age) for age in (KEPT - timedelta(days=1), KEPT))
    assert (young.outputs, young.dropped) == ({ran.output: "bytes"}, 0)
    assert (old.outputs, old.dropped) == ({}, 1)
    day = stored.at + timedelta(days=15)
    assert ann.remote.gc(young.outputs, now=day).condemned == 0
    assert ann.remote.gc(old.outputs, now=day).condemned == 1
    assert ben.shared.of(ran.fingerprint) == []


KILLED = """
import sys
from pathlib import Path
from datetime import UTC, datetime
from towpath.digest import Digest
from towpath.store.local import LocalStore
from towpath.store.remote import Remote
from towpath.store.remote.folder import FolderBucket
from towpath.store.shared import Shared
folder, shared, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, sys.argv[4])
from tests.store.remotes import Watched
import os, signal
def before(number, verb, key):
    if number == last:
        os.kill(os.getpid(), signal.SIGKILL)
bucket = Watched(FolderBucket(shared), before)
team = Shared(LocalStore(folder / "store"), Remote(bucket, folder / "remote"), folder / "remote/unsent", print)
team.send("ann", "host", datetime(2027, 4, 1, tzinfo=UTC), lambda data: "")
"""


def test_a_client_that_is_killed_anywhere_while_it_sends_loses_nothing(tmp_path, request):
    shared, killed = tmp_path / "shared", 0
    ann = Member(tmp_path / "ann", bucket_at(str(shared)))
    for last in range(1, 40):
        ran = ann.execute(f"{last}", b"%d" % last)
        words = [sys.executable, "-c", KILLED, str(tmp_path / "ann"), str(shared), str(last), str(request.config.rootpath)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode in (0, -9), done.stderr
        reader = Member(tmp_path / f"reader {last}", bucket_at(str(shared)))
        for told in reader.shared.of(ran.fingerprint):
            reader.remote.fetch([told.execution.output], reader.store)
        ann.begin()
        ann.send()
        assert (ann.waits(), ann.said) == (0, [])
        reader.begin()
        assert reader.shared.of(ran.fingerprint)
        if done.returncode == 0:
            break
        killed += 1
    assert 5 < killed < 39, "there are more moments than these"
