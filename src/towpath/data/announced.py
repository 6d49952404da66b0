"""Telling the disk which small files will be read next: asked for one after another, each would be waited for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from resource import RUSAGE_SELF, getrusage

from towpath.data.walk import Found

SMALL = 128 << 10  # bytes: of a larger one the system reads on by itself
AT_ONCE = 256
COLD = 2 * AT_ONCE  # blocks of 512 bytes brought while so many were read: a page for every fourth
_ADVISES = hasattr(os, "posix_fadvise")  # macOS has none


def announced(files: Sequence[Found], brought: Callable[[], int] = lambda: getrusage(RUSAGE_SELF).ru_inblock) -> Iterator[Found]:
    """The files in their order. As long as they must be brought from the disk, it is told of the next ones while some are read.

    Where the system has them in memory already, telling would cost more than reading.

    Args:
        brought: gives how many blocks of 512 bytes this process has had brought from disks so far.
    """
    if not _ADVISES or len(files) <= AT_ONCE:  # who reads few files starts no thread
        yield from files
        return
    with import_module("concurrent.futures").ThreadPoolExecutor(1) as teller:
        told, before = None, brought()
        for start in range(0, len(files), AT_ONCE):
            if told:
                told.result()
            now = brought()
            told = teller.submit(_announce, files[start + AT_ONCE : start + 2 * AT_ONCE]) if now - before >= COLD else None
            before = now
            yield from files[start : start + AT_ONCE]


def _announce(files: Sequence[Found]) -> None:
    """Nothing comes of a file that cannot be opened: whoever reads it will tell."""
    for file in files:
        if 0 < file.marks.size < SMALL:
            with suppress(OSError):
                handle = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK)
                try:
                    os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
                finally:
                    os.close(handle)
