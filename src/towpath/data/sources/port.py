"""What a source is: a list of files with marks that tell without reading whether they were touched, and the bytes of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, Protocol

from towpath.data.walk import Found, Marks, Told
from towpath.digest import of_bytes

Origin = dict[str, str | int]


def marked(mark: str, size: int) -> Marks:
    """The marks of bytes that lie in no file system and change only together with ``mark``: an ETag, a version, an MD5.

    ``size`` is 0 where it is not known before they are read, and -1 where ``mark`` does not tell of every change.
    """
    return Marks(int(of_bytes(mark.encode("utf-8", "surrogateescape"))[:15], 16), size, 0, 0)


def address(url: str) -> str:
    """Where a source is, as it is told and remembered: without user, password and options.

    >>> address("postgresql://me:sesame@host:5432/rides?sslmode=require"), address("tables/rides")
    ('postgresql://host:5432/rides', 'tables/rides')
    """
    return re.sub(r"^([a-z0-9+]+://)[^/?]*@", r"\1", url).partition("?")[0] if "://" in url else url


class Look(NamedTuple):
    """What a source has now: files in order of their names as bytes, and what a snapshot must remember of where they came from."""

    files: list[Found]
    origin: Origin


class Source(Protocol):
    """Where the files of one dataset are. A source that is no file system gives files too: of a query, its rows as Parquet."""

    def look(self) -> Look:
        """What is there now.

        Raises:
            NoFiles: there is nothing.
            UsageError: the source is declared wrongly, or refuses these credentials.
            Unavailable: it does not answer.
        """
        ...

    def read(self, file: Found, take: Callable[[str], Told]) -> tuple[Told, Marks]:
        """Let ``take`` read the bytes of a file of the last ``look``, in a file of this machine whose name ends as the file's does.

        Returns:
            What ``take`` gave, and the marks that these bytes have.

        Raises:
            Unavailable: the bytes cannot be read, or change while they are read.
            Broken: they are not those that the source says they are.
        """
        ...
