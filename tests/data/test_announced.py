"""Files come in their order, and the disk is told of the next ones only while files must be brought from it."""

import os
from itertools import count

import pytest

from towpath.data.announced import AT_ONCE, COLD, SMALL, announced
from towpath.data.walk import Found, marks_of


@pytest.fixture
def told(monkeypatch):
    """The names of files that the disk was told of."""
    names = []

    def advise(handle, *more, really=os.posix_fadvise):
        names.append(os.path.basename(os.readlink(f"/proc/self/fd/{handle}")))
        really(handle, *more)

    monkeypatch.setattr(os, "posix_fadvise", advise)
    return names


def files(folder, number, size=10):
    for at in range(number):
        path = folder / f"{at:04}"
        path.write_bytes(b"x" * size)
        yield Found(str(path), path.name, marks_of(str(path)))


@pytest.mark.parametrize("number", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE, 3 * AT_ONCE + 7])
def test_files_come_in_their_order(tmp_path, told, number):
    found = list(files(tmp_path, number))
    assert list(announced(found, count(0, COLD).__next__)) == found
    assert told == [file.name for file in found[AT_ONCE:]]


def test_what_is_in_memory_is_not_told_of(tmp_path, told):
    found = list(files(tmp_path, 3 * AT_ONCE))
    assert list(announced(found, lambda: 7)) == found
    assert not told


def test_telling_begins_when_the_disk_is_read_and_ends_when_it_is_not(tmp_path, told):
    found = list(files(tmp_path, 5 * AT_ONCE))
    assert list(announced(found, iter([0, COLD - 1, 2 * COLD, 3 * COLD - 1, 3 * COLD, 3 * COLD]).__next__)) == found
    assert told == [file.name for file in found[2 * AT_ONCE : 3 * AT_ONCE]]


def test_what_is_large_or_empty_or_gone_is_passed_over(tmp_path, told):
    found = list(files(tmp_path, AT_ONCE))
    (tmp_path / "more").mkdir()
    [large, small, empty, gone] = files(tmp_path / "more", 4)
    found += [large._replace(marks=large.marks._replace(size=SMALL)), small, empty._replace(marks=empty.marks._replace(size=0)), gone]
    os.unlink(gone.path)
    assert list(announced(found, count(0, COLD).__next__)) == found
    assert told == [small.name]
