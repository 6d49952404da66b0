"""What is left of a snapshot of which rows were erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from towpath.digest import Digest
from towpath.store.trees import FileEntry


def standing_in(files: Iterable[FileEntry], erased: Mapping[str, str]) -> list[FileEntry]:
    """The files of a snapshot as they can still be had: an erased one by what stands in for it; left out where nothing does.

    Sizes and rows stay those of the snapshot.

    >>> standing_in([FileEntry("a", Digest("1"), 5), FileEntry("b", Digest("2"), 5)], {"1": "3", "3": "4", "2": ""})
    [FileEntry(path='a', digest='4', size=5, rows=-1)]
    """
    found = []
    for file in files:
        digest: str = file.digest
        while digest in erased:
            digest = erased[digest]
        if digest:
            found.append(file._replace(digest=Digest(digest)))
    return found
