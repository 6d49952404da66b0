"""What lies under a prefix of a bucket, over obstore: an object whose ETag is known is not fetched again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import obstore
from obstore import exceptions

from towpath.data.sources.ahead import Ahead
from towpath.data.sources.patterns import matches, split
from towpath.data.sources.port import Look, Origin, marked
from towpath.data.walk import Found, Marks, NoFiles, Told
from towpath.errors import Unavailable
from towpath.store.remote.cloud import explained, opened

SMALL = 8 << 20  # bytes: what is larger is read in a stream, when it is asked for


class Listed(NamedTuple):
    """An object: its key, its bytes, and what changes with them."""

    key: str
    size: int
    etag: str | None
    mark: str


class Objects:
    """``url``: a prefix, a pattern or one object.

    Args:
        shown: how the place is called, where that is not ``url``; an object of the same name and ETag in places of the same name is the
            same.
        config: as the cloud's own clients call it, where it is not in the environment.
        origin: what a snapshot is to remember.
    """

    def __init__(
        self, url: str, *, shown: str | None = None, config: Mapping[str, Any] | None = None, origin: Origin | None = None
    ) -> None:
        scheme, _, rest = url.partition("://")
        bucket, _, path = rest.partition("/")
        self.place, self._origin = shown or url, origin or {}
        self._folder, self._pattern = split(path)
        with explained(self.place, "opening it"):
            self._bucket = opened(f"{scheme}://{bucket}", **(config or {}))
        self._listed: dict[str, Listed] = {}
        self._ahead = Ahead([], self._get)

    def look(self) -> Look:
        self._listed = {self._name(one.key): one for one in self._list()}
        found = [Found(f"{self.place}#{name}", name, marked(f"{name} {one.mark}", one.size)) for name, one in self._listed.items()]
        if not found:
            raise NoFiles(f"nothing lies under {self.place}", mend="put the data there, or mend `path` under `data` in towpath.yaml")
        found.sort(key=lambda file: os.fsencode(file.name))
        self._ahead = Ahead([file.name for file in found if file.marks.size < SMALL], self._get)
        return Look(found, self._origin)

    def _name(self, key: str) -> str:
        return PurePosixPath(key).name if key == self._folder else key.removeprefix(f"{self._folder}/")

    def _list(self) -> Iterator[Listed]:
        with explained(self.place, "listing it"):
            entries = [entry for some in obstore.list(self._bucket, self._folder or None) for entry in some]
            if not entries and not self._pattern and self._folder:
                try:
                    entries = [obstore.head(self._bucket, self._folder)]
                except FileNotFoundError:
                    return
        folders = {str(parent) for entry in entries for parent in PurePosixPath(entry["path"]).parents}
        for entry in entries:
            key, etag = entry["path"], entry["e_tag"]
            marks_a_folder = key in folders and not entry["size"]  # as consoles make them
            if not marks_a_folder and matches(self._name(key), self._pattern):
                yield Listed(key, entry["size"], etag, etag or f"{entry['version']} {entry['last_modified']:%Y%m%dT%H%M%S.%f}")

    def key(self, name: str) -> str:
        """The key of an object by its name below the prefix."""
        return f"{self._folder}/{name}" if self._folder else name

    def read(self, file: Found, take: Callable[[str], Told]) -> tuple[Told, Marks]:
        with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
            target = Path(folder, PurePosixPath(file.name).name)
            data = self._ahead.take(file.name)
            if data is None:
                listed = self._listed[file.name]
                self._write(listed.key, target, listed.etag)
            else:
                with _room(target):
                    target.write_bytes(data)
            return take(str(target)), file.marks

    def _get(self, name: str) -> bytes:
        listed = self._listed[name]
        with self._explained(listed.key):
            return bytes(obstore.get(self._bucket, listed.key, options=_if(listed.etag)).bytes())

    def has(self, name: str) -> bool:
        """Whether there is an object of that name below the prefix."""
        with explained(self.place, f"looking for {name}"):
            try:
                obstore.head(self._bucket, self.key(name))
            except FileNotFoundError:
                return False
        return True

    def put(self, path: Path, name: str) -> None:
        """Make an object of a file."""
        with explained(self.place, f"writing {name}"):
            obstore.put(self._bucket, self.key(name), path)

    def fetch(self, name: str, target: Path) -> None:
        """Write the bytes of an object to a new file. Raises Unavailable when it is not there."""
        self._write(self.key(name), target)

    def _write(self, key: str, target: Path, etag: str | None = None) -> None:
        with self._explained(key), _room(target), target.open("wb") as file:
            for chunk in obstore.get(self._bucket, key, options=_if(etag)).stream():
                file.write(chunk)

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        with explained(self.place, f"reading {key}"):
            try:
                yield
            except (exceptions.PreconditionError, FileNotFoundError) as fault:
                what = f"{key} in {self.place} was changed or deleted since it was listed"
                raise Unavailable(what, mend="wait until whatever writes it has ended, then try again") from fault


@contextmanager
def _room(target: Path) -> Iterator[None]:
    """A full disk here is no fault of the place that is read."""
    try:
        yield
    except OSError as fault:
        if fault.errno not in (ENOSPC, EDQUOT):
            raise
        mend = "make room there, or let the variable TMPDIR name a folder on another disk; then try again"
        raise Unavailable(f"{target} cannot be written: {fault.strerror}", mend=mend) from fault


def _if(etag: str | None) -> Any:
    return {"if_match": etag} if etag else None
