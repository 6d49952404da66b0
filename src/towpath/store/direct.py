"""Writing much at once past the system's page cache, which costs more than the disk; and durable when it is closed."""

from __future__ import annotations

import errno
import mmap
import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # who only asks what is there starts no thread
    from concurrent.futures import Future, ThreadPoolExecutor

BLOCK = 4 << 20
_SECTOR = 4096  # what a direct write must begin at and be a multiple of
_DIRECT = getattr(os, "O_DIRECT", 0)


class Writer:
    """A new file, filled from its beginning to its end. One block is on its way to the disk while the next is filled.

    A context manager: left without an error, all of the file is on the disk, though not yet its name.

    Raises:
        OSError: the file is there already, or the disk does not take it; what was written of it stays.
    """

    def __init__(self, path: Path | str) -> None:
        self.size = 0
        self._file = _open(str(path))
        self._blocks = [mmap.mmap(-1, BLOCK), mmap.mmap(-1, BLOCK)]  # memory of its own begins at a page, as direct writing asks for
        self._filled = 0
        self._on_its_way: Future[None] | None = None
        self._pool: ThreadPoolExecutor | None = None

    def write(self, data: bytes | memoryview) -> None:
        """Append ``data``."""
        rest = memoryview(data)
        self.size += len(rest)
        while rest:
            taken = min(len(rest), BLOCK - self._filled)
            self._blocks[0][self._filled : self._filled + taken] = rest[:taken]
            self._filled += taken
            rest = rest[taken:]
            if self._filled == BLOCK:
                self._send()

    def _send(self) -> None:
        self._wait()
        if self._pool is None:  # what has a block or less starts no thread
            self._pool = import_module("concurrent.futures").ThreadPoolExecutor(1)
        self._on_its_way = self._pool.submit(write_all, self._file, memoryview(self._blocks[0]))
        self._blocks.reverse()
        self._filled = 0

    def _wait(self) -> None:
        if self._on_its_way:
            self._on_its_way.result()
            self._on_its_way = None

    def give_up(self) -> None:
        """Close the file as it is."""
        with suppress(OSError):
            self._wait()
        self._close()

    def _close(self) -> None:
        if self._pool:
            self._pool.shutdown()
        os.close(self._file)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._wait()
                whole = -(-self._filled // _SECTOR) * _SECTOR
                write_all(self._file, memoryview(self._blocks[0])[:whole])
                os.ftruncate(self._file, self.size)  # the last block was filled up to a whole sector
                os.fdatasync(self._file)
        finally:
            self._close()


def write_all(file: int, block: bytes | memoryview) -> None:
    """Write a whole block, however little the system takes at once."""
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(file, rest) :]


def _open(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags | _DIRECT, 0o644)
    except OSError as fault:
        if fault.errno != errno.EINVAL:
            raise
    with suppress(FileNotFoundError):
        os.unlink(path)  # some systems make the file before they refuse to open it so
    return os.open(path, flags, 0o644)  # a file system in memory, for one, knows no direct writing
