"""From a snapshot to files: only what differs is written, each file whole or not at all, and nothing is lost that is not kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path, PurePath
from typing import NamedTuple

from towpath.data.index import Index
from towpath.data.walk import half_name, marks_of, writer_of
from towpath.digest import Digest
from towpath.errors import Refused, Unavailable
from towpath.store import Store
from towpath.store.trees import FileEntry

Link = Callable[[FileEntry, Path], bool]


class Plan(NamedTuple):
    """What a check-out would do: files to ``write``, names to ``remove``, and of both those whose bytes are nowhere else: ``unkept``."""

    write: list[FileEntry]
    remove: list[str]
    unkept: list[str]


def plan(here: Iterable[FileEntry], snapshot: Iterable[FileEntry], store: Store) -> Plan:
    """What must happen for the files to be those of a snapshot."""
    now, then = {file.path: file for file in here}, {file.path: file for file in snapshot}
    write = [file for path, file in then.items() if path not in now or now[path].digest != file.digest]
    remove = [path for path in now if path not in then]
    touched = [file.path for file in write if file.path in now] + remove
    return Plan(write, remove, [path for path in touched if not store.has(now[path].digest)])


def refuse_loss(planned: Plan, dataset: str) -> None:
    """Raise Refused where files would be overwritten or removed whose bytes the store does not have."""
    if planned.unkept:
        names = ", ".join(planned.unkept[:3]) + (f" and {len(planned.unkept) - 3} more" if len(planned.unkept) > 3 else "")
        raise Refused(
            f"{dataset}: {names} would be lost: changed since the last `towpath data add`",
            mend=f"keep them (`towpath data add {dataset}`), or give them up with --force",
        )


def carry_out(planned: Plan, root: Path, store: Store, index: Index, *, link: Link, tell: Callable[[FileEntry], None]) -> None:
    """Write and remove.

    Args:
        link: makes the new file one more name for an object, if it may; False where the bytes must be copied.

    Raises:
        UnknownName: the store does not have a file of the snapshot; the files before it are written.
        Unavailable: a file cannot be written.
        Refused: something that is not of the dataset is in the way.
    """
    try:
        cleared = _cleared(planned, root)
        for folder in {os.path.dirname(file.path) for file in planned.write}:
            _made_folder(root / folder)
        for file in planned.write:
            _place(file, root, store, index, link)
            tell(file)
        for name in planned.remove:
            if name not in cleared:
                _remove(root / name, root)
    except OSError as fault:
        mend = "look at the disk's free space and at who may write there; the same command goes on where this one ended"
        raise Unavailable(f"{fault.filename or root} cannot be written: {fault.strerror or fault}", mend=mend) from fault
    finally:
        index.save()


def _place(file: FileEntry, root: Path, store: Store, index: Index, link: Link) -> None:
    final = file.path if os.path.isabs(file.path) else f"{root}/{file.path}"  # text: paths are slow where there are thousands
    temporary = f"{os.path.dirname(final)}/{half_name()}"
    try:
        if not link(file, Path(temporary)):
            store.get_file(file.digest, Path(temporary))
        made = marks_of(temporary)
        _rename(temporary, final)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    if (marks := marks_of(final))[:3] == made[:3]:  # nobody wrote into it meanwhile
        index.learn_made(final, marks, Digest(file.digest))
    if file.rows >= 0:
        index.rows(file.digest, final, lambda path: file.rows)


def _rename(temporary: str, final: str) -> None:
    try:
        os.replace(temporary, final)
    except IsADirectoryError:
        for folder, _, _ in os.walk(final, topdown=False):
            try:
                os.rmdir(folder)
            except OSError as fault:
                mend = "move it away; the same command goes on where this one ended"
                raise Refused(f"{final} is to be a file, and is a folder with files that are not of the dataset", mend=mend) from fault
        os.replace(temporary, final)


def _cleared(planned: Plan, root: Path) -> set[str]:
    """Remove first what stands where a file or a folder is to be: a file that became a folder, or a folder that became a file."""
    files = {file.path for file in planned.write}
    holding = {os.path.dirname(path) for path in files}
    folders = {str(above) for folder in holding for above in (PurePath(folder), *PurePath(folder).parents)}
    clashing = {name for name in planned.remove if name in folders or any(str(above) in files for above in PurePath(name).parents)}
    for name in clashing:
        _remove(root / name, root)
    return clashing


def _made_folder(folder: Path) -> None:
    """Make a folder, and take away what a check-out left there that was killed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as fault:
        mend = "move it away; the same command goes on where this one ended"
        raise Refused(f"{folder} is to be a folder, and there is a file that is not of the dataset in its place", mend=mend) from fault
    for name in os.listdir(folder):
        if name.startswith(".towpath-") and (writer := writer_of(name)) and not _is_alive(writer):
            (folder / name).unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def _remove(path: Path, root: Path) -> None:
    """Remove a file, and the folders that it leaves empty."""
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root or not folder.is_relative_to(root) or any(folder.iterdir()):
            return
        folder.rmdir()
