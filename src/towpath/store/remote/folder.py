"""A bucket in a folder: of this machine, or one that several machines mount. What is put is durable when the call returns."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from towpath.errors import Unavailable
from towpath.store.remote.bucket import Stored
from towpath.store.transfer import flush_one

STALE_S = 86400.0  # a temporary file this old is left over from a process that died


class FolderBucket:
    """Files below ``root`` named as their keys. It is made with the first put, unless it ``is_mounted``: then it must be there, for a share
    that is not mounted is not to be begun anew."""

    def __init__(self, root: Path, *, is_mounted: bool = False) -> None:
        self.root, self.place, self._is_mounted = root, str(root), is_mounted
        self._swept = False

    def put(self, key: str, data: bytes | bytearray, *, new: bool = False) -> bool:
        final = self.root / key
        with self._explained(f"writing {key}"), self._temporary() as temporary:
            _write_durably(temporary, data)
            final.parent.mkdir(parents=True, exist_ok=True)
            if new:
                try:
                    os.link(temporary, final)
                except FileExistsError:
                    return False
            else:
                os.rename(temporary, final)
            flush_one(final.parent)
        return True

    def get(self, key: str, start: int = 0, end: int | None = None) -> bytes | None:
        with self._explained(f"reading {key}"):
            try:
                with (self.root / key).open("rb", buffering=0) as file:
                    size = os.fstat(file.fileno()).st_size
                    return os.pread(file.fileno(), max(0, (size if end is None else min(end, size)) - start), start)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def size(self, key: str) -> int | None:
        with self._explained(f"looking for {key}"):
            try:
                return (self.root / key).stat().st_size
            except (FileNotFoundError, NotADirectoryError):
                return None

    def list(self, folder: str, after: str = "") -> Iterator[Stored]:
        with self._explained(f"listing {folder}"):
            for place, _, names in os.walk(self.root / folder):
                base = Path(place).relative_to(self.root).as_posix()
                for key in (f"{base}/{name}" for name in names):
                    if key <= after:  # of a ledger's thousands of batches few are new
                        continue
                    with suppress(FileNotFoundError):
                        found = (self.root / key).stat()
                        yield Stored(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def delete(self, keys: Iterable[str]) -> None:
        with self._explained("deleting"):
            for key in keys:
                (self.root / key).unlink(missing_ok=True)

    @contextmanager
    def _temporary(self) -> Iterator[Path]:
        folder = self.root / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        if not self._swept:
            self._swept = True
            _sweep(folder)
        path = folder / f"{os.getpid()}-{os.urandom(8).hex()}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        if self._is_mounted and not self.root.is_dir():
            raise Unavailable(f"there is no folder {self.root}", mend="mount the share, or make the folder once by hand: `mkdir`")
        try:
            yield
        except OSError as fault:
            mend = "look at its free space and at who may write there; nothing is lost, and the same command goes on where it ended"
            raise Unavailable(f"the folder {self.place} failed while {doing}: {fault}", mend=mend) from fault


def _write_durably(path: Path, data: bytes | bytearray) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sweep(folder: Path) -> None:
    for left in folder.iterdir():
        with suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > STALE_S:
                left.unlink()
