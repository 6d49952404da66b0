"""A snapshot as DVC has data: its bytes where DVC keeps them, and the ``.dvc`` files that name them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from towpath.data import walk
from towpath.data.sources import dvc_files
from towpath.data.sources.dvc import md5_of
from towpath.data.sources.dvc_files import Member, Out, Remote, key_of
from towpath.data.sources.dvc_places import HOME, Place, config_of, home_of, place_at, remote_of
from towpath.data.writing import write
from towpath.errors import UsageError
from towpath.store import Store
from towpath.store.trees import FileEntry

_IGNORED = "/config.local\n/tmp\n/cache\n"  # as `dvc init` writes it


class Exported(NamedTuple):
    """The ``.dvc`` files that were written, by their names in the project; how many files they name, and how many bytes were sent."""

    written: list[str]
    files: int
    sent: int


def destination(root: Path, to: str | None) -> Place:
    """Where DVC of the project in ``root`` looks for data: its default remote, or the one ``to``, which becomes that where DVC has none.

    Raises:
        UsageError: there is neither; a remote is of a kind that is not written here.
    """
    if to is not None:
        home = root / HOME
        if not any((folder / HOME).is_dir() for folder in (root, *root.parents)):
            home.mkdir()
            write(home / ".gitignore", _IGNORED)
            write(home / "config", dvc_files.config_text(to if "://" in to else str((root / to).resolve())))
        return place_at(Remote(to if "://" in to else str((root / to).resolve()), {}), home)
    home = home_of(root)
    if (place := remote_of(home, config_of(home))) is None:
        raise UsageError(f"DVC has no default remote in {home / 'config'}", mend="`dvc remote add -d NAME URL`, or --to URL")
    return place


def export(path: str, files: Sequence[FileEntry], root: Path, store: Store, place: Place, tell: Callable[[FileEntry], None]) -> Exported:
    """Send the files of a snapshot to where DVC looks for them, and write its ``.dvc`` files; they come last.

    A dataset whose ``path`` is a folder has one ``.dvc`` file beside it; each file of another has its own.

    Raises:
        UnknownName: the store does not have a file.
        UsageError: a file lies outside of the project.
        Unavailable: the place does not take the bytes.
    """
    outside = next((file.path for file in files if file.path.startswith(("/", "../"))), None)
    if outside is not None:
        raise UsageError(f"{outside} lies outside of the project, where DVC has no place for it", mend="move the data into the project")
    md5s, sent = {}, 0
    for file in files:
        md5s[file.path], new = _send(file, store, place)
        sent += new
        tell(file)
    written = []
    for target, out, count in _outs(path, files, md5s, place):
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        write(root / target, dvc_files.text_of(out, count))
        written.append(target)
    return Exported(written, len(files), sent)


def _send(file: FileEntry, store: Store, place: Place) -> tuple[str, int]:
    """The MD5 of a file, and how many bytes were sent for it."""
    with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
        path = Path(folder, "bytes")
        store.get_file(file.digest, path)
        md5 = md5_of(path)
        return md5, file.size if _put(path, key_of(md5, old=False), place) else 0


def _put(path: Path, key: str, place: Place) -> bool:
    if is_new := not place.has(key):
        place.put(path, key)
    return is_new


def _outs(path: str, files: Sequence[FileEntry], md5s: dict[str, str], place: Place) -> Iterator[tuple[str, Out, int | None]]:
    """Each ``.dvc`` file: its name, what it says, and the number of files if it is of a folder."""
    base = walk.base_of(path, md5s)
    if base != str(PurePosixPath(path)):
        for file in files:
            yield f"{file.path}.dvc", Out(PurePosixPath(file.path).name, md5s[file.path], file.size), None
        return
    listed = dvc_files.list_of(Member(walk.below(base, file.path), md5s[file.path]) for file in files)
    with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
        local = Path(folder, "list")
        local.write_bytes(listed)
        md5 = f"{md5_of(local)}.dir"
        _put(local, key_of(md5, old=False), place)
    yield f"{base}.dvc", Out(PurePosixPath(base).name, md5, sum(file.size for file in files)), len(files)
