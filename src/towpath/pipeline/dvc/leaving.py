"""What stages made, left as DVC leaves it: in the work tree, in DVC's cache, ignored by Git, and in ``dvc.lock``."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from towpath.data.index import Index
from towpath.data.sources.dvc import md5_of
from towpath.data.sources.dvc_files import Member, key_of, list_of
from towpath.data.sources.dvc_places import Folder, cache_of, config_of, home_of
from towpath.data.walk import marks_of
from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.pipeline.dvc import lock
from towpath.pipeline.dvc.lock import Hashed
from towpath.pipeline.dvc.outside import in_work_tree, kept
from towpath.pipeline.dvc.stages import Output, Stage
from towpath.pipeline.folders import part_of
from towpath.pipeline.values import Value
from towpath.store import Store, trees
from towpath.store.trees import FileEntry

_Made = tuple[Stage, Mapping[str, Value], Value]  # a stage, what it took by path, and what it made


class Leaving:
    """Of the project in ``root``. ``md5s``: a file that remembers the MD5 of what the store has, by digest."""

    def __init__(self, root: Path, store: Store, index: Index, md5s: Path) -> None:
        self._root, self._store, self._index, self._file = root, store, index, md5s
        self._md5s: dict[str, str] = {}
        with suppress(OSError, msgspec.DecodeError):
            self._md5s = msgspec.json.decode(md5s.read_bytes(), type=dict[str, str])
        self._cache: Folder | None = None
        with suppress(UsageError):  # a dvc.yaml without `dvc init`
            home = home_of(root)
            self._cache = cache_of(home, config_of(home))

    def leave(self, made: Iterable[_Made]) -> None:
        """Leave what these stages made. ``dvc.lock`` comes last."""
        entries = {}
        for stage, took, value in made:
            outputs = {output.written: self._left(output, value) for output in stage.outputs}
            dependencies = {written: self._taken(path, took) for path, written in stage.dependencies.items()}
            entries[stage.name] = lock.entry(stage, dependencies, outputs)
        self._write_lock(entries)
        self._index.save()
        self._file.write_bytes(msgspec.json.encode(self._md5s))

    def _left(self, output: Output, value: Value) -> Hashed:
        is_folder = any(file.path.startswith(f"{output.path}/") for file in trees.files(self._store, value.output))
        files = list(trees.files(self._store, part_of(value, output.path, self._store).output))
        hashed = self._hashed(files, is_folder=is_folder)
        if output.cached:
            self._ignore(output.path)
            if self._cache:
                self._keep(files, hashed, self._cache)
        self._check_out(self._root / output.path, files, is_folder=is_folder)
        return hashed

    def _taken(self, path: str, took: Mapping[str, Value]) -> Hashed:
        """What a stage depended on. A folder in which stages make something is told as it is now, as DVC does."""
        here = self._root / path
        if any(one.startswith(f"{path}/") for one in took):
            return self._hashed(list(in_work_tree(path, self._root, self._store, self._index)), is_folder=True)
        hashed = self._hashed(list(trees.files(self._store, took[path].output)), is_folder=here.is_dir())
        return hashed._replace(is_executable=here.is_file() and os.access(here, os.X_OK))

    def _hashed(self, files: list[FileEntry], *, is_folder: bool) -> Hashed:
        size = sum(file.size for file in files)
        if is_folder:
            return Hashed.folder((Member(file.path, self._md5(file.digest)) for file in files), size)
        return Hashed(self._md5(files[0].digest), size)

    def _md5(self, digest: Digest) -> str:
        if digest not in self._md5s:
            with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
                self._store.get_file(digest, Path(folder, "bytes"))
                self._md5s[digest] = md5_of(Path(folder, "bytes"))
        return self._md5s[digest]

    def _keep(self, files: list[FileEntry], hashed: Hashed, cache: Folder) -> None:
        """Put what the cache of DVC has not."""
        with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
            for file in files:
                key = key_of(self._md5(file.digest), old=False)
                if not cache.has(key):
                    self._store.get_file(file.digest, Path(folder, file.digest))
                    _put(Path(folder, file.digest), key, cache)
            key = key_of(hashed.md5, old=False)
            if hashed.members is not None and not cache.has(key):
                Path(folder, "list").write_bytes(list_of(hashed.members))
                _put(Path(folder, "list"), key, cache)

    def _ignore(self, path: str) -> None:
        """As DVC does: by its name in the `.gitignore` beside it."""
        asked = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", path], cwd=self._root, capture_output=True, check=False)
        if asked.returncode == 1:
            file = (self._root / path).parent / ".gitignore"
            file.parent.mkdir(parents=True, exist_ok=True)
            lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
            file.write_text("\n".join([*lines, f"/{Path(path).name}", ""]), encoding="utf-8")

    def _check_out(self, place: Path, files: list[FileEntry], *, is_folder: bool) -> None:
        """Write what is not there already, and take away what was made before and is made no more."""
        if place.is_symlink() or place.is_dir() != is_folder:
            _remove(place)
        wanted = {place / file.path if is_folder else place: file.digest for file in files}
        for other in place.rglob("*") if is_folder else ():
            if other.is_file() and other not in wanted:
                other.unlink()
        for target, digest in wanted.items():
            if not (target.is_file() and kept(target, self._root, self._store, self._index)[0] == digest):
                self._write(digest, target)

    def _write(self, digest: Digest, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_name(f".{target.name}.{os.getpid()}.part")
        half.unlink(missing_ok=True)
        self._store.get_file(digest, half)
        half.replace(target)
        self._index.learn(str(target.relative_to(self._root)), marks_of(str(target)), digest)

    def _write_lock(self, entries: Mapping[str, dict[str, object]]) -> None:
        file = self._root / lock.FILE
        before = file.read_text(encoding="utf-8") if file.exists() else None
        after = lock.text(before, entries)
        if entries and after != before:
            half = file.with_name(f".{lock.FILE}.{os.getpid()}.part")
            half.write_text(after, encoding="utf-8")
            half.replace(file)


def _put(file: Path, key: str, cache: Folder) -> None:
    cache.put(file, key)
    (cache.folder / key).chmod(0o444)  # as DVC protects it


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
