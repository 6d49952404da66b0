"""Laws over random histories: all ledgers are the same list, and no single change to a chain goes unseen."""

import tempfile
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.digest import of_bytes
from towpath.errors import Conflict
from towpath.ledger import Head, verify
from towpath.ledger.anchors import Anchors
from towpath.ledger.memory import MemoryLedger
from towpath.ledger.objects import ObjectLedger
from towpath.ledger.remembered import Remembered
from towpath.ledger.sqlite import SqliteLedger
from towpath.store.remote.folder import FolderBucket
from towpath.testing.ledgers import fact

appends = st.lists(
    st.tuples(st.lists(st.integers(0, 9), max_size=4), st.none() | st.integers(0, 6)),
    max_size=6,
)


def outcome(ledger, ids, expected):
    try:
        return ledger.append([fact(n) for n in ids], expected=expected)
    except Conflict as told:
        return told.what


@settings(max_examples=30, deadline=None)
@given(appends)
def test_all_ledgers_are_the_same_list(history):
    with tempfile.TemporaryDirectory() as folder:
        memory, sqlite = MemoryLedger(), SqliteLedger(Path(folder) / "ledger.sqlite")
        known = Remembered(Path(folder) / "known.jsonl")
        pair = [ObjectLedger(FolderBucket(Path(folder) / "shared"), remembered=known) for _ in range(2)]
        for turn, (ids, expected) in enumerate(history):
            said = outcome(memory, ids, expected)
            assert outcome(sqlite, ids, expected) == said
            assert outcome(pair[turn % 2], ids, expected) == said
        for ledger in (sqlite, *pair, ObjectLedger(FolderBucket(Path(folder) / "shared"), remembered=known)):
            assert list(ledger.read()) == list(memory.read())
        assert verify(memory.read()).faults == ()


def written(count):
    ledger = MemoryLedger()
    heads = [ledger.append([fact(n)]) for n in range(count)]
    return list(ledger.read()), heads


@given(st.permutations(range(5)))
def test_any_reordering_is_found(order):
    records, _ = written(5)
    assert (verify([records[n] for n in order]).faults == ()) == (list(order) == sorted(order))


@given(st.sets(st.integers(0, 5)))
def test_any_drop_is_found_with_the_last_head_as_anchor(dropped):
    records, heads = written(6)
    left = [record for n, record in enumerate(records) if n not in dropped]
    assert (verify(left, heads[-1:]).faults == ()) == (not dropped)


@given(st.integers(0, 4), st.sampled_from(["position", "body", "previous", "hash"]), st.data())
def test_any_change_of_one_field_is_found(at, field, data):
    records, heads = written(5)
    changed = {
        "position": st.integers(1, 9),
        "body": st.integers(0, len(records[at].body) - 1).map(lambda n: flipped(records[at].body, n)),
        "previous": st.just(of_bytes(b"other")),
        "hash": st.just(of_bytes(b"other")),
    }
    value = data.draw(changed[field])
    record = msgspec.structs.replace(records[at], **{field: value})
    faults = verify([*records[:at], record, *records[at + 1 :]], heads).faults
    assert (faults == ()) == (record == records[at])


def flipped(body: bytes, at: int) -> bytes:
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


@given(st.integers(0, 5), st.integers(1, 5))
def test_a_rewritten_end_is_found_however_well_it_is_chained(kept, anchored):
    _, heads = written(5)
    forged = MemoryLedger()
    forged.append([fact(n) for n in range(kept)])
    forged.append([fact(100 + n) for n in range(5 - kept)])
    assert verify(forged.read()).faults == ()
    assert (verify(forged.read(), heads[anchored - 1 : anchored]).faults == ()) == (anchored <= kept)


def test_anchors_come_back_in_order_and_once(tmp_path):
    anchors = Anchors(tmp_path / "deep" / "anchors.jsonl")
    assert anchors.all() == []
    heads = [Head(n, of_bytes(bytes([n]))) for n in range(1, 4)]
    for head in (heads[0], heads[0], heads[1], heads[2]):
        anchors.add(head)
    assert Anchors(anchors.path).all() == heads


def test_a_torn_anchor_is_passed_over(tmp_path):
    anchors = Anchors(tmp_path / "anchors.jsonl")
    first, second = Head(1, of_bytes(b"1")), Head(2, of_bytes(b"2"))
    anchors.add(first)
    with anchors.path.open("ab") as file:
        file.write(b'\n{"position":2,"ha')
    assert anchors.all() == [first]
    anchors.add(second)
    assert anchors.all() == [first, second]
