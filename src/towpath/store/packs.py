"""Many small objects in one file, for a disk is much faster with one file than with thousands.

A pack is its objects' bytes one after another, then an index: for each object, in order of the digests, 32 bytes of digest, 8 of
offset, 8 of size (little-endian); then the number of objects in 8 bytes, and a mark. It never changes.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from towpath.digest import Digest, of_bytes
from towpath.errors import Broken, Unavailable
from towpath.store.direct import Writer
from towpath.store.port import MEND

SUFFIX = ".pack"
PACK_BYTES = 64 << 20
_ENTRY = struct.Struct("<32sQQ")
_END = struct.Struct("<Q8s")
_MARK = b"towpack1"


class PackWriter:
    """A new pack. Nothing reads it before its file has its name; left without an error it is on the disk."""

    def __init__(self, path: str) -> None:
        self._writer = Writer(path)
        self._entries: dict[bytes, tuple[int, int]] = {}

    @property
    def size(self) -> int:
        """Bytes of objects so far."""
        return self._writer.size

    def has(self, digest: Digest) -> bool:
        """Whether an object is in it."""
        return bytes.fromhex(digest) in self._entries

    def add(self, digest: Digest, data: bytes) -> None:
        """Append an object."""
        self._entries[bytes.fromhex(digest)] = (self._writer.size, len(data))
        self._writer.write(data)

    def close(self, *, whole: bool) -> None:
        """End the file: with its index when it is ``whole``, otherwise as it is, for nobody."""
        if whole:
            with self._writer:
                index = b"".join(_ENTRY.pack(digest, *self._entries[digest]) for digest in sorted(self._entries))
                self._writer.write(index + _END.pack(len(self._entries), _MARK))
        else:
            self._writer.give_up()


class Packing:
    """Puts small objects into packs, each of which is ended when it is large enough.

    Args:
        folder: where packs lie.
        has: whether an object is in the store already.
        place: gives a file that is whole its name.
    """

    def __init__(self, folder: Path, has: Callable[[Digest], bool], place: Callable[[str, str], None]) -> None:
        self._folder, self._has, self._place = folder, has, place
        self._path = ""
        self._pack: PackWriter | None = None

    def put(self, data: bytes) -> Digest:
        """As the store's."""
        digest = of_bytes(data)
        if not (self._pack and self._pack.has(digest)) and not self._has(digest):
            pack = self._pack = self._pack or self._begun()
            pack.add(digest, data)
            if pack.size >= PACK_BYTES:
                self.end()
        return digest

    def _begun(self) -> PackWriter:
        self._folder.mkdir(exist_ok=True)
        self._path = f"{self._folder}/{os.getpid()}-{os.urandom(8).hex()}"
        return PackWriter(self._path)

    def end(self) -> None:
        """End the pack that was begun, if one was, and give it its name."""
        pack, self._pack = self._pack, None
        if pack:
            try:
                pack.close(whole=True)
                os.chmod(self._path, 0o444)
                self._place(self._path, f"{self._path}{SUFFIX}")
            finally:
                Path(self._path).unlink(missing_ok=True)

    def give_up(self) -> None:
        """Leave nothing of the pack that was begun."""
        if self._pack:
            self._pack.close(whole=False)
            Path(self._path).unlink(missing_ok=True)


class Pack:
    """A pack that is there. Its index is looked into where it lies, never read as a whole.

    Raises:
        Broken: the file is no pack, or was cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < _END.size:
                raise Broken(f"{path} is no pack: it has {size} bytes", mend=MEND)
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.count, mark = _END.unpack_from(self._bytes, size - _END.size)
        self._begin: int = size - _END.size - self.count * _ENTRY.size
        if mark != _MARK or self._begin < 0:
            raise Broken(f"{path} is no pack, or was cut off", mend=MEND)

    @property
    def size(self) -> int:
        """Bytes of its objects."""
        return self._begin

    def find(self, digest: bytes) -> tuple[int, int] | None:
        """Offset and size of an object, by bisection; None where it is not in this pack."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            found, offset, size = _ENTRY.unpack_from(self._bytes, self._begin + middle * _ENTRY.size)
            if found == digest:
                return offset, size
            low, high = (middle + 1, high) if found < digest else (low, middle)
        return None

    def read(self, offset: int, size: int) -> bytes:
        """Bytes of it."""
        return self._bytes[offset : offset + size]

    def digests(self) -> set[Digest]:
        """Every object in it; quicker than asking for thousands one by one."""
        index = self._bytes[self._begin : self._begin + self.count * _ENTRY.size].hex()
        step = 2 * _ENTRY.size
        return {Digest(index[place : place + 64]) for place in range(0, len(index), step)}

    def entries(self) -> Iterator[tuple[Digest, int, int]]:
        """Digest, offset and size of every object."""
        for place in range(self.count):
            digest, offset, size = _ENTRY.unpack_from(self._bytes, self._begin + place * _ENTRY.size)
            yield Digest(digest.hex()), offset, size


class Packs:
    """The packs of a folder; those that came since are seen when something is not found.

    What is no pack, or was cut off, is passed over and lies in ``broken``: whoever needs nothing from it goes on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broken: dict[Path, Broken] = {}
        self._packs: dict[str, Pack] = {}
        self._seen = -1

    def find(self, digest: Digest) -> tuple[Pack, int, int] | None:
        """Where an object is; None where it is in no pack."""
        wanted = bytes.fromhex(digest)
        return self._find(wanted) or (self._find(wanted) if self._look_again() else None)

    def _find(self, wanted: bytes) -> tuple[Pack, int, int] | None:
        for pack in self._packs.values():
            if place := pack.find(wanted):
                return pack, *place
        return None

    def _look_again(self) -> bool:
        """Open what is new and forget what is gone; whether anything was."""
        try:
            mark = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            return False
        if mark == self._seen:
            return False
        names = {name for name in os.listdir(self.folder) if name.endswith(SUFFIX)}
        self.broken = {}
        opened = {name: self._packs.get(name) or self._opened(self.folder / name) for name in sorted(names)}
        self._packs = {name: pack for name, pack in opened.items() if pack}
        self._seen = mark
        return True

    def _opened(self, path: Path) -> Pack | None:
        try:
            return Pack(path)
        except FileNotFoundError:  # collected since it was listed
            return None
        except OSError as fault:
            raise Unavailable(f"the pack {path} cannot be read: {fault.strerror}", mend="let this user read it") from fault
        except Broken as fault:
            self.broken[path] = fault
            return None

    def all(self) -> list[Pack]:
        """Every pack that is there now."""
        self._look_again()
        return list(self._packs.values())
