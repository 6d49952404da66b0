"""A ledger in one SQLite file: the default. WAL, so that readers never wait; synchronous=FULL, so that an append is on disk."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from towpath.digest import Digest
from towpath.errors import Broken, TowpathError, Unavailable, UsageError
from towpath.ledger.entries import Entry
from towpath.ledger.port import Head, Record, body_of, chain, conflict

_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    position INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    body     BLOB NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL
) STRICT
"""

_SEE_DISK = "look at the disk's free space and at who may write to that folder, then try again"

# WAL needs memory shared between all openers and locks that hold: neither is promised across a network
NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph"),
        *("glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs", "beegfs", "gpfs"),
    }
)


class SqliteLedger:
    """Any number of processes may open the same file; each call uses a connection of its own.

    ``wait_s`` is how long one waits for another writer before it gives up.

    Raises:
        UsageError: the folder lies on a network file system.
        Unavailable: the file cannot be opened or written, or another process did not let go of it.
        Broken: the file is no ledger.
    """

    def __init__(self, path: Path, *, mounts: Path = Path("/proc/mounts"), wait_s: float = 60) -> None:
        self.path, self.wait_s = path, wait_s
        _refuse_network(path, mounts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise Unavailable(f"the ledger {path} cannot be opened: {fault}", mend=_SEE_DISK) from fault
        with self._open() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(_SCHEMA)

    def read(self, start: int = 0) -> Iterator[Record]:
        query = "SELECT position, body, previous, hash FROM ledger WHERE position > ? ORDER BY position"
        with self._open() as connection:
            rows = connection.execute(query, (start,)).fetchall()
        return (Record(position, body, Digest(previous), Digest(hash)) for position, body, previous, hash in rows)

    def append(self, entries: Sequence[Entry], *, expected: int | None = None) -> Head:
        with self._open() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            head = _head(connection)
            if expected is not None and expected != head.position:
                raise conflict(expected, head.position)
            fresh: dict[str, Entry] = {}
            for entry in entries:
                if entry.id not in fresh and not connection.execute("SELECT 1 FROM ledger WHERE id = ?", (entry.id,)).fetchone():
                    fresh[entry.id] = entry
            records = chain((body_of(entry) for entry in fresh.values()), head)
            connection.executemany(
                "INSERT INTO ledger VALUES (?, ?, ?, ?, ?)",
                [(r.position, id, r.body, r.previous, r.hash) for id, r in zip(fresh, records, strict=True)],
            )
        return Head(records[-1].position, records[-1].hash) if records else head

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection that is closed at the end, and whose faults come out as errors of ours."""
        try:
            with closing(sqlite3.connect(self.path, timeout=self.wait_s)) as connection:
                connection.execute("PRAGMA synchronous=FULL")
                yield connection
        except sqlite3.DatabaseError as fault:
            raise self._explained(fault) from fault

    def _explained(self, fault: sqlite3.DatabaseError) -> TowpathError:
        kind = getattr(fault, "sqlite_errorname", "")
        if kind.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            what = f"the ledger {self.path} was not free within {self.wait_s:g} s: {fault}"
            return Unavailable(what, mend="look which process writes to it (`fuser` names it); nothing was written, try again")
        if kind.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_FULL", "SQLITE_IOERR")):
            return Unavailable(f"the ledger {self.path} cannot be used: {fault}; nothing was written", mend=_SEE_DISK)
        return Broken(
            f"the ledger {self.path} cannot be read: {fault}",
            mend="restore the file from a backup, then run `towpath verify ledger`",
        )


def _head(connection: sqlite3.Connection) -> Head:
    rows = connection.execute("SELECT position, hash FROM ledger ORDER BY position DESC LIMIT 1").fetchall()
    return Head(rows[0][0], Digest(rows[0][1])) if rows else Head()


def _refuse_network(path: Path, mounts: Path) -> None:
    kind = file_system(path, mounts)
    if kind in NETWORK_FILE_SYSTEMS:
        raise UsageError(
            f"the ledger {path} would lie on a network file system ({kind}), where SQLite's locks and shared memory do not hold",
            mend="keep the project's .towpath folder on a local disk (TOWPATH_HOME names another place)",
        )


def file_system(path: Path, mounts: Path) -> str:
    """The type of the file system that holds ``path``, or an empty string where the system does not tell."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    resolved = os.path.realpath(path.parent)
    holders = [(fields[1], fields[2]) for fields in map(str.split, lines) if len(fields) > 2 and _holds(fields[1], resolved)]
    # reversed: where one is mounted on top of another, the later hides the earlier
    return max(reversed(holders), key=lambda holder: len(holder[0]), default=("", ""))[1]


def _holds(mount: str, path: str) -> bool:
    mount = mount.replace("\\040", " ")
    return path == mount or path.startswith(mount.rstrip("/") + "/")
