"""Merging the locks of two branches."""

from hypothesis import given
from hypothesis import strategies as st

from towpath.data import manifest
from towpath.data.lock import Locked
from towpath.data.merge import merge
from towpath.digest import of_bytes
from towpath.store.memory import MemoryStore
from towpath.store.trees import FileEntry

sides = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3), max_size=6)


def locked(store, files):
    entries = [FileEntry(path, of_bytes(b"%d" % version), 1, 1) for path, version in files.items()]
    snapshot, digest = manifest.keep(store, "d", "table", entries)
    return Locked(digest, snapshot.rows)


def files(store, one):
    return {file.path: file.digest for file in manifest.files_of(store, one.digest)}


@given(sides, sides, sides)
def test_each_side_brings_what_it_changed(base, ours, theirs):
    store = MemoryStore()
    before, one, other = ({"d": locked(store, side)} for side in (base, ours, theirs))
    merged = merge(store, before, one, other)
    wrong = {
        p
        for p in base.keys() | ours.keys() | theirs.keys()
        if ours.get(p) != theirs.get(p) and base.get(p) not in (ours.get(p), theirs.get(p))
    }
    assert set(merged.contradictions.get("d", [])) == wrong
    if not wrong:
        wanted = {}
        for path in base.keys() | ours.keys() | theirs.keys():
            chosen = ours.get(path) if theirs.get(path) == base.get(path) else theirs.get(path)
            if chosen is not None:
                wanted[path] = of_bytes(b"%d" % chosen)
        assert files(store, merged.locked["d"]) == wanted


@given(sides, sides)
def test_an_untouched_side_gives_way(base, changed):
    store = MemoryStore()
    before, after = {"d": locked(store, base)}, {"d": locked(store, changed)}
    assert merge(store, before, before, after) == merge(store, before, after, before)
    assert merge(store, before, before, after).locked == after


def test_two_branches_that_both_added_months_have_both():
    store = MemoryStore()
    base, one, other = {"m1": 1}, {"m1": 1, "m2": 2}, {"m1": 1, "m3": 3}
    merged = merge(store, *({"d": locked(store, side)} for side in (base, one, other)))
    assert sorted(files(store, merged.locked["d"])) == ["m1", "m2", "m3"]
    assert merged.locked["d"].rows == 3


def test_a_dataset_removed_on_one_side_and_changed_on_the_other_is_told():
    store = MemoryStore()
    before, after = {"d": locked(store, {"a": 1})}, {"d": locked(store, {"a": 2})}
    assert "removed on one side" in merge(store, before, {}, after).contradictions["d"][0]
    assert merge(store, before, {}, before).locked == {}
