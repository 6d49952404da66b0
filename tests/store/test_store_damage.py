"""Damage to a store on this machine: found, set aside, and what was whole beside it stays."""

import pytest

from towpath.digest import of_bytes
from towpath.errors import Broken, UnknownName
from towpath.store.local import LocalStore

SMALL = [b"%d" % number * 100 for number in range(10)]


@pytest.fixture
def root(tmp_path):
    """A store with a pack of small objects and one large object."""
    files = tmp_path / "files"
    files.mkdir()
    store = LocalStore(tmp_path / "store")
    with store.packing() as put:
        for data in SMALL:
            (files / "file").write_bytes(data)
            put(files / "file")
    store.put(b"large")
    return store.root


def pack_of(root):
    (pack,) = (root / "packs").glob("*.pack")
    pack.chmod(0o644)
    return pack


def flip(path, place):
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def mended(root):
    LocalStore(root).set_aside(LocalStore(root).damages())
    return LocalStore(root)


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_cut_pack_stops_only_who_needs_it(root, share):
    pack = pack_of(root)
    pack.write_bytes(pack.read_bytes()[: int(pack.stat().st_size * share)])
    store = LocalStore(root)
    assert store.get(of_bytes(b"large")) == b"large"
    assert store.put(b"new") == of_bytes(b"new")
    assert not store.has(of_bytes(SMALL[0]))
    with pytest.raises(Broken, match=pack.name):
        store.get(of_bytes(SMALL[0]))
    with pytest.raises(Broken, match=pack.name):
        store.collect({of_bytes(b"large")})
    assert [one.path for one in store.damages()] == [pack]


def test_a_cut_pack_is_set_aside_and_its_objects_are_put_again(root):
    pack = pack_of(root)
    pack.write_bytes(pack.read_bytes()[:-5])
    store = mended(root)
    assert not list(store.damages())
    with pytest.raises(UnknownName):
        store.get(of_bytes(SMALL[0]))
    assert [store.get(store.put(data)) for data in SMALL] == SMALL
    assert store.collect({of_bytes(b"large")}).torn == 1


def test_of_a_pack_with_one_bad_object_the_others_stay(root):
    pack = pack_of(root)
    flip(pack, 150)  # in the second object
    with pytest.raises(Broken, match=f"{pack.name} at 100"):
        LocalStore(root).get(of_bytes(SMALL[1]))
    store = mended(root)
    assert not pack.exists()
    assert not list(store.damages())
    assert store.missing(map(of_bytes, SMALL)) == {of_bytes(SMALL[1])}
    assert store.get(store.put(SMALL[1])) == SMALL[1]


@pytest.mark.parametrize("place", [-16, -30, -20 * 48])
def test_a_changed_byte_in_a_packs_index_is_found(root, place):
    flip(pack_of(root), place)
    assert list(LocalStore(root).damages())
    assert not list(mended(root).damages())


def test_an_object_of_its_own_is_set_aside(root):
    store = LocalStore(root)
    flip(store.path(of_bytes(b"large")), 0)
    with pytest.raises(Broken):
        store.check(of_bytes(b"large"))
    store = mended(root)
    assert not store.has(of_bytes(b"large"))
    assert store.get(store.put(b"large")) == b"large"
    assert [store.get(of_bytes(data)) for data in SMALL] == SMALL
