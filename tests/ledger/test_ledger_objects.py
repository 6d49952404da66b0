"""What only a bucket can do to a ledger: lose an answer, a listing's line or an object, and not keep its word."""

import json
from pathlib import Path

import pytest
from tests.ledger.careless import Careless
from tests.ledger.line import Fate, Line

from towpath.errors import Broken, Conflict, Unavailable, UsageError
from towpath.ledger import verify
from towpath.ledger.batch import key_of
from towpath.ledger.objects import PROBE, ObjectLedger
from towpath.ledger.remembered import Remembered
from towpath.store.remote.cloud import CloudBucket
from towpath.store.remote.folder import FolderBucket
from towpath.testing.ledgers import fact, numbers


class Watched:
    """A folder's bucket whose calls are counted, and of which a test may take a verb over."""

    def __init__(self, root: Path) -> None:
        self._inner, self.place, self.calls = FolderBucket(root), "the bucket", []

    def put(self, key, data, *, new=False):
        self.calls.append(("put", key))
        return self._inner.put(key, data, new=new)

    def get(self, key, start=0, end=None):
        self.calls.append(("get", key))
        return self._inner.get(key, start, end)

    def list(self, folder, after=""):
        self.calls.append(("list", after))
        return self._inner.list(folder, after)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "shared"


@pytest.fixture
def bucket(root):
    return Watched(root)


@pytest.fixture
def opened(root):
    return lambda: ObjectLedger(FolderBucket(root))


class Lossy(Watched):
    """Loses the answers to the writes of batches: ``fates`` says of each whether it landed all the same."""

    def __init__(self, root, fates):
        super().__init__(root)
        self.fates = list(fates)

    def put(self, key, data, *, new=False):
        if key == PROBE or not self.fates:
            return super().put(key, data, new=new)
        if self.fates.pop(0):
            super().put(key, data, new=new)
        raise Unavailable("no answer", mend="")


@pytest.mark.parametrize("expected", [None, 2])
@pytest.mark.parametrize("fates", [[True], [False], [False, True], [False, False]], ids=str)
def test_a_write_whose_answer_was_lost_lands_once(root, opened, fates, expected):
    opened().append([fact(1), fact(2)])
    head = ObjectLedger(Lossy(root, fates)).append([fact(3)], expected=expected)
    assert head.position == 3
    assert numbers(opened()) == [1, 2, 3]
    assert verify(opened().read(), [head]).faults == ()


def test_a_write_that_never_gets_an_answer_is_given_up_and_may_be_told_again(root, opened):
    ledger = ObjectLedger(Lossy(root, [False] * 99_999))
    with pytest.raises(Unavailable, match="no answer"):
        ledger.append([fact(1)])
    assert opened().append([fact(1)]).position == 1
    assert numbers(opened()) == [1]


def test_a_decision_whose_answer_was_lost_loses_to_one_that_landed(root, opened):
    class Overtaken(Lossy):
        def put(self, key, data, *, new=False):
            if key != PROBE and self.fates:
                opened().append([fact(len(numbers(opened())) + 7)])
            return super().put(key, data, new=new)

    opened().append([fact(1)])
    with pytest.raises(Conflict, match="position 2"):
        ObjectLedger(Overtaken(root, [False])).append([fact(2)], expected=1)
    assert ObjectLedger(Overtaken(root, [False])).append([fact(3)]).position == 4  # a fact goes behind
    assert numbers(opened()) == [1, 8, 9, 3]


@pytest.mark.parts
@pytest.mark.parametrize("expected", [None, 1])
@pytest.mark.parametrize("fate", [Fate.UNSAID, Fate.UNHEARD, Fate.CUT, Fate.SILENT])
def test_an_append_whose_connection_is_cut_lands_once(seaweedfs, monkeypatch, fate, expected):
    url = seaweedfs.new()
    of_batch = url.removeprefix("s3:/").encode() + b"/ledger/"
    set_all(monkeypatch, seaweedfs.environ)
    ObjectLedger(CloudBucket(url)).append([fact(1)])
    with Line(seaweedfs.port, b"PUT " + of_batch, fate) as line:
        set_all(monkeypatch, seaweedfs.through(line.port))
        head = ObjectLedger(CloudBucket(url, patience_s=2, whole_call_s=1)).append([fact(2), fact(3)], expected=expected)
        assert line.left == 0
    set_all(monkeypatch, seaweedfs.environ)
    assert numbers(ObjectLedger(CloudBucket(url))) == [1, 2, 3]
    assert verify(ObjectLedger(CloudBucket(url)).read(), [head]).faults == ()


def set_all(monkeypatch, environ):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def test_a_store_that_ignores_conditions_is_refused_before_anything_is_written(monkeypatch):
    with Careless() as server:
        set_all(monkeypatch, server.environ)
        ledger = ObjectLedger(CloudBucket("s3://any/flights"))
        with pytest.raises(UsageError, match="If-None-Match") as caught:
            ledger.append([fact(1)])
        assert "SeaweedFS" in caught.value.mend
        assert list(server.objects) == [f"/any/flights/{PROBE}"]
        with pytest.raises(UsageError, match="If-None-Match"):  # the second time it is there already
            ObjectLedger(CloudBucket("s3://any/flights")).append([fact(1)])


@pytest.mark.parts
def test_wrong_credentials_are_told(seaweedfs, monkeypatch):
    set_all(monkeypatch, {**seaweedfs.environ, "AWS_SECRET_ACCESS_KEY": "sesame"})
    with pytest.raises(UsageError, match="refuses") as caught:
        list(ObjectLedger(CloudBucket(seaweedfs.new())).read())
    assert "sesame" not in str(caught.value)


def test_only_what_is_new_is_asked_for(bucket, opened):
    ledger = ObjectLedger(bucket)
    for n in range(5):
        opened().append([fact(10 * n), fact(10 * n + 1)])
    assert len(list(ledger.read())) == 10
    assert bucket.calls == [("list", ""), *(("get", key_of(n)) for n in (1, 3, 5, 7, 9))]
    bucket.calls.clear()
    assert numbers(ledger, 8) == [40, 41]
    assert bucket.calls == [("list", key_of(8))]
    opened().append([fact(99)])
    bucket.calls.clear()
    assert numbers(ledger, 8) == [40, 41, 99]
    assert bucket.calls == [("list", key_of(8)), ("get", key_of(11))]


def test_an_append_that_nobody_disturbs_is_one_call(bucket):
    ledger = ObjectLedger(bucket)
    ledger.append([fact(1)])
    assert bucket.calls == [("list", ""), ("put", PROBE), ("put", PROBE), ("put", key_of(1))]
    bucket.calls.clear()
    ledger.append([fact(2)], expected=1)
    assert bucket.calls == [("put", key_of(2))]
    another = ObjectLedger(bucket)
    bucket.calls.clear()
    another.append([fact(3)])
    assert [call for call in bucket.calls if call[0] == "put"] == [("put", PROBE), ("put", key_of(3))]


def path_of(root, position):
    return root / key_of(position)


def test_a_missing_object_is_named(root, opened):
    knowing = opened()
    for n in range(1, 6):
        knowing.append([fact(n)])
    half = ObjectLedger(FolderBucket(root))
    path_of(root, 3).unlink()
    for use in (lambda: list(half.read()), lambda: half.append([fact(9)])):
        with pytest.raises(Broken, match=r"gap: object ledger/0+3\.json is missing, and ledger/0+4\.json is there"):
            use()
    assert numbers(knowing) == [1, 2, 3, 4, 5]  # who read it before still knows it


def test_a_cut_off_end_is_told_to_who_knew_it_and_found_by_an_anchor(root, opened):
    knowing = opened()
    heads = [knowing.append([fact(n)]) for n in range(1, 4)]
    path_of(root, 3).unlink()
    with pytest.raises(Broken, match=r"object ledger/0+3\.json was removed or changed"):
        list(knowing.read())
    assert verify(opened().read()).faults == ()
    (fault,) = verify(opened().read(), heads).faults
    assert "record 3 dropped from the end" in fault.what


SPOILED = {
    "cut short": lambda text: text[: len(text) // 2],
    "empty": lambda _: "",
    "no JSON": lambda _: "flights",
    "no records": lambda text: json.dumps({**json.loads(text), "records": []}),
    "an entry without an id": lambda text: text.replace('"id"', '"ID"'),
    "another's": lambda text: text.replace('"position":2', '"position":4'),
    "a hole in it": lambda text: text.replace('"position":3', '"position":5'),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED.keys())
def test_a_broken_object_is_named(root, opened, spoil):
    opened().append([fact(1)])
    opened().append([fact(2), fact(3)])
    path_of(root, 2).write_text(spoil(path_of(root, 2).read_text()))
    for use in (lambda: list(opened().read()), lambda: opened().append([fact(9)])):
        with pytest.raises(Broken, match=r"object ledger/0+2\.json of the ledger .* is not what was written"):
            use()


def test_an_object_within_another_is_named(root, opened):
    opened().append([fact(1), fact(2)])
    path_of(root, 2).write_text(
        path_of(root, 1).read_text().replace('"position":2', '"position":3').replace('"position":1', '"position":2')
    )
    with pytest.raises(Broken, match=r"two records 2: object ledger/0+2\.json lies within"):
        list(opened().read())


def test_a_changed_record_is_found_by_its_hash(root, opened):
    opened().append([fact(1)])
    opened().append([fact(2)])
    path_of(root, 1).write_text(path_of(root, 1).read_text().replace("a test", "a lie!"))
    faults = verify(opened().read()).faults
    assert any(fault.position == 1 and "changed" in fault.what for fault in faults), faults


def test_what_is_no_batch_is_passed_over(root, opened):
    opened().append([fact(1)])
    for name in ("README", "0001.json", key_of(2) + ".bak", "x/" + key_of(2)):
        path = root / "ledger" / name.removeprefix("ledger/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert numbers(opened()) == [1]
    assert opened().append([fact(2)]).position == 2


def test_a_listing_that_misses_an_object_is_made_whole(root, opened):
    """A folder's listing may miss a file that was made while it went on."""

    class Hasty(Watched):
        def list(self, folder, after=""):
            return (stored for stored in super().list(folder, after) if stored.key != key_of(2))

    for n in range(1, 5):
        opened().append([fact(n)])
    assert numbers(ObjectLedger(Hasty(root))) == [1, 2, 3, 4]
    at_two = ObjectLedger(Hasty(root))
    path_of(root, 3).rename(root / "three")
    path_of(root, 4).rename(root / "four")
    assert numbers(at_two) == [1]
    assert at_two.append([fact(1), fact(9)]).position == 3  # the write meets what the listing missed
    assert numbers(at_two) == [1, 2, 9]


def test_a_place_that_does_not_show_what_it_says_is_there_is_given_up(root):
    class Blind(Watched):
        def put(self, key, data, *, new=False):
            return super().put(key, data, new=new) and key == PROBE

        def get(self, key, start=0, end=None):
            return None

    with pytest.raises(Unavailable, match=r"does not show object ledger/0+1\.json"):
        ObjectLedger(Blind(root), wait_s=0.1).append([fact(1)])


# what is remembered


@pytest.fixture
def known(tmp_path):
    return tmp_path / "home" / "known.jsonl"


def written(root, known, count=5):
    ledger = ObjectLedger(FolderBucket(root), remembered=Remembered(known))
    for n in range(1, count + 1):
        ledger.append([fact(n)])


def test_what_is_remembered_is_not_fetched_again(bucket, root, known):
    written(root, known)
    assert numbers(ObjectLedger(bucket, remembered=Remembered(known))) == [1, 2, 3, 4, 5]
    assert bucket.calls == [("get", key_of(5)), ("list", key_of(4))]


def test_what_two_processes_remember_is_one_chain(root, known):
    one, other = (ObjectLedger(FolderBucket(root), remembered=Remembered(known)) for _ in range(2))
    for n in range(1, 9):
        (one, other)[n % 2].append([fact(n)])
        list(one.read())
    assert numbers(other) == list(range(1, 9))
    assert [first for first, _ in Remembered(known).all()] == list(range(1, 9))


DAMAGED = {
    "torn at the end": lambda text: text[:-20],
    "torn within": lambda text: text[:1000] + text[1200:],
    "tampered": lambda text: text.replace("cause 3", "cause 4"),
    "a line lost": lambda text: "".join(line for n, line in enumerate(text.splitlines(keepends=True)) if n != 2),
    "rubbish": lambda _: "rubbish\n" * 3,
    "gone": lambda _: "",
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_memory_is_mended_from_the_bucket(root, known, damage):
    written(root, known)
    known.write_text(damage(known.read_text()))
    ledger = ObjectLedger(FolderBucket(root), remembered=Remembered(known))
    ledger.append([fact(6)])
    assert numbers(ledger) == [1, 2, 3, 4, 5, 6]
    assert verify(ledger.read()).faults == ()
    assert [first for first, _ in Remembered(known).all()] == [1, 2, 3, 4, 5, 6]


def test_a_memory_that_cannot_be_written_does_no_harm(root, tmp_path):
    (tmp_path / "file").touch()
    written(root, tmp_path / "file" / "known.jsonl")
    assert len(numbers(ObjectLedger(FolderBucket(root), remembered=Remembered(tmp_path / "file" / "known.jsonl")))) == 5


@pytest.mark.parametrize("how", ["emptied", "cut", "begun anew"])
def test_a_ledger_that_is_not_the_one_remembered_is_told(root, known, opened, how):
    written(root, known)
    for position in range(5 if how == "cut" else 1, 6):
        path_of(root, position).unlink()
    if how == "begun anew":
        for n in range(1, 7):
            opened().append([fact(100 + n)])
    with pytest.raises(Broken, match=r"not the one that was read before: object ledger/0+5\.json") as caught:
        list(ObjectLedger(FolderBucket(root), remembered=Remembered(known)).read())
    assert str(known) in caught.value.mend
