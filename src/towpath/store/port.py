"""What a store is: bytes under their digest; and beside them, executions under their fingerprint."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec

from towpath.digest import Digest
from towpath.errors import Broken, UnknownName

MEND = (
    "`towpath verify store --mend` sets it aside and leaves all else; then `towpath data add` or `towpath data pull` puts it there again, "
    "or a run makes it; a disk that changes bytes should be replaced"
)


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """One time a step really ran: what it made, and how long it took."""

    fingerprint: Digest
    step: str
    output: Digest  # object digest of the stored output
    content: Digest  # canonical digest of the output
    seconds: float
    codec: str = "table"  # that reads the output


class Store(Protocol):
    """Objects by digest: written once, never changed, checked on every read.

    What ``put`` returns for is there for every reader at once; it survives a loss of power after ``sync``. So: put all
    parts, ``sync`` once, then put (and sync) the manifest that names them, then append the event that names it.
    """

    def put(self, data: bytes) -> Digest:
        """Keep ``data``; putting it twice is a success."""
        ...

    def put_file(self, path: str | Path) -> Digest:
        """Keep a file's bytes without holding them in memory at once."""
        ...

    def get(self, digest: Digest) -> bytes:
        """The bytes under ``digest``.

        Raises:
            UnknownName: no such object.
            Broken: the stored bytes do not give their digest.
        """
        ...

    def get_file(self, digest: Digest, target: Path) -> None:
        """Write the bytes under ``digest`` to the new file ``target``, without holding them in memory at once.

        Raises:
            UnknownName, Broken: as ``get``; then there is no such file.
            OSError: the target cannot be written, or is there already.
        """
        ...

    def has(self, digest: Digest) -> bool:
        """Whether an object is there; says nothing of its bytes."""
        ...

    def size(self, digest: Digest) -> int:
        """Bytes of an object, which is not read for it. Raises UnknownName."""
        ...

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Those of many objects that are not there: one question for all of them."""
        ...

    def sync(self) -> None:
        """Make everything put so far durable."""
        ...

    def remember(self, execution: Execution) -> None:
        """Keep an execution under its fingerprint; a later one replaces it."""
        ...

    def recall(self, fingerprint: Digest) -> Execution | None:
        """The execution of ``fingerprint`` whose output is still there, or None."""
        ...


@runtime_checkable
class Brings(Protocol):
    """A store that can fetch what is not on this machine."""

    def bring(self, digests: Iterable[Digest]) -> None:
        """Fetch, in a few calls, those of these objects that are not here and can be had."""
        ...


def unknown(digest: Digest) -> UnknownName:
    """The error of ``get`` for an object that is not there."""
    fault = UnknownName("object in the store", digest, ())
    fault.mend = "it was never stored here or was removed: run what made it again (`towpath run`)"
    return fault


def corrupt(digest: Digest, found: Digest, where: str) -> Broken:
    """The error of ``get`` for an object whose bytes changed."""
    return Broken(
        f"object {digest} in {where} is corrupt: its bytes now give {found}",
        mend=MEND,
    )
