"""Files that stages depend on and no stage makes: of the commit, of the work tree, or of DVC's cache and remote."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from towpath.data import walk
from towpath.data.index import Index
from towpath.data.sources.dvc import Dvc
from towpath.digest import Digest
from towpath.errors import UsageError
from towpath.pipeline.folders import files_value, keep_below, keep_files
from towpath.pipeline.values import Value
from towpath.project import Dataset
from towpath.store import Store
from towpath.store.trees import FileEntry


def value_of(path: str, root: Path, tree: Path, store: Store, index: Index, made: Collection[str]) -> Value:
    """The files at ``path``: as the commit in ``tree`` has them, else as they lie in the work tree ``root``, else as a ``.dvc`` file names.

    Of a folder of the commit, those are left out that stages make, and `.gitignore`, to which what they make is added.

    Raises UsageError where there are none.
    """
    if (tree / path).is_dir():
        files = (file for file in sorted((tree / path).rglob("*")) if file.is_file() and file.name != ".gitignore")
        return keep_below(tree / path, [file for file in files if not _is_made(file.relative_to(tree), {*made} - {path})], store)
    if (tree / path).exists():
        return keep_files(tree / path, store, path)
    if (root / path).exists():
        return files_value(list(in_work_tree(path, root, store, index)), store)
    if found := next((one for one in PurePosixPath(path, "x").parents if (root / f"{one}.dvc").is_file()), None):
        return files_value(list(_of_dvc(f"{found}.dvc", path, root, store)), store)
    raise UsageError(f"there is no {path}, which a stage depends on", mend="bring it there (`dvc pull`, `git checkout`), or mend `deps`")


def _is_made(file: Path, made: Collection[str]) -> bool:
    return any(str(one) in made for one in (file, *file.parents))


def in_work_tree(path: str, root: Path, store: Store, index: Index) -> Iterator[FileEntry]:
    """The file, or those of the folder, that lies in the work tree."""
    base = root / path
    for file in sorted(one for one in base.rglob("*") if one.is_file()) if base.is_dir() else [base]:
        name = str(file.relative_to(base)) if file != base else file.name
        digest, size = kept(file, root, store, index)
        yield FileEntry(name, digest, size)


def kept(file: Path, root: Path, store: Store, index: Index) -> tuple[Digest, int]:
    """A file of the work tree in the store, by its digest, with its size; what looks untouched is not read."""
    name, marks = str(file.relative_to(root)), walk.marks_of(str(file))
    known = index.known(name, marks)
    if known and store.has(known):
        return known, marks.size
    digest, marks = walk.steady(str(file), marks, store.put_file)
    index.learn(name, marks, digest)
    return digest, marks.size


def _of_dvc(dvc_file: str, path: str, root: Path, store: Store) -> Iterator[FileEntry]:
    source = Dvc(Dataset(path=dvc_file), root)
    for found in source.look().files:
        if found.name == path or found.name.startswith(f"{path}/"):
            digest, marks = source.read(found, store.put_file)
            name = PurePosixPath(found.name)
            yield FileEntry(name.name if found.name == path else str(name.relative_to(path)), digest, max(0, marks.size))
