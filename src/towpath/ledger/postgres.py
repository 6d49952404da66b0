"""A ledger in PostgreSQL, for a team. Positions are given inside a transaction that holds an advisory lock, so there are no holes."""

from __future__ import annotations

import re
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from os import dup
from typing import Any, TypeVar
from urllib.parse import quote

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from towpath.digest import Digest
from towpath.errors import TowpathError, Unavailable, UsageError
from towpath.ledger.entries import Entry
from towpath.ledger.port import Head, Record, body_of, chain, conflict

T = TypeVar("T")

PAGE = 5_000  # records read at once: some 3 MB
PAUSES_S = (0.1, 0.5, 2.0)  # before another try, when a connection was lost
_IDLE = 4  # connections kept for the next call

_SCHEMA = """
CREATE TABLE IF NOT EXISTS towpath_ledger (
    position bigint PRIMARY KEY,
    id       text NOT NULL UNIQUE,
    body     bytea NOT NULL,
    previous text NOT NULL,
    hash     text NOT NULL
)
"""
_IS_THERE = "SELECT to_regclass('towpath_ledger') IS NOT NULL"
_LOCK_SCHEMA = "SELECT pg_advisory_xact_lock(hashtext('towpath_ledger'))"
# told again in every transaction, because a pooler hands out sessions that others have set; the lock ends with the transaction
_LOCK = """
SELECT set_config('lock_timeout', %(wait)s, true),
       set_config('idle_in_transaction_session_timeout', %(wait)s, true),
       CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END
"""
_TAKE = "SELECT pg_advisory_xact_lock(hashtext('towpath_ledger'), 'towpath_ledger'::regclass::oid::int)"
_HEAD = """
SELECT position, hash, ARRAY(SELECT id FROM towpath_ledger WHERE id = ANY(%s)) FROM towpath_ledger ORDER BY position DESC LIMIT 1
"""
_HASH = "SELECT hash FROM towpath_ledger WHERE position = %s"
_INSERT = "INSERT INTO towpath_ledger SELECT * FROM unnest(%s::bigint[], %s::text[], %s::bytea[], %s::text[], %s::text[])"
_PAGE = "SELECT position, body, previous, hash FROM towpath_ledger WHERE position > %s AND position <= %s ORDER BY position LIMIT %s"


class PostgresLedger:
    """The table ``towpath_ledger`` in the first schema of the connection's search path; one ledger a schema. Made on first use.

    A reader needs SELECT on the table, a writer INSERT too, and who appends first CREATE on the schema. A connection that is lost
    is opened again; what was being appended lands once, also when the answer to its COMMIT was lost. ``wait_s`` is how long one
    waits for another writer, or for an answer, before it gives up.

    Raises:
        UsageError: the URL is not one, or the server does not let this user in or at the table.
        Unavailable: the server does not answer, or another writer did not let go of the lock.
    """

    def __init__(self, url: str, *, connect_s: int = 10, wait_s: float = 60) -> None:
        self._conninfo, self.place = _read(url, connect_s)
        self.wait_s = wait_s
        self._made = False
        self._idle: list[psycopg.Connection] = []
        weakref.finalize(self, _close, self._idle)

    def read(self, start: int = 0) -> Iterator[Record]:
        end = self._patiently(_end)
        while start < end:
            page = self._patiently(partial(_page, start=start, end=end))
            yield from page
            start = page[-1].position if page else end

    def append(self, entries: Sequence[Entry], *, expected: int | None = None) -> Head:
        bodies: dict[str, bytes] = {}
        for entry in entries:
            if entry.id not in bodies:
                bodies[entry.id] = body_of(entry)
        tried: list[Record] = []
        return self._patiently(lambda connection: self._append(connection, bodies, expected, tried))

    def _append(self, connection: psycopg.Connection, bodies: dict[str, bytes], expected: int | None, tried: list[Record]) -> Head:
        """One transaction. ``tried`` is what an earlier one was to write whose end nobody heard of, and gets what this one writes."""
        if not self._made:
            _make(connection)
            self._made = True
        with connection.transaction():
            connection.execute(_LOCK, {"wait": f"{self.wait_s * 1000:.0f}"})
            connection.execute(_TAKE)
            if tried and connection.execute(_HASH, (tried[-1].position,)).fetchone() == (tried[-1].hash,):
                return Head(tried[-1].position, tried[-1].hash)  # it did land: the hash covers all that it wrote
            head, known = _head(connection, list(bodies))
            if expected is not None and expected != head.position:
                raise conflict(expected, head.position)
            fresh = {id: body for id, body in bodies.items() if id not in known}
            tried[:] = records = chain(fresh.values(), head)
            if records:
                rows = [(r.position, id, r.body, r.previous, r.hash) for id, r in zip(fresh, records, strict=True)]
                connection.execute(_INSERT, [list(column) for column in zip(*rows, strict=True)])
        return Head(records[-1].position, records[-1].hash) if records else head

    def _patiently(self, work: Callable[[psycopg.Connection], T]) -> T:
        """``work`` on a connection; again on a new one when that was lost on the way."""
        lost, until = False, time.monotonic() + self.wait_s
        for pause_s in (*PAUSES_S, float("inf")):
            try:
                with self._lent() as connection, _deadline(connection, self.wait_s + 5):
                    try:
                        return work(connection)
                    finally:
                        lost = lost or connection.closed
            except psycopg.Error as fault:
                if not lost or time.monotonic() + pause_s > until:
                    raise self._explained(fault) from fault
                time.sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def _lent(self) -> Iterator[psycopg.Connection]:
        """An idle connection or a new one; kept for the next call unless it broke."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = psycopg.connect(self._conninfo, autocommit=True, prepare_threshold=None)
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED  # after the lock, a statement sees what was there before
        try:
            yield connection
        finally:
            if connection.closed or len(self._idle) >= _IDLE or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.close()
            else:
                self._idle.append(connection)

    def _explained(self, fault: psycopg.Error) -> TowpathError:
        text = _words(fault)
        for words, mend in _THEIRS.items():
            if re.search(words, text):
                return UsageError(f"the ledger {self.place} cannot be used: {text}", mend=mend)
        if isinstance(fault, errors.LockNotAvailable):
            what = f"the ledger {self.place} was not free within {self.wait_s:g} s; nothing was written"
            return Unavailable(what, mend="look which session holds its lock (view pg_locks, locktype advisory), then try again")
        if isinstance(fault, psycopg.OperationalError):
            what = f"the ledger {self.place} did not answer: {text}"
            return Unavailable(what, mend="see whether the server is up and can be reached, then try again: nothing is ever written twice")
        return Unavailable(f"the ledger {self.place} cannot be used: {text}", mend="see the server's log, then try again")


# what a person must mend, by what the server says: at connecting there is no code to go by
_THEIRS = {
    "authentication failed|no password supplied": "put the right user and password into `ledger:`, by ${NAME} from the environment",
    'database "[^"]*" does not exist': "make it (`createdb NAME`), or name one that is there in the URL of `ledger:`",
    "no pg_hba.conf entry|not permitted to log in|permission denied for database": "let this user in (pg_hba.conf, GRANT CONNECT)",
    "permission denied for schema|no schema has been selected": "GRANT USAGE, CREATE ON SCHEMA public TO the user of the URL",
    "permission denied": "GRANT SELECT, INSERT ON towpath_ledger TO the user of the URL",
    "could not translate host name|failed to resolve host": "put the right host into the URL of `ledger:`",
}


def _read(url: str, connect_s: int) -> tuple[str, str]:
    """What libpq is told, and the place without its password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        parts = {"port": "none"}
    host, port, database = (str(parts.get(name) or "") for name in ("host", "port", "dbname"))
    if not re.fullmatch(r"[0-9,]*", port) or "@" in host[1:] + database:  # such a part may be one of the password: nothing is quoted
        raise UsageError(
            "the ledger's URL is not one of PostgreSQL's",
            mend="write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with signs such as @ and / in the password as %40 and %2F",
        )
    settings: dict[str, Any] = {"connect_timeout": connect_s, "application_name": "towpath", "tcp_user_timeout": 30_000}
    settings |= {name: value for name, value in parts.items() if value is not None}
    user = f"{quote(str(parts['user']))}@" if "user" in parts else ""
    return make_conninfo(**settings), f"postgresql://{user}{host}{':' * bool(port)}{port}/{database}"


def _is_there(connection: psycopg.Connection) -> bool:
    found = connection.execute(_IS_THERE).fetchone()
    return bool(found and found[0])


def _make(connection: psycopg.Connection) -> None:
    """Make the table where it is not there; of several at once one does, for IF NOT EXISTS alone does not keep two from colliding."""
    if _is_there(connection):
        return
    with connection.transaction():
        connection.execute(_LOCK_SCHEMA)
        connection.execute(_SCHEMA)


def _head(connection: psycopg.Connection, ids: Sequence[str] = ()) -> tuple[Head, set[str]]:
    """Where the ledger ends, and which of ``ids`` are in it."""
    found = connection.execute(_HEAD, (list(ids),)).fetchone()
    return (Head(found[0], Digest(found[1])), set(found[2])) if found else (Head(), set())


def _end(connection: psycopg.Connection) -> int:
    return _head(connection)[0].position if _is_there(connection) else 0


def _page(connection: psycopg.Connection, *, start: int, end: int) -> list[Record]:
    rows = connection.execute(_PAGE, (start, end, PAGE))
    return [Record(position, body, Digest(previous), Digest(hash)) for position, body, previous, hash in rows]


def _words(fault: psycopg.Error) -> str:
    """The server's words in one line."""
    return " ".join(str(fault).split()) or type(fault).__name__


@contextmanager
def _deadline(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """Cut the connection after ``seconds``: libpq would wait for ever for a server that takes bytes and does not answer."""
    with socket.socket(fileno=dup(connection.fileno())) as line:  # a duplicate: the number could be another file's by then
        timer = threading.Timer(seconds, _cut, [line])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _close(idle: list[psycopg.Connection]) -> None:
    while idle:
        idle.pop().close()
