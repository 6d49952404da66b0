"""Trees of files: the same root for the same files, small changes for small edits, differences without reading what is equal."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.digest import of_bytes
from towpath.errors import Broken
from towpath.store import trees
from towpath.store.memory import MemoryStore
from towpath.store.trees import Change, FileEntry

names = st.lists(st.sampled_from("abc/é\n ") | st.characters(codec="utf-8"), min_size=1, max_size=6).map("".join)
versions = st.dictionaries(names, st.integers(0, 9), max_size=60)


def entries(found):
    return [FileEntry(path, of_bytes(b"%d" % version), version, -1) for path, version in found.items()]


class Counting(MemoryStore):
    """Counts what is written and read."""

    def __init__(self):
        super().__init__()
        self.written, self.reads = 0, 0

    def put(self, data):
        known = self.has(of_bytes(data))
        self.written += 0 if known else len(data)
        return super().put(data)

    def get(self, digest):
        self.reads += 1
        return super().get(digest)


@given(versions)
def test_a_tree_gives_back_its_files_in_order(found):
    store = MemoryStore()
    root = trees.write(store, entries(found))
    assert list(trees.files(store, root)) == sorted(entries(found), key=lambda file: os.fsencode(file.path))


@given(versions, st.randoms(use_true_random=False))
def test_the_root_depends_on_the_files_alone(found, random):
    shuffled = entries(found)
    random.shuffle(shuffled)
    assert trees.write(MemoryStore(), shuffled) == trees.write(MemoryStore(), entries(found))


@settings(max_examples=200)
@given(versions, versions)
def test_changes_are_what_a_comparison_of_all_files_gives(before, after):
    store = MemoryStore()
    old, new = {f.path: f for f in entries(before)}, {f.path: f for f in entries(after)}
    wanted = {path: Change(path, old.get(path), new.get(path)) for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    found = list(trees.changes(store, trees.write(store, old.values()), trees.write(store, new.values())))
    assert {change.path: change for change in found} == wanted


def test_one_changed_file_of_twenty_thousand_writes_a_few_kilobytes_and_reads_little():
    store = Counting()
    many = {f"images/{n % 200:03}/{n:06}.png": n for n in range(20_000)}
    before = trees.write(store, entries(many))
    store.written = 0
    after = trees.write(store, entries(many | {"images/007/000007.png": -7 % 10}))
    assert 0 < store.written < 20_000
    store.reads = 0
    assert [change.path for change in trees.changes(store, before, after)] == ["images/007/000007.png"]
    assert store.reads < 30


def test_nodes_are_all_that_a_copy_needs():
    store, copy = MemoryStore(), MemoryStore()
    root = trees.write(store, entries({str(n): n for n in range(10_000)}))
    for digest in trees.nodes(store, root):
        copy.put(store.get(digest))
    assert list(trees.files(copy, root)) == list(trees.files(store, root))


def test_names_that_are_not_utf8_are_kept():
    store = MemoryStore()
    path = os.fsdecode(b"caf\xe9.png")
    root = trees.write(store, [FileEntry(path, of_bytes(b""), 0)])
    assert [file.path for file in trees.files(store, root)] == [path]


def test_any_other_object_is_named():
    store = MemoryStore()
    digest = store.put(b"no node")
    with pytest.raises(Broken, match=digest):
        list(trees.files(store, digest))
