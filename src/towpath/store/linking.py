"""Keeping a file by giving it one more name, the object's: what has that name is what was read, whatever happens to the file meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from towpath.digest import Digest, of_open
from towpath.stamps import is_old


def linked(handle: int, object_of: Callable[[Digest], str]) -> Digest | None:
    """The digest of an open file that is read-only now and has its object's name, unless that is there already.

    None, and the file stays as it was, where it must be copied: while it changes, on another disk, of another owner, or where
    the system has no ``/proc`` by which an open file can be named.

    Args:
        object_of: gives the path of an object.
    """
    before = os.fstat(handle)
    digest = of_open(handle)
    with suppress(OSError):
        os.fchmod(handle, 0o444)  # before the last look, so that nobody can begin to write after it
        if not _is_touched(before, os.fstat(handle)) or of_open(handle) == digest:
            _name(handle, object_of(digest))
            return digest
    with suppress(OSError):
        os.fchmod(handle, before.st_mode)
    return None


def _is_touched(before: os.stat_result, after: os.stat_result) -> bool:
    """Whether a file may have other bytes than before: it looks touched, or was so young that it need not."""
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return not (same and is_old(before.st_mtime_ns))


def _name(handle: int, path: str) -> None:
    with suppress(FileExistsError):
        try:
            _link(handle, path)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _link(handle, path)


def _link(handle: int, path: str) -> None:
    """By its handle, as another file may have its name by now."""
    os.link(f"/proc/self/fd/{handle}", path, src_dir_fd=handle)  # with a folder given links are followed; an absolute path needs none
