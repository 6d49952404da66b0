"""What lies under a prefix of a bucket, over obstore: an object whose ETag is known is not fetched again."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import obstore
from obstore import exceptions

from towpath.data.sources.patterns import matches, split
from towpath.data.sources.port import Look, Origin, marked
from towpath.data.walk import Found, Marks, NoFiles, Told
from towpath.errors import Unavailable
from towpath.store.remote.cloud import explained, opened


class Listed(NamedTuple):
    """An object: its key, its bytes, and what changes with them."""

    key: str
    size: int
    etag: str | None
    mark: str


class Objects:
    """``url``: a prefix, a pattern or one object. ``config`` as the cloud's own clients call it, where it is not in the environment."""

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

    def look(self) -> Look:
        self._listed = {one.key: one for one in self._list()}
        found = [
            Found(f"{self.place}#{one.key}", self._name(one.key), marked(f"{one.key} {one.mark}", one.size))
            for one in self._listed.values()
        ]
        if not found:
            raise NoFiles(f"nothing lies under {self.place}", mend="put the data there, or mend `path` under `data` in towpath.yaml")
        return Look(sorted(found, key=lambda file: os.fsencode(file.name)), self._origin)

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
            if key not in folders and matches(self._name(key), self._pattern):  # consoles mark folders by empty objects
                yield Listed(key, entry["size"], etag, etag or f"{entry['version']} {entry['last_modified']:%Y%m%dT%H%M%S.%f}")

    def key(self, name: str) -> str:
        """The key of an object by its name below the prefix."""
        return f"{self._folder}/{name}" if self._folder else name

    def read(self, file: Found, take: Callable[[Path], Told]) -> tuple[Told, Marks]:
        listed = self._listed[file.path.removeprefix(f"{self.place}#")]
        with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
            target = Path(folder, PurePosixPath(listed.key).name)
            self._write(listed.key, target, listed.etag)
            return take(target), file.marks

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
        options: Any = {"if_match": etag} if etag else None
        with explained(self.place, f"reading {key}"):
            try:
                with target.open("wb") as file:
                    for chunk in obstore.get(self._bucket, key, options=options).stream():
                        file.write(chunk)
            except (exceptions.PreconditionError, FileNotFoundError) as fault:
                what = f"{key} in {self.place} was changed or deleted since it was listed"
                raise Unavailable(what, mend="wait until whatever writes it has ended, then try again") from fault
