"""The files of a snapshot as a tree of small objects, split so that one changed file changes a few of them.

Files are sorted by path and cut into nodes where the digest of a path begins with a byte under 4: some 64 files a node, whatever the
folders are and whatever is in the files. The first paths of the nodes are cut in the same way, one level up, until one node is left.
So equal files give an equal root, and of two trees only the nodes that differ need be read.

Source of the cut by content: A. Auvolat and F. Taïani, "Merkle Search Trees", SRDS 2019; here without a probabilistic depth.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from blake3 import blake3

from towpath.digest import Digest
from towpath.errors import Broken
from towpath.spelling import encoded
from towpath.store.port import Store

CUT_UNDER = 4  # of 256: the chance that a node ends behind a file


class FileEntry(NamedTuple):
    """One file: path with ``/`` (a name that is no UTF-8 as Python has it, by surrogateescape), digest, bytes, rows (-1: no table)."""

    path: str
    digest: Digest
    size: int
    rows: int = -1


class Change(NamedTuple):
    """One path in which two trees differ; ``before`` is None where it was added, ``after`` where it was removed."""

    path: str
    before: FileEntry | None
    after: FileEntry | None


class _Node(msgspec.Struct, frozen=True, array_like=True):
    """``items`` of level 0: [path, digest, size, rows]; above it: [first path, digest of the node]. Paths and digests are bytes."""

    level: int
    items: list[Any]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Node).decode


def write(store: Store, files: Iterable[FileEntry]) -> Digest:
    """Keep the tree of these files; its root. Only nodes that are not there yet are written."""
    entries = list(files)
    names = encoded([file.path for file in entries])
    order = sorted(range(len(entries)), key=names.__getitem__)
    leaves = ((names[at], entries[at]) for at in order)  # made one after another: of a million, a list would be the largest thing there is
    items: Iterable[list[Any]] = ([name, bytes.fromhex(file.digest), file.size, file.rows] for name, file in leaves)
    level = 0
    while True:
        nodes = [(group[0][0] if group else b"", store.put(_encode(_Node(level, group)))) for group in _cut(items, level)]
        if len(nodes) == 1:
            return nodes[0][1]
        items = [[first, bytes.fromhex(digest)] for first, digest in nodes]
        level += 1


def _cut(items: Iterable[list[Any]], level: int) -> Iterator[list[list[Any]]]:
    """At least one group; an empty one where there are no items."""
    salt, group, is_first = b"%d " % level, list[list[Any]](), True
    for item in items:
        group.append(item)
        if blake3(salt + item[0]).digest()[0] < CUT_UNDER:
            yield group
            group, is_first = [], False
    if group or is_first:
        yield group


def files(store: Store, root: Digest) -> Iterator[FileEntry]:
    """The files of a tree, in order of their paths.

    Raises:
        Broken: an object on the way is not a node of a tree.
    """
    for leaf in _leaves(store, root):
        yield from _files_of(store, leaf)


def nodes(store: Store, root: Digest) -> Iterator[Digest]:
    """Every object that a tree consists of, files not included; the root comes first."""
    yield root
    for child in children(store, root):
        yield from nodes(store, child)


def children(store: Store, node: Digest) -> list[Digest]:
    """The nodes that a node names; none where it names files."""
    found = _node(store, node)
    return [Digest(item[1].hex()) for item in found.items] if found.level else []


def changes(store: Store, before: Digest, after: Digest) -> Iterator[Change]:
    """Where two trees differ, in order of the paths; nodes that both have are passed over unread."""
    old, new = list(_leaves(store, before)), list(_leaves(store, after))
    same = set(old) & set(new)
    was = _by_path(store, (leaf for leaf in old if leaf not in same))
    is_now = _by_path(store, (leaf for leaf in new if leaf not in same))
    for path in sorted(was.keys() | is_now.keys(), key=os.fsencode):
        if was.get(path) != is_now.get(path):
            yield Change(path, was.get(path), is_now.get(path))


def _by_path(store: Store, leaves: Iterable[Digest]) -> Mapping[str, FileEntry]:
    return {file.path: file for leaf in leaves for file in _files_of(store, leaf)}


def _leaves(store: Store, root: Digest) -> Iterator[Digest]:
    node = _node(store, root)
    if node.level == 0:
        yield root
    elif node.level == 1:
        yield from (Digest(item[1].hex()) for item in node.items)
    else:
        for item in node.items:
            yield from _leaves(store, Digest(item[1].hex()))


def _files_of(store: Store, leaf: Digest) -> Iterator[FileEntry]:
    for path, digest, size, rows in _node(store, leaf).items:
        yield FileEntry(os.fsdecode(path), Digest(digest.hex()), size, rows)


def _node(store: Store, digest: Digest) -> _Node:
    try:
        return _decode(store.get(digest))
    except msgspec.DecodeError as fault:
        raise Broken(f"object {digest} is no node of a tree of files: {fault}", mend="give the root of a snapshot's files") from None
