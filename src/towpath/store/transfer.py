"""Bytes from file to file: cloned where the file system can, otherwise copied while they are hashed; and flushed, many at once."""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

from blake3 import blake3

from towpath.digest import Digest, of_file
from towpath.store.direct import BLOCK, Writer

FICLONE = 0x40049409  # linux/fs.h: the target shares the source's blocks until one of them is written to
FEW = 16  # up to here, flushing one by one disturbs the rest of the machine least


def clone(source: int, target: int) -> bool:
    """Let the empty file ``target`` share the blocks of ``source``; False where the file system cannot."""
    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError:
        return False
    return True


def copy(source: str | Path, target: Path) -> Digest:
    """Make the file ``target``; the digest of what is now in it, whatever becomes of the source meanwhile.

    While one block is written the next is read and hashed, on all cores.
    """
    with open(source, "rb", buffering=0) as reader:
        if _cloned(reader.fileno(), target):
            return of_file(target)  # of the clone: the source may change by now
        hasher = blake3(max_threads=blake3.AUTO)
        block = memoryview(bytearray(BLOCK))
        with Writer(target) as writer:
            while size := reader.readinto(block):
                hasher.update(block[:size])
                writer.write(block[:size])
    return Digest(hasher.hexdigest())


def _cloned(source: int, target: Path) -> bool:
    with target.open("xb", buffering=0) as writer:
        if clone(source, writer.fileno()):
            return True
    target.unlink()
    return False


def flush(paths: Iterable[str], root: Path) -> None:
    """Make files that were renamed into place below ``root`` durable, with their folders: one by one, or the whole file system at once."""
    names = list(paths)
    if len(names) > FEW and _flush_all(root):
        return
    files = [Path(name) for name in names]
    folders = {path.parent for path in files} | {path.parent.parent for path in files}
    for path in sorted({*files, *folders}):
        flush_one(path)


def flush_one(path: Path) -> None:
    """Make one file, or the names in one folder, durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def everything(root: Path) -> None:
    """Make all durable that any process wrote to the file system of ``root``."""
    if not _flush_all(root):
        os.sync()


def _flush_all(root: Path) -> bool:
    """``syncfs`` of Linux. False where the system has none."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    handle = os.open(root, os.O_RDONLY)
    try:
        if syncfs(handle):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(root))
    finally:
        os.close(handle)
    return True
