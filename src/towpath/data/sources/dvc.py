"""Data that DVC keeps, by a ``.dvc`` file: from its cache, else from its remote; each file is checked by its MD5."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from towpath.data.sources import dvc_files
from towpath.data.sources.dvc_files import Out, key_of
from towpath.data.sources.dvc_places import Place, cache_of, config_of, home_of, remote_of
from towpath.data.sources.port import Look, marked
from towpath.data.walk import Found, Marks, Told
from towpath.digest import of_bytes
from towpath.errors import Broken, UsageError
from towpath.project import Dataset


class Dvc:
    """Files have the names that they have in the project when DVC checks them out."""

    def __init__(self, dataset: Dataset, root: Path) -> None:
        self._root, self._file = root, root / dataset.path
        if not self._file.is_file():
            raise UsageError(f"there is no file {self._file}", mend="mend `path` under `data`, or restore the file from Git")
        self._home = home_of(self._file.resolve().parent)
        self._config = config_of(self._home)
        self._cache = cache_of(self._home, self._config)
        self._outs: dict[str, Out] = {}

    def look(self) -> Look:
        declared = dvc_files.outs(self._file.read_text(encoding="utf-8"), self._name(self._file))
        found: list[Found] = []
        for out in declared:
            for name, one in self._files(out):
                key = f"dvc:{one.md5} {of_bytes(os.fsencode(name))[:16]}"
                self._outs[key] = one
                found.append(Found(key, name, marked(one.md5, one.size)))
        origin = {"dvc": self._name(self._file), "md5": " ".join(out.md5 for out in declared)}
        return Look(sorted(found, key=lambda file: os.fsencode(file.name)), {**origin})

    def _files(self, out: Out) -> Iterator[tuple[str, Out]]:
        path = self._file.parent / out.path
        if not out.is_folder:
            yield self._name(path), out
            return
        with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
            listed = self._at_hand(out, Path(folder, "list")).read_bytes()
        for member in dvc_files.members(listed, self._name(self._file)):
            yield self._name(path / member.path), Out(member.path, member.md5, 0, out.old, out.remote)

    def _name(self, path: Path) -> str:
        """A path as manifests have it: relative to the project where it lies below it."""
        whole = os.path.normpath(path)
        return whole.removeprefix(f"{self._root}/")

    def read(self, file: Found, take: Callable[[str], Told]) -> tuple[Told, Marks]:
        with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
            path = self._at_hand(self._outs[file.path], Path(folder, PurePosixPath(file.name).name))
            return take(str(path)), file.marks

    def _at_hand(self, out: Out, target: Path) -> Path:
        """A file with these bytes, at ``target``: whoever reads it may count on its ending, which no file in a cache has."""
        key = key_of(out.md5, old=out.old)
        place: Place | None = self._cache
        if not self._cache.has(key):
            place = remote_of(self._home, self._config, out.remote)
        if place is None or not place.has(key):
            raise UsageError(
                f"{self._name(self._file)}: the bytes of {out.path} ({out.md5}) are neither in DVC's cache nor in its remote",
                mend="`dvc push` them from where they are, or `dvc fetch` them here",
            )
        place.fetch(key, target)
        if not _has_md5(target, out.md5.removesuffix(".dir"), old=out.old):
            who = "cache" if place is self._cache else "remote"
            raise Broken(
                f"{out.path} in DVC's {who} has not the MD5 that names it, {out.md5}", mend=f"delete {key} there, and fetch it anew"
            )
        return target


def md5_of(path: Path) -> str:
    """The MD5 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _has_md5(path: Path, md5: str, *, old: bool) -> bool:
    if md5_of(path) == md5:
        return True
    return old and hashlib.md5(path.read_bytes().replace(b"\r\n", b"\n"), usedforsecurity=False).hexdigest() == md5
