"""Keeping files by giving them one more name: whatever happens to them meanwhile, no object is wrong."""

import os
import tempfile
from pathlib import Path

import pytest

from towpath.digest import of_bytes
from towpath.store.local import LocalStore


def objects(root: Path) -> list[Path]:
    return [path for path in (root / "objects").rglob("*") if path.is_file()]


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


@pytest.mark.parametrize("absolute", [True, False])
def test_of_a_link_the_file_is_kept(store, tmp_path, absolute):
    (tmp_path / "file").write_bytes(b"data")
    (tmp_path / "link").symlink_to(tmp_path / "file" if absolute else "file")
    digest = store.put_link(tmp_path / "link")
    assert not store.path(digest).is_symlink()
    (tmp_path / "file").unlink()
    assert store.get(digest) == b"data"


@pytest.fixture
def before_linking(monkeypatch):
    """Gives what has something done when a file was read and is not linked yet."""
    real = os.fchmod

    def on(do):
        def fchmod(handle, mode):
            real(handle, mode)
            do()
            monkeypatch.setattr(os, "fchmod", real)

        monkeypatch.setattr(os, "fchmod", fchmod)

    return on


@pytest.mark.parametrize("same_mtime", [True, False])
@pytest.mark.parametrize("size", [6, 2 << 20])
def test_a_file_that_changes_before_it_is_linked_makes_no_wrong_object(store, tmp_path, before_linking, same_mtime, size):
    path = tmp_path / "file"
    path.write_bytes(b"b" * size)
    marks = path.stat()

    def change():
        path.write_bytes(b"a" * size)
        if same_mtime:
            os.utime(path, ns=(marks.st_atime_ns, marks.st_mtime_ns))

    before_linking(change)
    digest = store.put_link(path)
    assert store.get(digest) == b"a" * size
    assert not store.has(of_bytes(b"b" * size))


def test_a_file_that_takes_the_place_of_another_makes_no_wrong_object(store, tmp_path, before_linking):
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"read")
    other.write_bytes(b"not read")
    before_linking(lambda: other.replace(path))
    assert store.get(store.put_link(path)) == b"not read"
    assert not store.has(of_bytes(b"read"))
    assert path.read_bytes() == b"not read"


def test_of_a_file_that_lost_its_name_to_another_what_was_read_is_kept(store, tmp_path, before_linking):
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"read")
    os.link(path, tmp_path / "still here")
    other.write_bytes(b"not read")
    before_linking(lambda: other.replace(path))
    assert store.get(store.put_link(path)) == b"read"


def test_a_file_that_goes_before_it_is_linked_is_told(store, tmp_path, before_linking):
    path = tmp_path / "file"
    path.write_bytes(b"data")
    before_linking(path.unlink)
    with pytest.raises(FileNotFoundError, match="file"):
        store.put_link(path)
    assert objects(store.root) == []


def test_files_of_equal_bytes_are_linked_once_and_both_read_only(store, tmp_path):
    for file in ("one", "two"):
        (tmp_path / file).write_bytes(b"data")
        digest = store.put_link(tmp_path / file)
        assert (tmp_path / file).stat().st_mode & 0o777 == 0o444
    assert store.path(digest).samefile(tmp_path / "one")


@pytest.fixture
def other_disk(tmp_path):
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second disk")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_a_file_of_another_disk_is_copied_and_stays_as_it_is(store, other_disk):
    path = other_disk / "file"
    path.write_bytes(b"data")
    path.chmod(0o640)
    digest = store.put_link(path)
    assert path.stat().st_mode & 0o777 == 0o640
    assert store.get(digest) == b"data"
    assert not store.path(digest).samefile(path)


def test_a_file_of_another_owner_is_copied_and_stays_as_it_is(store, tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"data")

    def refused(handle, mode):
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(os, "fchmod", refused)  # root, who runs tests too, may do it to any file
    digest = store.put_link(path)
    assert store.get(digest) == b"data"
    assert not store.path(digest).samefile(path)
