"""Packs of small objects, and the writer that goes past the page cache."""

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from towpath.digest import of_bytes, of_file
from towpath.errors import Broken, Unavailable, UnknownName
from towpath.store import direct
from towpath.store.direct import Writer
from towpath.store.local import LocalStore
from towpath.store.packs import Pack, PackWriter


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def write(folder, contents):
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}" for number in range(len(contents))]
    for path, data in zip(paths, contents, strict=True):
        path.write_bytes(data)
    return paths


@settings(max_examples=30, deadline=None)
@given(contents=st.lists(st.binary(max_size=200), max_size=40))
def test_a_pack_gives_back_its_objects(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("pack") / "one"
    pack = PackWriter(str(path))
    for data in contents:
        if not pack.has(of_bytes(data)):
            pack.add(of_bytes(data), data)
    pack.close(whole=True)
    found = Pack(path)
    assert {digest for digest, _, _ in found.entries()} == {of_bytes(data) for data in contents}
    for data in contents:
        assert found.read(*found.find(bytes.fromhex(of_bytes(data)))) == data
    assert found.find(b"\0" * 32) is None


def test_every_cut_of_a_pack_is_found(tmp_path):
    path = tmp_path / "one"
    pack = PackWriter(str(path))
    pack.add(of_bytes(b"data"), b"data")
    pack.close(whole=True)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(Broken, match=f"{path} is no pack") as caught:
            Pack(path)
        assert "verify store --mend" in caught.value.mend


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, direct.BLOCK - 1, direct.BLOCK, 2 * direct.BLOCK + 5])
def test_a_writer_writes_what_it_is_given(tmp_path, size):
    data = os.urandom(size)
    with Writer(tmp_path / "file") as writer:
        for start in range(0, size, 1_000_003):
            writer.write(data[start : start + 1_000_003])
    assert (tmp_path / "file").read_bytes() == data
    with pytest.raises(FileExistsError):
        Writer(tmp_path / "file")


def test_a_folder_in_memory_takes_files_too(tmp_path, monkeypatch):
    monkeypatch.setattr(direct, "_DIRECT", 0)
    with Writer(tmp_path / "file") as writer:
        writer.write(b"x" * 5000)
    assert (tmp_path / "file").read_bytes() == b"x" * 5000


def test_small_files_go_into_packs_and_large_ones_do_not(store, tmp_path):
    paths = write(tmp_path / "files", [b"small", b"small too", b"small", b"L" * 300_000])
    with store.packing() as put:
        digests = [put(path) for path in paths]
    assert digests == [of_file(path) for path in paths]
    assert len(list((store.root / "packs").iterdir())) == 1
    assert [store.path(digest).exists() for digest in digests] == [False, False, False, True]
    again = LocalStore(store.root)
    assert [again.get(digest) for digest in digests] == [path.read_bytes() for path in paths]
    again.get_file(digests[0], tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"small"
    with pytest.raises(OSError, match="pack"):
        again.get_link(digests[0], tmp_path / "linked")


def test_what_is_there_is_not_packed_again(store, tmp_path):
    (path,) = write(tmp_path / "files", [b"small"])
    for _ in range(2):
        with store.packing() as put:
            put(path)
    store.put(b"small")
    assert len(list((store.root / "packs").iterdir())) == 1
    assert not any((store.root / "objects").iterdir())


def test_a_store_sees_packs_that_others_made_since(store, tmp_path):
    (path,) = write(tmp_path / "files", [b"small"])
    with pytest.raises(UnknownName):
        store.get(of_bytes(b"small"))
    with LocalStore(store.root).packing() as put:
        put(path)
    assert store.get(of_bytes(b"small")) == b"small"


def test_a_changed_byte_in_a_pack_is_named_with_its_place(store, tmp_path):
    paths = write(tmp_path / "files", [b"first", b"second"])
    with store.packing() as put:
        digests = [put(path) for path in paths]
    (pack,) = (store.root / "packs").iterdir()
    pack.chmod(0o644)
    data = bytearray(pack.read_bytes())
    data[7] ^= 1
    pack.write_bytes(data)
    again = LocalStore(store.root)
    assert again.get(digests[0]) == b"first"
    with pytest.raises(Broken, match=r"\.pack at 5"):
        again.get(digests[1])


def test_an_addition_that_fails_leaves_no_pack(store, tmp_path):
    (path,) = write(tmp_path / "files", [b"small"])
    with pytest.raises(FileNotFoundError), store.packing() as put:
        list(map(put, [path, path.with_name("not there")]))
    assert list((store.root / "packs").iterdir()) == []
    assert not store.has(of_bytes(b"small"))


PACK = """
import sys
from pathlib import Path
from towpath.store import local, packs
packs.PACK_BYTES = 200_000
store = local.LocalStore(Path(sys.argv[1]))
print("begun", flush=True)
with store.packing() as put:
    for path in sorted(Path(sys.argv[2]).iterdir()):
        put(path)
"""


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05])
def test_kill_9_while_packing_leaves_whole_packs_only(store, tmp_path, after_s):
    paths = write(tmp_path / "files", [b"%d" % number * 5000 for number in range(500)])
    process = subprocess.Popen([sys.executable, "-c", PACK, str(store.root), str(tmp_path / "files")], stdout=subprocess.PIPE)
    process.stdout.readline()
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.communicate()
    for pack in (store.root / "packs").glob("*.pack"):
        for digest, offset, size in Pack(pack).entries():
            assert of_bytes(Pack(pack).read(offset, size)) == digest
    with store.packing() as put:
        digests = [put(path) for path in paths]
    assert [store.get(digest) for digest in digests] == [path.read_bytes() for path in paths]


def test_a_full_disk_is_told_and_leaves_nothing(store, tmp_path, monkeypatch):
    paths = write(tmp_path / "files", [b"small"])

    def full(file, block):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(direct, "write_all", full)
    with pytest.raises(Unavailable, match="No space left"), store.packing() as put:
        put(paths[0])
    assert list((store.root / "packs").iterdir()) == []
