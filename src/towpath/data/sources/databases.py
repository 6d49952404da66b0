"""Asking a database through ADBC, for rows as a Polars frame: PostgreSQL, SQLite and DuckDB. Nothing is written to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import adbc_driver_manager
import polars as pl
from adbc_driver_manager import dbapi

from towpath.data.sources.port import address
from towpath.errors import Unavailable, UsageError

WAIT_S = 10  # for PostgreSQL to take the connection
_REFUSED = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "permission denied",
    "does not exist",
    "readonly",
)


class Database:
    """``url``: ``postgresql://user:password@host/name``, ``sqlite:///file.db`` or ``duckdb:///file.db``.

    A file is relative to ``root``; with four slashes its path is absolute.
    """

    def __init__(self, url: str, root: Path) -> None:
        self.shown, self._url = address(url), url
        self._kind, there, rest = url.partition("://")
        self._kind = "postgresql" if self._kind == "postgres" else self._kind
        if self._kind not in ("postgresql", "sqlite", "duckdb") or not there:
            raise UsageError(
                f"{self.shown} is no database that can be asked", mend="write postgresql://..., sqlite:///file.db or duckdb:///file.db"
            )
        self.file = None if self._kind == "postgresql" else root / rest.partition("?")[0].removeprefix("/")

    def ask(self, query: str) -> pl.DataFrame:
        """The rows that a query gives.

        Raises:
            UsageError: the query has a fault, or the database refuses it or these credentials.
            Unavailable: the database does not answer.
        """
        with self._explained(), self._connected() as connection, connection.cursor() as cursor:
            cursor.execute(query)
            rows = _plain(pl.DataFrame(cursor.fetch_arrow()))
        if not rows.width:
            raise UsageError(f"{self.shown} gave no columns for {query[:60]!r}", mend="write a query that selects some")
        return rows

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        if self.file and not self.file.is_file():
            raise UsageError(f"there is no database file {self.file}", mend="mend `url` under `data` in towpath.yaml")
        with self._connect() as connection:
            if self._kind == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
            yield connection

    def _connect(self) -> Any:
        match self._kind:
            case "postgresql":
                more = "" if "connect_timeout" in self._url else f"{'&' if '?' in self._url else '?'}connect_timeout={WAIT_S}"
                return import_module("adbc_driver_postgresql.dbapi").connect(self._url + more)
            case "sqlite":
                return import_module("adbc_driver_sqlite.dbapi").connect(f"file:{self.file}?mode=ro")
            case _:
                options = {"path": str(self.file), "access_mode": "READ_ONLY"}
                return dbapi.connect(driver=_duckdb(), entrypoint="duckdb_adbc_init", db_kwargs=options)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except adbc_driver_manager.Error as fault:
            said = self._said(fault)
            if isinstance(fault, dbapi.OperationalError) and not any(sign in said for sign in _REFUSED):
                raise Unavailable(f"{self.shown} did not answer: {said}", mend="look whether the database is up and reachable") from None
            raise UsageError(f"{self.shown} refused: {said}", mend="mend `sql` or `url` under `data` in towpath.yaml") from None
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as fault:
            said = self._said(fault)
            raise UsageError(f"what {self.shown} gave is no table: {said}", mend="name and cast the columns in the query") from None

    def _said(self, fault: BaseException) -> str:
        """A fault in one line, without the password whatever the driver says."""
        line = " ".join(str(fault).split())[:300].replace(self._url, self.shown)
        password = urlsplit(self._url).password
        for secret in {password, unquote(password)} if password else ():
            line = line.replace(secret, "***")
        return line


def _duckdb() -> str:
    """Where DuckDB's driver is, which comes with DuckDB itself."""
    try:
        path: str = import_module("adbc_driver_duckdb").driver_path()
    except ModuleNotFoundError as fault:
        raise UsageError("duckdb is not installed, and `url` names a DuckDB file", mend="pip install duckdb") from fault
    return path


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Types that a database alone has as those that everybody has: ``numeric`` as numbers, others as what they are stored as."""
    return frame.with_columns(_plain_column(frame[name], str(dtype)) for name, dtype in frame.schema.items() if _is_own(dtype))


def _is_own(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.BaseExtension)


def _plain_column(series: pl.Series, words: str) -> pl.Series:
    stored = series.ext.storage()
    return stored.cast(pl.Float64) if stored.dtype == pl.String and '"numeric"' in words else stored
